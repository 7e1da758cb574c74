/* site: the report that people open in a browser: static pages below a session's folder, from its results.json and the files that it
 * kept. They need no server, no network, and JavaScript only for filtering.
 *
 *     DIR/index.html                                  what is most serious, and the matrix
 *     DIR/report/cells/IMPLEMENTATION/THEME/CASE.html one case of one implementation
 *     DIR/report/requirements.html, requirements/NAME.html
 *     DIR/report/agreement.html                       who behaves alike, and who stands alone
 *     DIR/report/report.css, report.js                part of the program, so that it finds them wherever it lies */
#ifndef RUNNER_SITE_H
#define RUNNER_SITE_H

#include "peer/fault.h"
#include "runner/plan.h"

/* Writes the report of what lies in dir. Each page is whole or not there, and the index comes last, so it links only to what is written.
 * False: *f. wrong_input (may be NULL) tells whether results.json or a CASE.trace is what is wrong, and not the machine. */
bool site_write(const char *dir, const struct catalogue *c, bool *wrong_input, struct fault *f);

#endif
