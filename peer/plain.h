/* plain: text that others wrote (adapters, file names, files that we read), made harmless for who looks at it: control characters and
 * all that is no UTF-8 stand as \xNN, so that nothing moves a cursor, hides text or ends a line. Tabs stay. Pure. */
#ifndef PEER_PLAIN_H
#define PEER_PLAIN_H

#include <stdio.h>

#include "peer/bytes.h"

/* The length of the character at the front of the text if it can be shown as it is; 0: its first byte is to be shown as \xNN (or there
 * is none). Not shown as they are: C0 but tab, DEL, C1, what turns the direction of text, separators of lines, and what Unicode has not. */
size_t plain_length(struct bytes text);
/* Appends the text as it may be shown. A newline is a control character: who prints several lines takes them one by one. */
void plain_text(struct buf *out, struct bytes text);
void plain_print(FILE *to, const char *text);

#endif
