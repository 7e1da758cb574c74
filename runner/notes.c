/* notes: what a capture's comments say. */
#include "runner/notes.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/pattern.h"
#include "runner/trace.h"

/* `case line 12: `; behind the last line there is no line. */
static struct buf *note_start(struct notes *n, int conn, size_t packet)
{
	size_t step = packet_step(n->e, conn, packet);
	struct buf *b = &n->of_frame[n->e->conns[conn].packet_frame[packet]];

	if (b->n)
		buf_printf(b, "; ");
	if (step < n->e->script->nsteps)
		buf_printf(b, "case line %d: ", n->e->script->steps[step].at.line);
	else
		buf_printf(b, "after the last line: ");
	return b;
}

static bool is_peers_step(const struct evidence *e, size_t step)
{
	return step < e->script->nsteps && e->script->steps[step].actor == ACTOR_PEER;
}

/* What the script has the peer send is told in the script's words, on every packet that brought some of it: a record that is cut
 * short is no item yet. */
static void note_peer(struct notes *n, int conn)
{
	const struct conn_seen *c = &n->e->conns[conn];
	const struct direction *d = &c->stream.dir[!iut_dir(n->e->variant)];
	bool *brought = calloc(c->npackets + 1, sizeof(*brought));

	assert(brought);
	for (size_t i = 0; i < d->npieces; i++)
		if (d->pieces[i].packet < c->npackets)
			brought[d->pieces[i].packet] = true;
	if (d->fin && d->fin_packet < c->npackets)
		brought[d->fin_packet] = true;
	if (d->rst && d->rst_packet < c->npackets)
		brought[d->rst_packet] = true;
	for (size_t i = 0; i < c->npackets; i++)
		if (brought[i] && is_peers_step(n->e, packet_step(n->e, conn, i)))
			trace_words(note_start(n, conn, i), n->e->script, packet_step(n->e, conn, i));
	free(brought);
}

/* All else in the words of the wire, and with the line during which it left. */
static void note_items(struct notes *n, int conn, const struct seen_item *first, size_t count)
{
	size_t step = item_step(n->e, conn, first);
	bool peer = first->dir != iut_dir(n->e->variant);
	struct item *items = calloc(count, sizeof(*items));
	struct buf *b;

	assert(items);
	for (size_t i = 0; i < count; i++)
		items[i] = first[i].item;
	b = note_start(n, conn, first->packet);
	buf_printf(b, "%s: ", peer ? "peer" : "iut");
	items_print(b, items, count);
	if (step < n->e->script->nsteps) {
		buf_printf(b, ", during `");
		trace_words(b, n->e->script, step);
		buf_printf(b, "`");
	}
	free(items);
}

static void note_conn(struct notes *n, int conn)
{
	const struct conn_seen *c = &n->e->conns[conn];
	const struct decoded *d = &c->decoded;
	size_t end;

	note_peer(n, conn);
	for (size_t i = 0; i < d->n; i = end) {
		bool peer = d->items[i].dir != iut_dir(n->e->variant);

		for (end = i + 1; end < d->n && d->items[end].packet == d->items[i].packet; end++)
			;
		if (d->items[i].packet < c->npackets && !(peer && is_peers_step(n->e, item_step(n->e, conn, &d->items[i]))))
			note_items(n, conn, &d->items[i], end - i);
	}
}

void notes_make(struct notes *n, const struct evidence *e)
{
	*n = (struct notes){ e, calloc(e->nframes + 1, sizeof(*n->of_frame)) };
	assert(n->of_frame);
	for (int i = 0; i < e->nconns; i++)
		note_conn(n, i);
}

void notes_free(struct notes *n)
{
	for (size_t i = 0; n->of_frame && i < n->e->nframes; i++)
		buf_free(&n->of_frame[i]);
	free(n->of_frame);
	*n = (struct notes){ 0 };
}
