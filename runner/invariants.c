/* invariants: the rules that hold in every run. */
#include "runner/invariants.h"

#include <string.h>

#include "peer/record.h"

struct scan {                                   /* one connection's items while a rule reads them */
	const struct evidence *e;
	int conn;
	invariant_broken *tell;
	void *to;
};

static const struct conn_seen *conn_of(const struct scan *s)
{
	return &s->e->conns[s->conn];
}

static void tell_item(const struct scan *s, const char *rule, const char *allowed, const struct seen_item *it, const char *note)
{
	struct buf text = { 0 };

	buf_printf(&text, "wire iut -> ");
	item_print(&text, &it->item);
	buf_printf(&text, "%s", note);
	s->tell(s->to, rule, item_step(s->e, s->conn, it), allowed, buf_str(&text));
	buf_free(&text);
}

static bool from_iut(const struct scan *s, const struct seen_item *it)
{
	return it->dir == iut_dir(s->e->variant);
}

static bool is_notify(const struct seen_item *it)
{
	return it->item.kind == ITEM_ALERT && !it->item.malformed && it->item.code == ALERT_CLOSE_NOTIFY;
}

static bool is_error_alert(const struct scan *s, const struct seen_item *it)
{
	return item_is_error_alert(&it->item, variant_13(s->e->variant));
}

static bool is_record(const struct seen_item *it)
{
	return it->item.kind != ITEM_FIN && it->item.kind != ITEM_RST && it->item.kind != ITEM_RAW;
}

/* --- what the IUT sent ------------------------------------------------------------------------------------------------- */

static void notify_once(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;
	unsigned n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (from_iut(s, &d->items[i]) && is_notify(&d->items[i]) && ++n == 2)
			tell_item(s, "notify-once", "one close_notify", &d->items[i], ", a second one");
}

static void nothing_after_notify(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;
	bool notified = false;

	for (size_t i = 0; i < d->n; i++) {
		const struct seen_item *it = &d->items[i];

		if (!from_iut(s, it) || !is_record(it))
			continue;
		if (notified && !is_notify(it)) {
			tell_item(s, "nothing-after-notify", "no record behind close_notify", it, " behind close_notify");
			return;
		}
		notified |= is_notify(it);
	}
}

/* The step at which the IUT's own API told of the peer's error alert; after it nothing may leave.
 * Before it the alert may still be unread. */
static size_t alert_told(const struct scan *s)
{
	for (size_t i = 0; i < s->e->script->nsteps; i++) {
		const struct step_seen *st = &s->e->steps[i];

		if (step_answered(s->e, s->conn, i) && st->answer.outcome == OUTCOME_ALERT &&
		    st->answer.alert != ALERT_CLOSE_NOTIFY && st->answer.alert != ALERT_USER_CANCELED)
			return i;
	}
	return SIZE_MAX;
}

static bool peer_sent_error_alert(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;

	for (size_t i = 0; i < d->n; i++)
		if (!from_iut(s, &d->items[i]) && is_error_alert(s, &d->items[i]))
			return true;
	return false;
}

static void nothing_after_fatal(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;
	size_t told = peer_sent_error_alert(s) ? alert_told(s) : SIZE_MAX;
	bool sent = false;

	for (size_t i = 0; i < d->n; i++) {
		const struct seen_item *it = &d->items[i];
		bool late = sent || (told != SIZE_MAX && item_step(s->e, s->conn, it) > told);

		if (!from_iut(s, it) || !is_record(it))
			continue;
		/* A close_notify after the peer's fatal alert is for the cases to weigh: 1.2 says nothing of it. */
		if (late && (it->item.kind == ITEM_DATA || it->item.kind == ITEM_HANDSHAKE || it->item.kind == ITEM_TICKET ||
		             it->item.kind == ITEM_KEY_UPDATE || (sent && it->item.kind == ITEM_ALERT))) {
			tell_item(s, "nothing-after-fatal", "no record behind an error alert", it,
			          sent ? " behind its own error alert" : " after the peer's error alert");
			return;
		}
		sent |= is_error_alert(s, it);
	}
}

