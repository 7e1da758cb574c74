/* peerstep: a script's peer line, done by the peer. */
#include "runner/peerstep.h"

#include "runner/wait.h"

static struct shape shape_of(const struct mods *m)
{
	static const int keys[] = { [KEYS_USUAL] = FLOW_NOW, [KEYS_NONE] = FLOW_CLEAR, [KEYS_HANDSHAKE] = FLOW_HANDSHAKE,
	                            [KEYS_OLD] = FLOW_OLD, [KEYS_NEXT] = FLOW_NEXT, [KEYS_EARLY] = FLOW_EARLY };

	return (struct shape){ .keys = keys[m->keys < 0 ? KEYS_USUAL : m->keys], .corrupt = m->corrupt, .corrupt_header = m->corrupt_header,
	                       .fragmented = m->fragmented, .pad = m->pad > 0 ? (size_t)m->pad : 0, .has_cut = m->has_cut, .cut = m->cut };
}

static void write_step(struct peer *p, const struct step *st, const struct shape *sh)
{
	struct buf pattern = { 0 };

	if (st->mods.empty || (st->text.p && st->text.n == 0)) {
		peer_record(p, TYPE_DATA, (struct bytes){ NULL, 0 }, sh);
		return;
	}
	if (!st->text.p)
		buf_pattern(&pattern, (size_t)st->n);
	peer_data(p, st->text.p ? st->text : buf_bytes(&pattern), sh);
	buf_free(&pattern);
}

static void alert_step(struct peer *p, const struct step *st, unsigned code, unsigned usual, const struct shape *sh)
{
	unsigned level = st->mods.level >= 0 ? (unsigned)st->mods.level : usual;

	if (st->mods.empty)
		peer_record(p, TYPE_ALERT, (struct bytes){ NULL, 0 }, sh);
	else
		peer_alert(p, level, code, sh);
}

static bool ticket_step(struct peer *p, const struct shape *sh, struct fault *f)
{
	return peer_ticket(p, sh) || fault_machine(f,
	                                           "the peer has no ticket to send: it is no 1.3 server, or the handshake is not complete");
}

static bool handshake_part(struct worker *w, const struct step *st)
{
	w->live->begun = true;
	w->live->peer.holding = st->joined;
	peer_handshake_to(&w->live->peer, st->code == -2 ? PEER_TO_NOTHING : st->code < 0 ? PEER_TO_END : st->code);
	if (w->adapter)                         /* by hand there is none, and the pump goes on by itself */
		wait_handshake(w);
	return true;
}

/* Without a packet of their own: nothing is composed for these. */
static bool quiet_step(struct worker *w, const struct step *st, struct fault *f)
{
	struct peer *p = &w->live->peer;

	switch ((enum peer_verb)st->verb) {
	case PEER_RST:
		peer_rst(p);
		return true;
	case PEER_CLOSE:
		live_seen(w)->closed = true;    /* FIN or RST, as the kernel sees fit */
		peer_close(p);
		return true;
	case PEER_VANISH:
		w->live->path_broken = true;
		return peer_vanish(p) || fault_machine(f, "cannot take the peer's socket out of the world (TCP_REPAIR, SO_ATTACH_FILTER):");
	case PEER_FORGET:
		w->live->path_broken = true;
		return peer_forget(p) || fault_machine(f, "cannot take the peer's socket out of the world (TCP_REPAIR):");
	case PEER_STOP_READING:
	case PEER_START_READING:
		p->reading = st->verb == PEER_START_READING;
		return true;
	case PEER_WINDOW:
		return peer_window(p, (int)st->n) || fault_machine(f, "cannot set the peer's receive buffer:");
	case PEER_HANDSHAKE:
		return handshake_part(w, st);
	default:
		return true;
	}
}

static bool compose(struct worker *w, const struct step *st, bool *composed, struct fault *f)
{
	struct shape sh = shape_of(&st->mods);
	struct peer *p = &w->live->peer;

	*composed = true;
	switch ((enum peer_verb)st->verb) {
	case PEER_WRITE:
		write_step(p, st, &sh);
		return true;
	case PEER_CLOSE_NOTIFY:
		alert_step(p, st, ALERT_CLOSE_NOTIFY, ALERT_WARNING, &sh);
		return true;
	case PEER_ALERT:
		alert_step(p, st, (unsigned)st->code, ALERT_FATAL, &sh);
		return true;
	case PEER_KEY_UPDATE:
		peer_key_update(p, st->code == 1, &sh);
		return true;
	case PEER_TICKET:
		return ticket_step(p, &sh, f);
	case PEER_RECORD:
		peer_record(p, (unsigned)st->code, st->mods.empty ? (struct bytes){ NULL, 0 } : st->text, &sh);
		return true;
	case PEER_RAW:
		peer_raw(p, st->text);
		return true;
	case PEER_AGAIN:
		peer_again(p);
		return true;
	case PEER_REPLAY:
		peer_replay(p);
		return true;
	case PEER_REST:
		peer_rest(p, st->n);
		return true;
	case PEER_FIN:
		peer_fin(p);
		return true;
	case PEER_RST:
	case PEER_CLOSE:
	case PEER_VANISH:
	case PEER_FORGET:
	case PEER_STOP_READING:
	case PEER_START_READING:
	case PEER_WINDOW:
	case PEER_HANDSHAKE:
		*composed = false;
		return true;
	}
	return true;
}

bool peer_step(struct worker *w, const struct step *st, struct fault *f)
{
	const struct script *s = w->e->script;
	bool composed, in_group = st > s->steps && st[-1].actor == ACTOR_PEER && st[-1].joined;

	if (!compose(w, st, &composed, f))
		return false;
	if (composed && st->joined) {
		const struct step *next = st + 1;

		/* A reset goes behind what was sent plainly, without waiting for it: there is no segment to share. */
		if (next < s->steps + s->nsteps && (next->verb == PEER_RST || next->verb == PEER_CLOSE))
			peer_send(&w->live->peer, in_group);
		return true;
	}
	if (composed) {
		peer_send(&w->live->peer, in_group);
		return true;
	}
	return quiet_step(w, st, f);
}
