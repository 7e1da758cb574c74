/* intake: what the capture holds of a run. */
#include "runner/intake.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/parts.h"

static void add_mark(struct worker *w, struct capture_point at, size_t step)
{
	w->marks = reallocarray(w->marks, w->nmarks + 1, sizeof(*w->marks));
	assert(w->marks);
	w->marks[w->nmarks++] = (struct mark){ at, step };
}

void intake_mark(struct worker *w, size_t step)
{
	add_mark(w, capture_here(&w->capture), step);
}

void intake_mark_behind(struct worker *w, size_t step)
{
	add_mark(w, capture_mark(&w->capture), step);
}

struct intake { struct worker *w; size_t mark; };

static bool of_conn(const struct conn_seen *c, const struct segment *s)
{
	return (s->from_port == c->iut_port && s->to_port == c->peer_port) || (s->from_port == c->peer_port && s->to_port == c->iut_port);
}

static bool is_ours(const struct worker *w, const struct segment *s)
{
	for (int i = 0; i < w->e->nconns; i++)
		if (of_conn(&w->e->conns[i], s))
			return true;
	return false;
}

/* Nobody but the adapter is there to open one. The first tells enough. */
static void note_stranger(struct evidence *e, const struct segment *s, size_t step)
{
	if (!s->syn || s->has_ack || e->stranger)
		return;
	e->stranger = true;
	e->stranger_step = step;
}

static void take_frame(void *to, const struct captured *frame)
{
	struct intake *in = to;
	struct worker *w = in->w;
	struct evidence *e = w->e;
	struct segment s;
	size_t step;

	while (in->mark < w->nmarks && capture_behind(&w->marks[in->mark].at, frame))
		in->mark++;
	/* Before the first mark lies what the run before left behind. */
	if (in->mark == 0 || frame->marker || !segment_parse(frame->data, &s))
		return;
	step = in->mark < w->nmarks ? w->marks[in->mark].step : e->script->nsteps;
	if (!is_ours(w, &s)) {
		note_stranger(e, &s, step);
		return;
	}
	if (e->nframes % 64 == 0) {
		e->frames = reallocarray(e->frames, e->nframes + 64, sizeof(*e->frames));
		assert(e->frames);
	}
	e->frames[e->nframes++] = (struct frame){ frame->at_ns, e->frames_data.n, frame->data.n, step };
	buf_add_bytes(&e->frames_data, frame->data);
}

/* The stream goes on where the connection before left it. */
static void continue_stream(struct stream *st, const struct stream *before)
{
	st->port[0] = before->port[0];
	st->port[1] = before->port[1];
	st->npackets = 1;               /* which side is which is known */
	for (int d = 0; d < 2; d++) {
		st->dir[d].seen_syn = true;
		st->dir[d].isn = before->dir[d].isn + (uint32_t)before->dir[d].data.n;
	}
}

static void build_conn(struct evidence *e, int index)
{
	struct conn_seen *c = &e->conns[index];

	if (c->continues)
		continue_stream(&c->stream, &e->conns[index - 1].stream);
	for (size_t i = 0; i < e->nframes; i++) {
		struct segment s;
		struct bytes data = { e->frames_data.p + e->frames[i].at, e->frames[i].len };

		if (e->frames[i].step > c->until_step || e->frames[i].step < c->from_step || !segment_parse(data, &s) || !of_conn(c, &s))
			continue;
		stream_add(&c->stream, &s, c->npackets);
		c->packet_frame = reallocarray(c->packet_frame, c->npackets + 1, sizeof(*c->packet_frame));
		assert(c->packet_frame);
		c->packet_frame[c->npackets++] = i;
	}
	/* It reset first: its kernel took nothing more, and ours has nothing to end any more. */
	c->undelivered |= c->stream.dir[iut_dir(e->variant)].rst;
	decode_stream(&c->stream, &c->secrets, &c->decoded);
}

bool intake_read(struct worker *w, struct fault *f)
{
	struct intake in = { w, 0 };

	if (!capture_read(&w->capture, w->marks[w->nmarks - 1].at, take_frame, &in, f))
		return false;
	part_begin(PART_DECODE);
	for (int i = 0; i < w->e->nconns; i++)
		build_conn(w->e, i);
	return true;
}
