/* result: one run's outcome as the JSON object that results.json holds. Pure. */
#ifndef RUNNER_RESULT_H
#define RUNNER_RESULT_H

#include <jansson.h>

#include "runner/compare.h"
#include "runner/plan.h"

struct run_name { const char *implementation, *library; const struct script *script; unsigned variant; size_t with;
                  const char *command, *root; };   /* how the user named the implementation, and the root that it lies in; may be NULL */

/* A new object: implementation, library, case, role, tls, io, with, with_name, command (where it is not the name), verdict, ms, about,
 * reading (of rules that have two), expected, expected_of, diff (where it is not the same), findings, why (where there are some), reason.
 * `line` of a finding is that of the case. c: NULL for a run that was not compared.
 * README.md tells the fields, and results.schema.json says it to machines. */
json_t *result_json(const struct run_name *r, const struct judgement *j, const struct comparison *c, int64_t took_us);
/* The same as text, one line of plain ASCII: whatever an adapter said, a terminal and a log take it as it is. free() it. */
char *result_text(const json_t *o);
/* "client-1.3-blocking" or "client-1.3-blocking-K=5": a run's files, below IMPLEMENTATION/THEME/CASE/. */
void run_file_name(struct buf *out, const struct run_name *r);

#endif
