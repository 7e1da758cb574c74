/* pcapfile: a run as a capture file. */
#include "runner/pcapfile.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/pattern.h"
#include "runner/pcapng.h"
#include "runner/trace.h"

/* One comment for each frame; empty for one that carries nothing new. */
struct notes { const struct evidence *e; struct buf *of_frame; };

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

/* What the script had the peer do on this connection. */
static bool is_peers_step(const struct evidence *e, int conn, size_t step)
{
	return step < e->script->nsteps && e->script->steps[step].actor == ACTOR_PEER && !step_is_others(e, conn, step);
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
		if (brought[i] && is_peers_step(n->e, conn, packet_step(n->e, conn, i)))
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
	buf_printf(b, "%s%s: ", peer ? "peer" : "iut", step_is_others(n->e, conn, step) ? ", on the other connection" : "");
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
		if (d->items[i].packet < c->npackets && !(peer && is_peers_step(n->e, conn, item_step(n->e, conn, &d->items[i]))))
			note_items(n, conn, &d->items[i], end - i);
	}
}

void evidence_pcapng(const struct evidence *e, const char *comment, struct buf *out)
{
	struct notes n = { e, calloc(e->nframes + 1, sizeof(*n.of_frame)) };
	struct pcapng p = { *out };

	assert(n.of_frame);
	for (int i = 0; i < e->nconns; i++)
		note_conn(&n, i);
	pcapng_start(&p, comment);
	for (int i = 0; i < e->nconns; i++)
		if (e->conns[i].keylog.n)
			pcapng_secrets(&p, buf_bytes(&e->conns[i].keylog));
	for (size_t i = 0; i < e->nframes; i++) {
		struct bytes frame = { e->frames_data.p + e->frames[i].at, e->frames[i].len };

		pcapng_packet(&p, e->frames[i].at_ns, frame, buf_str(&n.of_frame[i]));
		buf_free(&n.of_frame[i]);
	}
	free(n.of_frame);
	*out = p.out;
}