/* Did something go wrong on this connection before the step, by what the API said? Then how it ends is the error's affair. */
static bool failed_by(const struct scan *s, size_t step)
{
	for (size_t i = 0; i <= step && i < s->e->script->nsteps; i++) {
		enum outcome o = s->e->steps[i].answer.outcome;

		if (step_answered(s->e, s->conn, i) && (outcome_tells_error(o) || o == OUTCOME_CRASH || o == OUTCOME_SPINS))
			return true;
	}
	return false;
}

/* A library with a loop of its own ends the connection when something comes, and not in a call: what it met is told by the next one. */
static size_t told_at(const struct scan *s, size_t step)
{
	const struct script *script = s->e->script;

	for (size_t i = step; i < script->nsteps; i++)
		if (script->steps[i].actor == ACTOR_IUT && step_answered(s->e, s->conn, i))
			return i;
	return step;
}

static bool closed_from_outside(const struct scan *s, size_t step)
{
	for (size_t i = 0; i <= step && i < s->e->script->nsteps; i++) {
		const struct step *st = &s->e->script->steps[i];

		if (!s->e->steps[i].ran || s->e->steps[i].conn != s->conn)
			continue;
		if ((st->actor == ACTOR_IUT && st->verb == IUT_ABANDON) || (st->actor == ACTOR_PATH) ||
		    (st->actor == ACTOR_FD && (st->verb == FD_SHUTDOWN_WRITE || st->verb == FD_SHUTDOWN_BOTH)))
			return true;
	}
	return false;
}

/* A close_notify of the peer at level fatal may be taken for an error alert as well. */
static bool is_fatal(const struct seen_item *it)
{
	return it->item.kind == ITEM_ALERT && !it->item.malformed && it->item.level == ALERT_FATAL;
}

static void notify_before_fin(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;
	bool excused = !conn_of(s)->handshaken;

	for (size_t i = 0; i < d->n && !excused; i++) {
		const struct seen_item *it = &d->items[i];
		size_t step = item_step(s->e, s->conn, it);

		/* A renegotiation that never ends leaves the IUT inside a handshake (1.2). */
		if (from_iut(s, it) && it->item.kind == ITEM_HANDSHAKE && !it->in_handshake && !variant_13(s->e->variant))
			excused = true;
		if (it->item.kind == ITEM_RST || (from_iut(s, it) && is_notify(it)) || is_error_alert(s, it) ||
		    (!from_iut(s, it) && is_fatal(it)))
			excused = true;
		if (from_iut(s, it) && it->item.kind == ITEM_FIN && !excused && !failed_by(s, told_at(s, step)) &&
		    !closed_from_outside(s, step)) {
			tell_item(s, "notify-before-fin", "close_notify before fin", it, " without close_notify before it");
			return;
		}
	}
}

static void notify_whole(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;

	for (size_t i = 0; i < d->n; i++) {
		const struct seen_item *it = &d->items[i];

		if (!from_iut(s, it))
			continue;
		if (is_notify(it) && (it->item.keys != KEYS_USUAL || it->item.level != ALERT_WARNING))
			tell_item(s, "notify-whole", "close_notify at level warning, under the keys in force", it, "");
		else if (it->item.kind == ITEM_ALERT && it->item.malformed)
			tell_item(s, "notify-whole", "an alert record of two bytes", it, "");
	}
}

static bool writes_plain(const struct scan *s)
{
	for (size_t i = 0; i < s->e->script->nsteps; i++) {
		const struct step *st = &s->e->script->steps[i];

		if (s->e->steps[i].ran && s->e->steps[i].conn == s->conn && st->actor == ACTOR_IUT && st->verb == IUT_PLAIN_WRITE)
			return true;
	}
	return false;
}

/* Bytes that its application wrote, as they are: what no key opened, and what calls itself data before there are keys. */
static bool shows_written(const struct scan *s, const struct seen_item *it)
{
	const struct conn_seen *c = conn_of(s);
	const struct buf *sent = &c->stream.dir[it->dir].data;
	size_t at = it->item.kind == ITEM_RAW ? it->at : it->at + RECORD_HEAD;

	if (it->item.kind != ITEM_UNOPENED && it->item.kind != ITEM_RAW && !(it->item.kind == ITEM_DATA && it->in_handshake))
		return false;
	if (it->item.kind == ITEM_RAW && writes_plain(s))
		return false;           /* a `plain write` of the script is no leak */
	return at < it->end && it->end <= sent->n && c->written.n && memmem(c->written.p, c->written.n, sent->p + at, it->end - at);
}

