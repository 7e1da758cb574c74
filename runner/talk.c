/* talk: lines to the adapter of a run and its answers. */
#include "runner/talk.h"

#include <stdlib.h>
#include <string.h>

#include "runner/wait.h"

static bool contract_broken(struct worker *w, struct bytes line, const char *why, struct fault *f)
{
	struct adapter *a = w->adapter;

	fault_machine(f, "adapter %s breaks the contract: %s: \"%.*s\"", a->name, why, line.n > 80 ? 80 : (int)line.n,
	              (const char *)line.p);
	adapter_stop(a);
	return false;
}

/* The adapter, and not its library, has done what nobody can go on from: *f. */
static bool useless(struct worker *w, const char *what, struct fault *f)
{
	fault_machine(f, "adapter %s %s; its log: %.120s", w->adapter->name, what,
	              w->adapter->child.log.n ? adapter_log(w->adapter) : "(empty)");
	adapter_stop(w->adapter);
	w->outstanding = false;
	return false;
}

/* Its stdout is at its end. A process that died in a call is a crash; an adapter that closed its pipe is an adapter that cannot be
 * asked. */
static bool set_gone(struct worker *w, struct answer *x, struct fault *f)
{
	char how[32] = "";

	if (!wait_death(w))
		return useless(w, "closed its standard output and lives on", f);
	child_died(&w->adapter->child, how, sizeof(how));
	/* No library sends that, nor can anything in the adapter's world but itself. */
	if (strcmp(how, "SIGKILL") == 0)
		return useless(w, "was killed from outside (SIGKILL): most likely the machine ran out of memory, see the kernel's log; "
		                  "use fewer workers (-j)", f);
	*x = answer_of(OUTCOME_CRASH);
	buf_add_bytes(&x->text, bytes_of(how));
	buf_quote(&x->native, bytes_of(adapter_log(w->adapter)));
	adapter_stop(w->adapter);
	w->outstanding = false;
	return true;
}

/* No answer and no rest: what its threads that have a timer sleep in tells most. */
static void not_settled(struct worker *w, struct fault *f)
{
	struct buf calls = { 0 };
	struct calls c;

	watch_calls(&w->adapter->watch, &c, &calls);
	fault_machine(f, "adapter %s neither answered nor came to rest (%s%s)", w->adapter->name,
	              w->adapter->child.flooded ? "a line without end" : calls.n ? "it sleeps with a timer in "
	                                                                         : "it waits for something else than us",
	              w->adapter->child.flooded ? "" : buf_str(&calls));
	buf_free(&calls);
	adapter_stop(w->adapter);
}

/* Waits for the outstanding call. False: *f, and the run is broken. */
bool talk_collect(struct worker *w, struct answer *x, struct fault *f)
{
	struct bytes line;
	const char *why;

	w->again.n = w->agains = 0;
	switch (wait_answer(w, &line)) {
	case SETTLED_ANSWER:
		w->outstanding = false;
		if (answer_parse(line, x, &why))
			return true;
		answer_free(x);
		return contract_broken(w, line, why, f);
	case SETTLED_BLOCKED:
		*x = answer_of(OUTCOME_BLOCKED);
		buf_add_bytes(&x->native, buf_bytes(&w->again));
		return true;
	case SETTLED_SPINS:
		*x = answer_of(OUTCOME_SPINS);
		if (wait_flooded(w) || wait_put_off(w))
			buf_quote(&x->native,
			          bytes_of(wait_put_off(w) ? "it asks to be called again without end" : "it sends without end"));
		adapter_stop(w->adapter);
		w->outstanding = false;
		return true;
	case SETTLED_GONE:
		return set_gone(w, x, f);
	case SETTLED_DEAF:
		return useless(w, "closed its standard input and lives on", f);
	case SETTLED_WATCHDOG:
		not_settled(w, f);
		return false;
	}
	abort();
}

/* A line that nobody asked for would be taken for the answer to the next call. One of a call that still waits is its answer. */
bool talk_nothing_unasked(struct worker *w, struct fault *f)
{
	struct bytes line;

	child_drain_lines(&w->adapter->child);
	if (w->outstanding || !child_line(&w->adapter->child, &line))
		return true;
	return contract_broken(w, line, "it answers what was not asked", f);
}

bool talk_say(struct worker *w, struct bytes line, struct fault *f)
{
	if (!talk_nothing_unasked(w, f))
		return false;
	/* A new line ends the wait of the call before, without an answer; `await` takes it up again. */
	if (w->outstanding) {
		w->interrupted = true;
		w->interrupted_step = w->outstanding_step;
	}
	w->outstanding = true;
	w->outstanding_step = w->at_step;
	if (child_say(&w->adapter->child, line) || w->adapter->child.in >= 0)
		return true;            /* a dead adapter shows at the answer */
	return fault_machine(f, "adapter %s takes no more lines", w->adapter->name);
}

bool talk_call(struct worker *w, const char *line, struct answer *x, struct fault *f)
{
	return talk_say(w, bytes_of(line), f) && talk_collect(w, x, f);
}

/* A call that is no part of the case and has to be ok: listen, open, end. */
bool talk_ok(struct worker *w, const char *line, struct answer *x, struct fault *f)
{
	if (!talk_call(w, line, x, f))
		return false;
	if (x->outcome == OUTCOME_OK)
		return true;
	fault_machine(f, "adapter %s: `%s` gave %s: %.160s", w->adapter->name, line, outcome_word(x->outcome), buf_str(&x->native));
	adapter_stop(w->adapter);
	return false;
}

/* "127.0.0.1:4433 ..." in the native part. */
uint16_t talk_port(const struct answer *x)
{
	const uint8_t *colon = x->native.n ? memchr(x->native.p, ':', x->native.n) : NULL;
	unsigned port = 0;

	for (const uint8_t *p = colon; p && ++p < x->native.p + x->native.n && *p >= '0' && *p <= '9' && port < 65536;)
		port = port * 10 + (unsigned)(*p - '0');
	return port < 65536 ? (uint16_t)port : 0;
}

/* The run before told it `end` and did not wait: it forgets while we go on. One that cannot is started anew;
 * nobody's verdict hangs on it. */
static void hear_end(struct worker *w)
{
	struct answer x = { 0 };
	struct fault ignored;

	if (!w->adapter->ending)
		return;
	w->adapter->ending = false;
	w->outstanding = true;
	if (!talk_collect(w, &x, &ignored) || x.outcome != OUTCOME_OK)
		adapter_stop(w->adapter);
	w->outstanding = false;
	answer_free(&x);
}

bool talk_start(struct worker *w, struct fault *f)
{
	struct answer x = { 0 };
	bool ok = true;

	hear_end(w);
	if (!w->adapter->alive && !adapter_start(w->adapter, w->cert_path, w->rsa_path, f))
		return false;
	if (!wait_idle(w)) {
		not_settled(w, f);
		return false;
	}
	if (!variant_client(w->variant) && !w->adapter->listen_port) {
		ok = talk_ok(w, "listen", &x, f);
		w->adapter->listen_port = ok ? talk_port(&x) : 0;
		if (ok && !w->adapter->listen_port)
			ok = contract_broken(w, buf_bytes(&x.native), "`listen` does not say where", f);
		answer_free(&x);
	}
	return ok;
}
