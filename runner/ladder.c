/* ladder: a run as the rows of a sequence diagram. */
#include "runner/ladder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/trace.h"

/* What the path does between two steps. */
struct maker { const struct evidence *e; const struct judgement *j; struct ladder *l; bool cut, losing, gone, open; };

void ladder_free(struct ladder *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct row *r = &l->rows[i];

		for (size_t a = 0; a < r->narrows; a++)
			buf_free(&r->arrows[a].text);
		free(r->arrows);
		buf_free(&r->words);
		buf_free(&r->answer);
		buf_free(&r->native);
	}
	free(l->rows);
	*l = (struct ladder){ 0 };
}

static struct row *row_add(struct maker *m, enum row_kind kind, int line)
{
	struct ladder *l = m->l;

	l->rows = reallocarray(l->rows, l->n + 1, sizeof(*l->rows));
	assert(l->rows);
	l->rows[l->n] = (struct row){ .kind = kind, .line = line };
	return &l->rows[l->n++];
}

/* --- arrows ------------------------------------------------------------------------------------------------------------ */

static enum arrow_kind arrow_kind_of(const struct item *it)
{
	switch (it->kind) {
	case ITEM_DATA:
		return ARROW_DATA;
	case ITEM_ALERT:
		return it->code == 0 && !it->malformed ? ARROW_NOTIFY : ARROW_ALERT;
	case ITEM_KEY_UPDATE:
		return ARROW_KEYS;
	case ITEM_TICKET:
	case ITEM_HANDSHAKE:
	case ITEM_CCS:
		return ARROW_HANDSHAKE;
	case ITEM_RAW:
	case ITEM_UNOPENED:
	case ITEM_PARTIAL:
		return ARROW_ODD;
	case ITEM_FIN:
		return ARROW_FIN;
	case ITEM_RST:
		return ARROW_RST;
	}
	abort();
}

static struct arrow *arrow_add(struct row *r, enum arrow_kind kind)
{
	r->arrows = reallocarray(r->arrows, r->narrows + 1, sizeof(*r->arrows));
	assert(r->arrows);
	r->arrows[r->narrows] = (struct arrow){ .kind = kind, .count = 1 };
	return &r->arrows[r->narrows++];
}

static bool is_bulk(enum item_kind kind)
{
	return kind == ITEM_DATA || kind == ITEM_RAW;
}

static bool is_message(const struct item *it)
{
	return it->kind == ITEM_HANDSHAKE || it->kind == ITEM_CCS;
}

/* Data in a row are one arrow, so are messages of one flight, and things that are the same. */
static bool goes_with(const struct arrow *a, const struct item *it)
{
	if (a->first.keys != it->keys)
		return false;
	if (is_message(&a->first) && is_message(it))
		return true;
	return a->first.kind == it->kind &&
	       (is_bulk(it->kind) || (a->first.code == it->code && a->first.level == it->level && a->first.malformed == it->malformed));
}

/* In a list of messages `handshake` stands once. */
static void message_print(struct buf *out, const struct item *it)
{
	static const char word[] = "handshake ";
	struct buf b = { 0 };
	struct bytes text, skip;

	item_print(&b, it);
	text = buf_bytes(&b);
	if (text.n > sizeof(word) - 1 && memcmp(text.p, word, sizeof(word) - 1) == 0)
		bytes_take(&text, sizeof(word) - 1, &skip);
	buf_add_bytes(out, text);
	buf_free(&b);
}

static void arrow_grow(struct arrow *a, const struct item *it)
{
	a->count++;
	a->first.len += is_bulk(it->kind) ? it->len : 0;
	if (is_message(it)) {
		buf_printf(&a->text, ", ");
		message_print(&a->text, it);
		return;
	}
	a->text.n = 0;
	item_print(&a->text, &a->first);
	if (!is_bulk(it->kind))
		buf_printf(&a->text, " x %lld", (long long)a->count);
}

static bool is_forged(const struct maker *m, size_t step)
{
	const struct step *st = &m->e->script->steps[step];

	return step < m->e->script->nsteps && st->actor == ACTOR_PATH && st->verb <= PATH_FORGE_ACK;
}