/* What its application wrote, or an alert, seen without protection. */
static void nothing_in_clear(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;

	for (size_t i = 0; i < d->n; i++) {
		const struct seen_item *it = &d->items[i];

		if (!from_iut(s, it))
			continue;
		if (shows_written(s, it)) {
			tell_item(s, "nothing-in-clear", "every record under the connection's keys", it,
			          ", the bytes that write was given");
			return;
		}
		if (it->item.keys == KEYS_NONE && (it->item.kind == ITEM_DATA || it->item.kind == ITEM_ALERT)) {
			tell_item(s, "nothing-in-clear", "every record under the connection's keys", it, "");
			return;
		}
	}
}

/* --- what the API said ------------------------------------------------------------------------------------------------- */

static void tell_step(const struct scan *s, const char *rule, size_t i, const char *allowed, const char *note)
{
	const struct step *st = &s->e->script->steps[i];
	struct buf text = { 0 };

	buf_printf(&text, "%.*s -> ", (int)st->words.n, (const char *)st->words.p);
	answer_print(&text, &s->e->steps[i].answer);
	buf_printf(&text, "%s", note);
	s->tell(s->to, rule, i, allowed, buf_str(&text));
	buf_free(&text);
}

static bool notified_by(const struct scan *s, int dir, size_t step)
{
	const struct conn_seen *c = conn_of(s);

	return c->decoded.notified[dir] && packet_step(s->e, s->conn, c->decoded.notify_packet[dir]) <= step;
}

/* The call that an `await` collects: the nearest before it that had not come back. */
static const struct step *awaited(const struct scan *s, size_t i)
{
	const struct step *await = &s->e->script->steps[i];

	while (i-- > 0) {
		const struct step *st = &s->e->script->steps[i];
		const struct step_seen *seen = &s->e->steps[i];

		if (seen->ran && seen->conn == s->conn && st->actor == ACTOR_IUT && st->verb != IUT_AWAIT &&
		    (!seen->answered || seen->answer.outcome == OUTCOME_BLOCKED))
			return st;
	}
	return await;
}

static bool is_read(const struct scan *s, size_t i)
{
	const struct step *st = &s->e->script->steps[i];

	if (st->verb == IUT_AWAIT)
		st = awaited(s, i);
	return iut_reads(st->verb);
}

static void api_rules(const struct scan *s)
{
	int iut = iut_dir(s->e->variant);
	bool ended = false;

	for (size_t i = 0; i < s->e->script->nsteps; i++) {
		const struct step_seen *st = &s->e->steps[i];

		if (!st->ran || !st->answered || st->conn != s->conn)
			continue;
		/* Of a write `closed` only says that nothing can be sent; of a later read, that it was told before. */
		if (st->answer.outcome == OUTCOME_CLOSED && s->e->script->steps[i].actor == ACTOR_IUT && is_read(s, i) &&
		    !notified_by(s, !iut, i) && !ended) {
			ended = true;
			tell_step(s, "closed-means-notified", i, "closed only after the peer's close_notify",
			          ", but no close_notify of the peer had come");
		}
		if (st->answer.outcome == OUTCOME_COMPLETE && !(notified_by(s, !iut, i) && notified_by(s, iut, i)))
			tell_step(s, "complete-means-both", i, "complete only after both close_notify",
			          notified_by(s, !iut, i) ? ", but its own close_notify is not on the wire"
			                                  : ", but no close_notify of the peer had come");
		if (st->answer.outcome == OUTCOME_CRASH)
			tell_step(s, "no-crash", i, "the process lives on", "");
		if (st->answer.outcome == OUTCOME_SPINS)
			tell_step(s, "no-spin", i, "an answer, or to wait without using the processor", "");
	}
}

static size_t last_step(const struct scan *s)
{
	return s->e->ended_at < s->e->script->nsteps ? s->e->ended_at : s->e->script->nsteps - 1;
}

