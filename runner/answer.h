/* answer: what a call returned, as adapters say it and as traces show it. Pure. */
#ifndef RUNNER_ANSWER_H
#define RUNNER_ANSWER_H

#include "runner/script.h"

enum { ANSWER_TEXT_MAX = 64 };                  /* longer data are shown by their length */

struct answer {
	enum outcome outcome;
	struct buf text;                        /* DATA: the bytes; CRASH: how it died */
	int64_t sum;                            /* read*: bytes of data before the outcome; ITEM_ANY: not a read* */
	bool only_len;                          /* DATA from a trace that gives only its length */
	int64_t len;                            /* DATA: number of bytes */
	int alert;                              /* ALERT */
	struct buf native;                      /* the library's own words */
};

void answer_free(struct answer *a);
struct answer answer_of(enum outcome o);

/* An adapter's line. False: it keeps no contract; *why (static text) tells how. */
bool answer_parse(struct bytes line, struct answer *a, const char **why);

/* `data "hello"`, `alert handshake_failure`, `data 1275 closed`; longer data only as its length. Without the native part. */
void answer_print(struct buf *out, const struct answer *a);
/* Do the words asked for with `as` all stand in the native return? Texts in quotes there are not compared. */
bool answer_native_has(const struct answer *a, struct bytes asked);

#endif