/* A segment with FIN passes where only data are lost. */
static bool is_lost(const struct maker *m, const struct item *it, bool from_peer)
{
	return m->cut || (m->gone && !from_peer) || (m->losing && from_peer && it->kind != ITEM_FIN);
}

static void add_item(struct maker *m, struct row *r, size_t step, int conn, const struct seen_item *it)
{
	bool from_peer = it->dir != iut_dir(m->e->variant);
	struct arrow *last = r->narrows ? &r->arrows[r->narrows - 1] : NULL, *a;
	bool follows = last && last->from_peer == from_peer && last->conn == conn;

	if (follows && goes_with(last, &it->item)) {
		arrow_grow(last, &it->item);
		last->packet = it->packet;
		return;
	}
	follows = follows && last->packet == it->packet;
	a = arrow_add(r, arrow_kind_of(&it->item));
	a->first = it->item;
	a->from_peer = from_peer;
	a->from_path = from_peer && is_forged(m, step);
	a->lost = is_lost(m, &it->item, from_peer);
	a->joined = follows;
	a->packet = it->packet;
	a->conn = conn;
	if (a->from_path)
		buf_printf(&a->text, "forged ");
	item_print(&a->text, &it->item);
}

static void add_items(struct maker *m, size_t step)
{
	bool whole = step < m->e->script->nsteps && m->e->script->steps[step].actor == ACTOR_HANDSHAKE;

	for (int c = 0; c < m->e->nconns; c++) {
		const struct decoded *d = &m->e->conns[c].decoded;

		for (size_t i = 0; i < d->n; i++) {
			if (item_step(m->e, c, &d->items[i]) != step || (whole && is_message(&d->items[i].item)))
				continue;
			if (!m->l->n || (step == m->e->script->nsteps && m->l->rows[m->l->n - 1].kind != ROW_END))
				row_add(m, ROW_END, 0);
			add_item(m, &m->l->rows[m->l->n - 1], step, c, &d->items[i]);
		}
	}
}

/* What the path sent and the stream does not show: it counts for nothing there, or is no TCP. */
static void add_injected(struct row *r, const struct step *st)
{
	static const char *const flags[] = { [PATH_FORGE_FIN] = "fin", [PATH_FORGE_RST] = "rst", [PATH_FORGE_SYN] = "syn", [PATH_FORGE_ACK] = "ack" };
	struct arrow *a;

	if (st->actor != ACTOR_PATH || (st->verb > PATH_FORGE_ACK && st->verb != PATH_ICMP))
		return;
	for (size_t i = 0; i < r->narrows; i++)
		if (r->arrows[i].from_path)
			return;
	/* What answers it stands below it. */
	a = arrow_add(r, ARROW_ODD);
	for (; a > r->arrows; a--)
		a[0] = a[-1];
	*a = (struct arrow){ .kind = st->verb == PATH_FORGE_FIN ? ARROW_FIN : st->verb == PATH_FORGE_RST ? ARROW_RST : ARROW_ODD,
		             .count = 1, .from_peer = true, .from_path = true };
	if (st->verb == PATH_ICMP)
		buf_printf(&a->text, "icmp");
	else
		buf_printf(&a->text, "forged %s", flags[st->verb]);
}

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static bool has_line(const struct step *st, int line)
{
	bool has = st->at.line == line;

	for (size_t i = 0; i < st->nchecks; i++)
		has |= st->checks[i].at.line == line;
	return has;
}

static uint32_t marks_of(const struct maker *m, const struct step *st)
{
	uint32_t marks = 0;

	for (size_t i = 0; i < m->j->n && i < 32; i++)
		if (has_line(st, m->j->findings[i].at.line))
			marks |= 1u << i;
	return marks;
}

/* Behind the actor, which the column tells. */
static void words_without_actor(struct buf *out, struct bytes words)
{
	struct bytes skip;

	for (size_t i = 0; i < words.n; i++)
		if (words.p[i] == ' ') {
			bytes_take(&words, i + 1, &skip);
			break;
		}
	buf_add_bytes(out, words);
}