static bool starts_with(struct bytes whole, struct bytes part)
{
	return part.n <= whole.n && (part.n == 0 || memcmp(whole.p, part.p, part.n) == 0);
}

/* What the peer sealed for the IUT to read. Early data that the server did not take is nothing that it lost (RFC 8446 4.2.10). */
static struct bytes sealed_for_iut(const struct scan *s)
{
	const struct decoded *d = &conn_of(s)->decoded;
	int peer = !iut_dir(s->e->variant);
	struct bytes all = buf_bytes(&d->plain[peer]), early;

	if (peer == 0 && !d->early_accepted)
		bytes_take(&all, d->early, &early);
	return all;
}

/* Somebody shut the read side down from outside: the kernel says end of file, whatever comes after that. */
static bool reading_shut(const struct scan *s, size_t step)
{
	for (size_t i = 0; i < step; i++) {
		const struct step *st = &s->e->script->steps[i];

		if (s->e->steps[i].ran && s->e->steps[i].conn == s->conn && st->actor == ACTOR_FD &&
		    (st->verb == FD_SHUTDOWN_READ || st->verb == FD_SHUTDOWN_BOTH))
			return true;
	}
	return false;
}

static bool read_failed_before(const struct scan *s, size_t step)
{
	for (size_t i = 0; i < step; i++)
		if (s->e->script->steps[i].actor == ACTOR_IUT && step_answered(s->e, s->conn, i) && is_read(s, i) &&
		    outcome_tells_error(s->e->steps[i].answer.outcome))
			return true;
	return false;
}

/* Told that the stream is finished, and bytes before the end never were handed out, nor did a read fail, which tells as much. The call for
 * the whole exchange may throw them away: what its manual says of that is for the cases. */
static void data_complete(const struct scan *s)
{
	const struct conn_seen *c = conn_of(s);
	struct bytes sealed = sealed_for_iut(s);
	int peer = !iut_dir(s->e->variant);
	char seen[160];

	for (size_t i = 0; i < s->e->script->nsteps; i++) {
		const struct step_seen *st = &s->e->steps[i];

		if (!st->ran || !st->answered || st->conn != s->conn || s->e->script->steps[i].actor != ACTOR_IUT)
			continue;
		if (s->e->script->steps[i].verb == IUT_SHUTDOWN_BOTH)
			return;
		if (st->answer.outcome != OUTCOME_CLOSED || !is_read(s, i) || !notified_by(s, peer, i))
			continue;
		if (c->read_text.n < sealed.n && !reading_shut(s, i) && !read_failed_before(s, i)) {
			snprintf(seen, sizeof(seen), "closed after %zu of the %zu bytes that the peer sealed before its close_notify",
			         c->read_text.n, sealed.n);
			s->tell(s->to, "data-intact", i, "all of the peer's bytes, then closed", seen);
		}
		return;
	}
}

/* Level and all: of a close_notify at another level nobody says what it does to what comes behind it. */
static bool ended_in_order(const struct scan *s, int dir)
{
	const struct decoded *d = &conn_of(s)->decoded;

	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].dir == dir && is_notify(&d->items[i]))
			return d->notified[dir] && d->items[i].item.level == ALERT_WARNING;
	return false;
}

/* What came behind the end is not the peer's bytes falsified; behind an error alert the cases weigh it. */
static bool only_late(const struct scan *s, int dir)
{
	const struct conn_seen *c = conn_of(s);
	struct buf all = { 0 };
	bool late;

	buf_add_bytes(&all, sealed_for_iut(s));
	buf_add_bytes(&all, buf_bytes(&c->decoded.late[dir]));
	late = starts_with(buf_bytes(&all), buf_bytes(&c->read_text));
	buf_free(&all);
	return late;
}

static void reads_intact(const struct scan *s)
{
	const struct conn_seen *c = conn_of(s);
	struct bytes sealed = sealed_for_iut(s);
	int peer = !iut_dir(s->e->variant);
	bool late;
	char seen[160];

	if (starts_with(sealed, buf_bytes(&c->read_text)))
		return;
	late = only_late(s, peer);
	if (late && !ended_in_order(s, peer))
		return;
	snprintf(seen, sizeof(seen), late ? "its reads gave %zu bytes, the peer sealed %zu before its close_notify" :
	         "its reads gave %zu bytes that are not the first of the %zu that the peer sealed before its close_notify",
	         c->read_text.n, sealed.n);
	s->tell(s->to, late ? "late-data-ignored" : "data-intact", last_step(s), "the peer's bytes, in order", seen);
}

