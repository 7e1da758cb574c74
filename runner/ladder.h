/* ladder: a run as the rows of a sequence diagram, and that as SVG: the peer at the left, the implementation at the right, the path between
 * where it acts; calls with their returns at the implementation's side, records, FIN and RST as arrows. Acknowledgements, retransmissions and
 * the messages of a whole handshake are left out. No times and no ports: a run that behaves the same has the same ladder. Pure. */
#ifndef RUNNER_LADDER_H
#define RUNNER_LADDER_H

#include "runner/result.h"

enum row_kind {
	ROW_HANDSHAKE,                          /* a whole one, as a block */
	ROW_PEER, ROW_PATH,                     /* what was done there */
	ROW_CALL,                               /* a call of the implementation */
	ROW_SOCKET,                             /* at its descriptor, or what its kernel says of it */
	ROW_CHECK,                              /* a line that only compares; there if something is to be marked */
	ROW_END                                 /* what left behind the last line */
};
enum arrow_kind { ARROW_DATA, ARROW_NOTIFY, ARROW_ALERT, ARROW_KEYS, ARROW_HANDSHAKE, ARROW_ODD, ARROW_FIN, ARROW_RST };

struct arrow {
	enum arrow_kind kind;
	struct item first;                      /* the first of those that are one arrow */
	int64_t count;
	bool from_peer, from_path;              /* from_path: forged, in the peer's name */
	bool lost;                              /* it ends half way */
	bool joined;                            /* in one segment with the arrow above */
	size_t packet;                          /* of the last one */
	int conn;
	struct buf text;
};

struct row {
	enum row_kind kind;
	int line;                               /* of the case; 0: none */
	uint32_t marks;                         /* bits of the findings that stand here, the first 32 */
	struct buf words, answer, native;       /* answer, native: of calls */
	bool open;                              /* a call is outstanding when the row ends */
	bool peer_gone;                         /* the peer has no end any more when the row ends */
	struct arrow *arrows; size_t narrows;
};

struct ladder { struct row *rows; size_t n; bool path; };       /* owned: ladder_free; safe on zero and safe twice. path: it acts */

void ladder_of(const struct evidence *e, const struct judgement *j, struct ladder *l);
void ladder_free(struct ladder *l);

/* Appends the whole SVG file of a run. */
void evidence_svg(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out);

#endif