static void call_row(struct maker *m, const struct step *st, const struct step_seen *seen)
{
	struct row *r = row_add(m, st->actor == ACTOR_HANDSHAKE ? ROW_HANDSHAKE : ROW_CALL, st->at.line);

	if (st->actor == ACTOR_HANDSHAKE)
		buf_add_bytes(&r->words, st->words);
	else
		words_without_actor(&r->words, st->words);
	if (seen->answered) {
		answer_print(&r->answer, &seen->answer);
		buf_add_bytes(&r->native, buf_bytes(&seen->answer.native));
	} else if (st->outstanding) {
		buf_printf(&r->words, " &");
	}
	m->open = !seen->answered || seen->answer.outcome == OUTCOME_BLOCKED;
}

static void peer_row(struct maker *m, size_t step)
{
	const struct script *s = m->e->script;
	struct buf words = { 0 };

	if (step > 0 && s->steps[step - 1].joined)
		return;                 /* it left with the first of its group, and is told there */
	trace_words(&words, s, step);
	words_without_actor(&row_add(m, ROW_PEER, s->steps[step].at.line)->words, buf_bytes(&words));
	m->gone |= s->steps[step].verb == PEER_VANISH;
	buf_free(&words);
}

static void path_row(struct maker *m, const struct step *st)
{
	buf_add_bytes(&row_add(m, ROW_PATH, st->at.line)->words, st->words);
	m->l->path = true;
	m->cut = (m->cut || st->verb == PATH_CUT) && st->verb != PATH_MEND;
	m->losing = (m->losing || st->verb == PATH_LOSE_DATA) && st->verb != PATH_MEND;
}

static void tcp_row(struct maker *m, const struct step *st, const struct step_seen *seen)
{
	struct row *r;

	if (!tcp_state_word(seen->tcp_state))
		return;
	r = row_add(m, st->verb == 1 ? ROW_PEER : ROW_SOCKET, st->at.line);
	buf_printf(&r->words, "tcp");
	buf_printf(&r->answer, "%s", tcp_state_word(seen->tcp_state));
}

/* What it compared stands above already: it is there to carry the mark, and tells what was seen. */
static void check_row(struct maker *m, const struct step *st)
{
	for (size_t i = 0; i < m->j->n; i++)
		if (has_line(st, m->j->findings[i].at.line)) {
			buf_printf(&row_add(m, ROW_CHECK, st->at.line)->words, "%s", m->j->findings[i].observed);
			return;
		}
}

static void add_row(struct maker *m, size_t step)
{
	const struct step *st = &m->e->script->steps[step];
	size_t before = m->l->n;

	switch (st->actor) {
	case ACTOR_HANDSHAKE:
	case ACTOR_IUT:
		call_row(m, st, &m->e->steps[step]);
		break;
	case ACTOR_PEER:
		peer_row(m, step);
		break;
	case ACTOR_FD:
		buf_add_bytes(&row_add(m, ROW_SOCKET, st->at.line)->words, st->words);
		break;
	case ACTOR_PATH:
		path_row(m, st);
		break;
	case ACTOR_TCP:
		tcp_row(m, st, &m->e->steps[step]);
		break;
	case ACTOR_WIRE:
		check_row(m, st);
		break;
	}
	if (m->l->n > before || (m->l->n && st->actor == ACTOR_PEER))
		m->l->rows[m->l->n - 1].marks |= marks_of(m, st);
}

void ladder_of(const struct evidence *e, const struct judgement *j, struct ladder *l)
{
	struct maker m = { .e = e, .j = j, .l = l };

	*l = (struct ladder){ 0 };
	for (size_t i = 0; i <= e->script->nsteps; i++) {
		if (i < e->script->nsteps && e->steps[i].ran)
			add_row(&m, i);
		add_items(&m, i);
		if (!l->n)
			continue;
		if (i < e->script->nsteps && e->steps[i].ran)
			add_injected(&l->rows[l->n - 1], &e->script->steps[i]);
		l->rows[l->n - 1].open = m.open;
		l->rows[l->n - 1].peer_gone = m.gone;
	}
}