static void writes_intact(const struct scan *s)
{
	const struct conn_seen *c = conn_of(s);
	int iut = iut_dir(s->e->variant);
	char seen[160];

	if (starts_with(buf_bytes(&c->written), buf_bytes(&c->decoded.plain[iut])))
		return;
	snprintf(seen, sizeof(seen), "%zu bytes of application data left that are not the first of the %zu that were written",
	         c->decoded.plain[iut].n, c->written.n);
	s->tell(s->to, "data-intact", last_step(s), "the written bytes, in order", seen);
}

/* Bytes that writes took until the end of this step. */
static size_t accepted_by(const struct scan *s, size_t step)
{
	size_t n = 0;

	for (size_t i = 0; i <= step && i < s->e->script->nsteps; i++) {
		const struct step *st = &s->e->script->steps[i];
		const struct step_seen *seen = &s->e->steps[i];

		if (!seen->ran || !seen->answered || seen->conn != s->conn || st->actor != ACTOR_IUT || seen->answer.outcome != OUTCOME_OK)
			continue;
		if (st->verb == IUT_AWAIT)
			st = awaited(s, i);
		if (iut_writes(st->verb))
			n += st->text.p ? st->text.n : (size_t)st->n;
	}
	return n;
}

/* One that began before may end behind it: its bytes are in front. */
static void write_refused(const struct scan *s)
{
	for (size_t i = 1; i < s->e->script->nsteps; i++) {
		const struct step *st = &s->e->script->steps[i];
		const struct step_seen *seen = &s->e->steps[i];

		if (step_answered(s->e, s->conn, i) && st->actor == ACTOR_IUT && st->verb == IUT_WRITE &&
		    seen->answer.outcome == OUTCOME_OK && notified_by(s, iut_dir(s->e->variant), i - 1))
			tell_step(s, "write-refused-after-notify", i, "a write behind the own close_notify is refused", "");
	}
}

/* What is taken behind the own close_notify is the rule above. */
static void accepted_is_sent(const struct scan *s)
{
	const struct conn_seen *c = conn_of(s);
	int iut = iut_dir(s->e->variant);
	size_t step, accepted;
	char seen[160];

	if (!c->decoded.notified[iut])
		return;
	step = packet_step(s->e, s->conn, c->decoded.notify_packet[iut]);
	accepted = accepted_by(s, step);
	if (c->decoded.plain[iut].n >= accepted || failed_by(s, last_step(s)))
		return;
	snprintf(seen, sizeof(seen), "close_notify behind %zu of the %zu bytes that write took", c->decoded.plain[iut].n, accepted);
	s->tell(s->to, "accepted-is-sent", step, "all that write took, before close_notify", seen);
}

static void nothing_left(const struct scan *s)
{
	if (conn_of(s)->socket_left)
		s->tell(s->to, "nothing-left-behind", last_step(s), "no descriptor holds the socket after close",
		        "a descriptor still holds the connection's socket");
}

/* Of the run, whichever connection is looked at. */
static void no_stranger(const struct scan *s)
{
	if (s->e->stranger && s->conn == 0)
		s->tell(s->to, "no-other-connection", s->e->stranger_step, "no connection but those of the case", "another one was opened");
}

void invariants_check(const struct evidence *e, invariant_broken *tell, void *to)
{
	static void (*const rules[])(const struct scan *) = {
		notify_once, nothing_after_notify, nothing_after_fatal, notify_before_fin, notify_whole, nothing_in_clear,
		api_rules, reads_intact, writes_intact, data_complete, write_refused, accepted_is_sent, nothing_left,
		no_stranger,
	};

	for (int conn = 0; conn < e->nconns; conn++) {
		struct scan s = { e, conn, tell, to };

		for (size_t i = 0; i < countof(rules); i++)
			rules[i](&s);
	}
}
