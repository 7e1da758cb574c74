/* textfile: the packets that matter of a run as text. */
#include "runner/textfile.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/endpoints.h"
#include "runner/notes.h"
#include "runner/pattern.h"
#include "runner/trace.h"

enum { ITEMS_COLUMNS = 36 };

/* The items that this frame completed; the caller frees them. */
static struct item *frame_items(const struct evidence *e, size_t frame, size_t *n)
{
	struct item *items = NULL;

	*n = 0;
	for (int c = 0; c < e->nconns; c++)
		for (size_t i = 0; i < e->conns[c].decoded.n; i++) {
			const struct seen_item *it = &e->conns[c].decoded.items[i];

			if (it->packet >= e->conns[c].npackets || e->conns[c].packet_frame[it->packet] != frame)
				continue;
			items = reallocarray(items, *n + 1, sizeof(*items));
			assert(items);
			items[(*n)++] = it->item;
		}
	return items;
}

/* A segment that only brought a part of a record completes nothing. */
static void frame_print(struct buf *out, const struct evidence *e, size_t frame)
{
	size_t n;
	struct item *items = frame_items(e, frame, &n);

	if (n)
		items_print(out, items, n);
	else
		buf_printf(out, "(part of a record)");
	free(items);
}

/* The line of the case during which it left. */
static void step_print(struct buf *out, const struct evidence *e, size_t frame)
{
	size_t step = e->frames[frame].step;

	if (step < e->script->nsteps) {
		buf_printf(out, "line %d: ", e->script->steps[step].at.line);
		trace_words(out, e->script, step);
	} else {
		buf_printf(out, "after the last line");
	}
}

void evidence_text(const struct evidence *e, struct buf *out)
{
	struct buf items = { 0 };
	struct notes n;
	size_t number = 0;

	notes_make(&n, e);
	for (size_t i = 0; i < e->nframes; i++) {
		if (!n.of_frame[i].n)
			continue;
		items.n = 0;
		frame_print(&items, e, i);
		buf_printf(out, "%3zu  %s  %-*s  ", ++number, endpoints_from_peer(e, i) ? "peer > iut " : "iut  > peer", ITEMS_COLUMNS,
		           buf_str(&items));
		step_print(out, e, i);
		buf_printf(out, "\n");
	}
	buf_free(&items);
	notes_free(&n);
}
