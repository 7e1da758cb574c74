/* markup: text as XML and HTML may hold it. What these forbid, and what would be harmful or invisible to who reads it, stands as \xNN
 * (peer/plain). Pure. */
#ifndef RUNNER_MARKUP_H
#define RUNNER_MARKUP_H

#include "peer/bytes.h"

/* Appends the text for use between tags, and within a quoted attribute value as well.
 * Newlines stay, so that text in <pre> keeps its lines. */
void markup_text(struct buf *out, struct bytes text);
/* Appends ` name="value"`; line ends and tabs are written so that a parser leaves them as they are (XML 1.0, 3.3.3). */
void markup_attribute(struct buf *out, const char *name, const char *value);

#endif
