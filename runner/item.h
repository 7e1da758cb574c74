/* item: one thing in one direction of a connection, as the capture shows it: a record by its content, a FIN, a RST.
 * One text form serves cases, traces and reports; item_parse(item_print(x)) is x. */
#ifndef RUNNER_ITEM_H
#define RUNNER_ITEM_H

#include "peer/bytes.h"

enum item_kind {
	ITEM_DATA, ITEM_ALERT, ITEM_KEY_UPDATE, ITEM_TICKET, ITEM_HANDSHAKE, ITEM_CCS,
	ITEM_RAW, ITEM_UNOPENED, ITEM_PARTIAL, ITEM_FIN, ITEM_RST
};
/* What a record opened with; USUAL: the keys in force. */
enum item_keys { KEYS_USUAL, KEYS_NONE, KEYS_HANDSHAKE, KEYS_OLD, KEYS_NEXT, KEYS_EARLY };

struct item {
	enum item_kind kind;
	enum item_keys keys;
	int code;               /* ALERT: the description; HANDSHAKE: the message type; KEY_UPDATE: 1 if requested */
	int level;              /* ALERT: the level byte */
	int64_t len;            /* DATA, RAW: bytes of content */
	bool malformed;         /* ALERT: the content is not two bytes; then len is its length, code and level are ITEM_ANY */
};

/* In a pattern a field of -1 matches anything. `alert` (code -1) matches any alert but close_notify; a level of -1 there
 * means the usual one: warning for close_notify, any for user_canceled, and fatal for the rest in 1.2 and 1.3. */
enum { ITEM_ANY = -1 };

/* Appends the text: `close_notify`, `alert handshake_failure`, `data 5`, `close_notify level fatal keys none`. Returns nothing; cannot
 * fail. The level is printed where it is not the usual one (close_notify: warning; user_canceled: none, so always; others: fatal). One that
 * is not two bytes is `alert malformed LENGTH`. A handshake message whose name is an item's is printed by its number. */
void item_print(struct buf *out, const struct item *it);

/* Takes one item's words off *n of words (slices). Levels that are not named become the usual one (ITEM_ANY for user_canceled
 * when `pattern`); codes and lengths that are not named become ITEM_ANY, which only a pattern may have.
 * Returns the number of words used, 0 if the first begins no item, -1 if its argument is wrong (then *bad is that word's index). */
int item_parse(const struct bytes *words, size_t n, bool pattern, struct item *it, size_t *bad);

/* Does a seen item fit one of a pattern? For DATA and RAW, lengths are compared by the caller after runs were joined. */
bool item_fits(const struct item *pattern, const struct item *seen);

/* An alert after which nothing counts. 1.3: every one but the two closure alerts, whatever its level (RFC 8446 6); 1.2: level fatal. */
bool item_is_error_alert(const struct item *it, bool v13);

/* All words that can begin an item, for suggestions. */
const char *const *item_words(size_t *n);

#endif
