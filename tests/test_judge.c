/* The judge: what a run showed, and the verdict and findings that it has to come to. */
#include "runner/judge.h"

#include "tests/build_evidence.h"

#define RULE(name, levels) "requirement " name "\n" levels "clause RFC 1\nsays It is so.\n"
#define MUST "level MUST\n"
#define ALWAYS "level MUST\nalways\n"

static const char rules[] =
	RULE("must", MUST) RULE("should", "level SHOULD\n") RULE("may", "level MAY\n") RULE("promise", "level PROMISE\n")
	RULE("disputed", "level MUST\ndisputed because\n") RULE("promise-disputed", "level PROMISE\ndisputed because\n")
	RULE("must-in-12", "level MAY\nlevel@1.2 MUST\n") RULE("disputed-in-13", "level MUST\ndisputed@1.3 because\n")
	RULE("truncation-visible", MUST) RULE("data-intact", ALWAYS) RULE("nothing-else", "level SHOULD\nalways\n")
	RULE("notify-once", ALWAYS) RULE("nothing-after-notify", ALWAYS) RULE("nothing-after-fatal", ALWAYS)
	RULE("notify-before-fin", ALWAYS) RULE("notify-whole", ALWAYS) RULE("nothing-in-clear", ALWAYS)
	RULE("closed-means-notified", "level MUST\ndisputed because\nalways\n") RULE("complete-means-both", ALWAYS)
	RULE("accepted-is-sent", ALWAYS) RULE("no-crash", "level PROMISE\nalways\n") RULE("no-spin", "level PROMISE\nalways\n")
	RULE("nothing-left-behind", "level PROMISE\nalways\n") RULE("no-other-connection", "level PROMISE\nalways\n")
	RULE("write-refused-after-notify", ALWAYS) RULE("late-data-ignored", ALWAYS)
	RULE("old-rule", "level MAY\nlevel@1.2 MUST\ndisputed@1.2 because\ntwo-readings\n")
	RULE("behind-error", "level MUST\nbehind error\n") RULE("behind-end", "level MUST\nbehind end\n");

struct row {
	const char *name, *variant, *text, *seen;
	enum verdict verdict;
	const char *findings;                   /* "fail must 3": weight, rule, line; `!`: promised; `-`: a precondition */
};

#define HS "handshake\n"                        /* line 2 */
#define PASS VERDICT_PASS
#define WARN VERDICT_WARN
#define FAIL VERDICT_FAIL
#define VOID VERDICT_INCONCLUSIVE

static void findings_text(const struct judgement *j, struct buf *out)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct finding *f = &j->findings[i];

		buf_printf(out, "%s%s%s %s %d", i ? ", " : "", f->req && f->weight == VERDICT_PASS ? "noted" : verdict_word(f->weight),
		           f->promised ? "!" : "", f->req ? f->req->name : "-", f->at.line);
	}
}

static void must_be(const struct row *r, struct promises promised)
{
	struct buf text = { 0 };
	struct judgement j;
	struct built b;

	build(&b, rules, r->variant, r->text, r->seen);
	judge(&b.e, &b.reqs, promised, &j);
	findings_text(&j, &text);
	for (size_t i = 0; i < j.n; i++)
		ck_assert_msg(j.findings[i].allowed && j.findings[i].observed && *j.findings[i].allowed && *j.findings[i].observed, "%s", r->name);
	ck_assert_msg(strcmp(buf_str(&text), r->findings) == 0, "%s:\n got %s\nwant %s%s%s", r->name, buf_str(&text), r->findings,
	              j.n ? "\nseen " : "", j.n ? j.findings[0].observed : "");
	ck_assert_msg(j.verdict == r->verdict, "%s: %s %s", r->name, verdict_word(j.verdict), j.reason ? j.reason : "");
	judgement_free(&j);
	judgement_free(&j);
	buf_free(&text);
	built_free(&b);
}

/* --- what calls returned ----------------------------------------------------------------------------------------------- */

static const struct row calls[] = {
	{ "as allowed", "c3b", HS "iut read -> closed | blocked [must]\n", "ok; blocked", PASS, "" },
	{ "the other alternative", "c3b", HS "peer close_notify\niut read -> blocked | closed [must]\n", "ok; <close_notify; closed", PASS, "" },
	{ "neither", "c3b", HS "iut read -> blocked | closed [must]\n", "ok; truncated", FAIL, "fail must 3" },
	{ "no check", "c3b", HS "iut read\n", "ok; truncated", PASS, "" },
	{ "not for this version", "c3b", HS "@1.2 iut read -> blocked [must]\n", "ok; -", PASS, "" },
	{ "`also` for the other version", "c3b", HS "iut read -> fails [must]\n@1.2 also -> reset [must]\n", "ok; truncated", PASS, "" },
	{ "`also` for this one", "c2b", HS "iut read -> fails [must]\n@1.2 also -> reset [should]\n", "ok; truncated", WARN, "warn should 4" },
	{ "both of a line", "c3b", HS "iut read -> blocked [must]\nalso -> reset [should]\n", "ok; truncated", FAIL, "fail must 3, warn should 4" },

	{ "behind an error: one was told", "c3b", HS "iut read -> fails [must]\niut read -> fails [behind-error]\n", "ok; truncated; closed", FAIL,
	  "fail behind-error 4" },
	{ "behind an error: none was", "c3b", HS "iut read -> fails [should]\niut read -> fails [behind-error]\n", "ok; closed; closed", WARN, "warn should 3" },
	{ "behind an error: refused is none", "c3b", HS "iut write \"x\"\niut read -> fails [behind-error]\n", "ok; refused; blocked", PASS, "" },
	{ "behind an error: on the line itself", "c3b", HS "iut read -> blocked [behind-error]\n", "ok; truncated", PASS, "" },
	{ "behind an error: on another connection", "c3b", HS "iut read -> fails [must]\niut close\nhandshake\niut read -> fails [behind-error]\n",
	  "ok; truncated; ok; ok; blocked", PASS, "" },
	{ "behind the end: it was told", "c3b", HS "peer close_notify\niut read -> closed [must]\niut read -> closed [behind-end]\n",
	  "ok; <close_notify; closed; truncated", FAIL, "fail behind-end 5" },
	{ "behind the end: complete is one", "c3b", HS "peer close_notify\niut shutdown both\niut read -> closed [behind-end]\n",
	  "ok; <close_notify; complete >close_notify; truncated", FAIL, "fail behind-end 5" },
	{ "behind the end: an error was told", "c3b", HS "peer close_notify\niut read -> fails [must]\niut read -> closed [behind-end]\n",
	  "ok; <close_notify; truncated; truncated", PASS, "" },

	{ "fails: truncated", "c3b", HS "iut read -> fails [must]\n", "ok; truncated", PASS, "" },
	{ "fails: reset", "c3b", HS "iut read -> fails [must]\n", "ok; reset", PASS, "" },
	{ "fails: pipe", "c3b", HS "iut write \"x\" -> fails [must]\n", "ok; pipe", PASS, "" },
	{ "fails: alert", "c3b", HS "iut read -> fails [must]\n", "ok; alert 40", PASS, "" },
	{ "fails: refused", "c3b", HS "iut read -> fails [must]\n", "ok; refused", PASS, "" },
	{ "fails: error", "c3b", HS "iut read -> fails [must]\n", "ok; error", PASS, "" },
	{ "fails: not closed", "c3b", HS "peer close_notify\niut read -> fails [must]\n", "ok; <close_notify; closed", FAIL, "fail must 4" },
	{ "fails: not blocked", "c3b", HS "iut read -> fails [must]\n", "ok; blocked", FAIL, "fail must 3" },
	{ "fails: not ok", "c3b", HS "iut write \"x\" -> fails [must]\n", "ok; ok >data 1", FAIL, "fail must 3" },
	{ "ok is not fails", "c3b", HS "iut write \"x\" -> ok [must]\n", "ok; pipe", FAIL, "fail must 3" },
	{ "sent is not complete", "c3b", HS "iut shutdown -> complete [must]\n", "ok; sent >close_notify", FAIL, "fail must 3" },

	{ "this alert", "c3b", HS "iut read -> alert handshake_failure [must]\n", "ok; alert 40", PASS, "" },
	{ "another alert", "c3b", HS "iut read -> alert handshake_failure [must]\n", "ok; alert 80", FAIL, "fail must 3" },
	{ "any alert", "c3b", HS "iut read -> alert [must]\n", "ok; alert 80", PASS, "" },

	{ "as", "c3b", HS "iut read -> error as r=-1 SYSCALL [must]\n", "ok; error as SYSCALL r=-1 errno=5", PASS, "" },
	{ "as: a word is missing", "c3b", HS "iut read -> error as r=-1 SYSCALL [must]\n", "ok; error as r=-1", FAIL, "fail must 3" },
	{ "as: it stands in the text for people only", "c3b", HS "iut read -> error as r=-1 [must]\n", "ok; error as \"r=-1\"", FAIL, "fail must 3" },
	{ "as: of one alternative only", "c3b", HS "iut read -> error as r=-1 | reset [must]\n", "ok; reset", PASS, "" },
	{ "as: right words, wrong outcome", "c3b", HS "iut read -> error as r=-1 [must]\n", "ok; reset as r=-1", FAIL, "fail must 3" },

	{ "this text", "c3b", HS "peer write \"hello\"\niut read -> data \"hello\"\n", "ok; <data 5; data \"hello\"", PASS, "" },
	{ "a part of it", "c3b", HS "peer write \"hello\"\niut read -> data \"hello\" [must]\n", "ok; <data 5; data \"hel\"", FAIL, "fail must 4" },
	{ "its length", "c3b", HS "peer write 5\niut read -> data 5\n", "ok; <data 5; data \"abcde\"", PASS, "" },
	{ "another length", "c3b", HS "peer write 5\niut read -> data 4 [must]\n", "ok; <data 5; data \"abcde\"", FAIL, "fail must 4" },
	{ "any data", "c3b", HS "peer write 5\niut read -> data [must]\n", "ok; <data 5; data \"abc\"", PASS, "" },

	{ "read*: the sum and the end", "c3b", HS "peer write 7 + close_notify\niut read* -> data 7 closed [must]\n",
	  "ok; <data 7; <close_notify; data 7 closed", PASS, "" },
	{ "read*: less", "c3b", HS "peer write 7 + close_notify\niut read* -> data 7 closed [must]\n",
	  "ok; <data 7; <close_notify; data 6 closed", FAIL, "fail must 4" },
	{ "read*: nothing, where data is expected", "c3b", HS "peer write 7 + close_notify\niut read* -> data 7 closed [must]\n",
	  "ok; <data 7; <close_notify; closed", FAIL, "fail must 4" },
	{ "read*: another end", "c3b", HS "peer write 7\niut read* -> data 7 closed [must]\n", "ok; <data 7; data 7 truncated", FAIL, "fail must 4" },
	{ "read*: without data", "c3b", HS "peer close_notify\niut read* -> closed [must]\n", "ok; <close_notify; closed", PASS, "" },
	{ "read*: data where none is named", "c3b", HS "peer write 7 + close_notify\niut read* -> closed [must]\n",
	  "ok; <data 7; <close_notify; data 7 closed", FAIL, "fail must 4" },
	{ "read*: any data", "c3b", HS "peer write 7 + close_notify\niut read* -> data closed [must]\n",
	  "ok; <data 7; <close_notify; data 7 closed", PASS, "" },
	{ "read*: which of two alerts", "c3b", HS "peer write 7\niut read* -> data 7 alert internal_error [must]\n", "ok; <data 7; data 7 alert 40",
	  FAIL, "fail must 4" },
};

/* --- what a check weighs ----------------------------------------------------------------------------------------------- */

#define READ(rule) HS "iut read -> blocked [" rule "]\n"

static const struct row weights[] = {
	{ "MUST", "c3b", READ("must"), "ok; error", FAIL, "fail must 3" },
	{ "SHOULD", "c3b", READ("should"), "ok; error", WARN, "warn should 3" },
	{ "MAY", "c3b", READ("may"), "ok; error", PASS, "noted may 3" },
	{ "PROMISE of one manual", "c3b", READ("promise"), "ok; error", PASS, "noted promise 3" },
	{ "PROMISE in an api case", "c3b", "api openssl\n" READ("promise"), "ok; error", FAIL, "fail promise 4" },
	{ "disputed", "c3b", READ("disputed"), "ok; error", WARN, "warn disputed 3" },
	{ "disputed PROMISE in an api case", "c3b", "api openssl\n" READ("promise-disputed"), "ok; error", WARN, "warn promise-disputed 4" },
	{ "disputed PROMISE elsewhere", "c3b", READ("promise-disputed"), "ok; error", PASS, "noted promise-disputed 3" },
	{ "MUST in 1.2 only, 1.2", "c2b", READ("must-in-12"), "ok; error", FAIL, "fail must-in-12 3" },
	{ "MUST in 1.2 only, 1.3", "c3b", READ("must-in-12"), "ok; error", PASS, "noted must-in-12 3" },
	{ "disputed in 1.3 only, 1.3", "s3b", READ("disputed-in-13"), "ok; error", WARN, "warn disputed-in-13 3" },
	{ "disputed in 1.3 only, 1.2", "s2b", READ("disputed-in-13"), "ok; error", FAIL, "fail disputed-in-13 3" },
	{ "bare data", "c3b", HS "peer write 3\niut read -> data 3\n", "ok; ; blocked", FAIL, "fail data-intact 4" },
	{ "bare wire", "c3b", HS "wire iut -> fin\n", "ok; ", WARN, "warn nothing-else 3" },
	{ "bare wire of the peer", "c3b", HS "wire peer -> fin\n", "ok; ", VOID, "inconclusive - 3" },
	{ "a precondition", "c3b", HS "iut read -> blocked\n", "ok; error", VOID, "inconclusive - 3" },
	{ "a precondition and a SHOULD", "c3b", HS "iut read -> refused\niut read -> refused [should]\n", "ok; error; error", VOID,
	  "inconclusive - 3" },
	{ "a precondition and a MUST", "c3b", HS "iut read -> refused\niut read -> refused [must]\n", "ok; error; error", VOID,
	  "inconclusive - 3" },
};

static const char *const promised_names[] = { "should", "disputed", "may", "promise", "truncation-visible" };

static const struct row promised_rows[] = {
	{ "SHOULD", "c3b", READ("should"), "ok; error", FAIL, "fail! should 3" },
	{ "disputed", "c3b", READ("disputed"), "ok; error", FAIL, "fail! disputed 3" },
	{ "MAY", "c3b", READ("may"), "ok; error", FAIL, "fail! may 3" },
	{ "PROMISE", "c3b", READ("promise"), "ok; error", FAIL, "fail! promise 3" },
	{ "not promised", "c3b", READ("must"), "ok; error", FAIL, "fail must 3" },
	{ "truncation-visible promises the other as well", "c3b", HS "peer fin\niut read\n", "ok; <fin; closed", FAIL, "fail! closed-means-notified 4" },
};

/* --- the wire ---------------------------------------------------------------------------------------------------------- */

#define FIN_AFTER HS "iut close\nwire iut -> close_notify fin [must]\n"

static const struct row wires[] = {
	{ "fits", "c3b", FIN_AFTER, "ok; ok >close_notify fin;", PASS, "" },
	{ "fits, as server of 1.2", "s2b", FIN_AFTER, "ok; ok >close_notify fin;", PASS, "" },
	{ "does not fit", "c3b", FIN_AFTER, "ok; ok >close_notify;", FAIL, "fail must 4" },
	{ "what the peer sent does not count", "c3b", FIN_AFTER, "ok; ok <data 3 >close_notify fin;", PASS, "" },
	{ "the handshake does not count", "c3b", FIN_AFTER, "ok >handshake client_hello change_cipher_spec handshake finished ticket; ok >close_notify fin;", PASS, "" },
	{ "nothing", "c3b", HS "wire iut -> nothing [must]\n", "ok; >alert internal_error", FAIL, "fail must 3" },
	{ "of the peer", "c3b", HS "peer write 5\nwire peer -> data 5 [must]\n", "ok; <data 5;", PASS, "" },
	{ "each its part", "c3b", HS "iut write 5\nwire iut -> data 5 [must]\niut close\nwire iut -> close_notify fin [must]\n",
	  "ok; ok >data 5; ; ok >close_notify fin;", PASS, "" },
	{ "a part too late", "c3b", HS "iut write 5\nwire iut -> data 5 [must]\niut close\nwire iut -> close_notify fin [must]\n",
	  "ok; ok; ; ok >data 5 close_notify fin;", FAIL, "fail must 4, fail must 6" },
	{ "during the wire line itself", "c3b", FIN_AFTER, "ok; ok >close_notify; >fin", PASS, "" },
	{ "the peer's lines do not part the implementation's", "c3b", HS "iut write 5\nwire peer -> nothing [must]\nwire iut -> data 5 [must]\n",
	  "ok; ok >data 5; ; ", PASS, "" },
	{ "a line for another version parts nothing", "c3b", HS "iut write 5\n@1.2 wire iut -> data 5 [must]\nwire iut -> data 5 [must]\n", "ok; ok >data 5; -; ", PASS, "" },
	{ "each connection its own", "c3b", HS "iut close\nwire iut -> close_notify fin [must]\nhandshake\niut close\nwire iut -> close_notify fin [must]\n",
	  "ok; ok >close_notify fin; ; ok; ok >close_notify fin; ", PASS, "" },
	{ "a second one, without the end", "c3b", HS "iut close\nwire iut -> close_notify fin [must]\nhandshake\niut close\nwire iut -> close_notify fin [must]\n",
	  "ok; ok >close_notify fin; ; ok; ok >close_notify; ", FAIL, "fail must 7" },
	{ "user_canceled right before", "c3b", FIN_AFTER, "ok; ok >alert user_canceled close_notify fin;", PASS, "" },

	{ "told once: no close_notify", "c3b", FIN_AFTER, "ok; ok >fin;", FAIL, "fail notify-before-fin 3" },
	{ "told once: no close_notify, and something else", "c3b", FIN_AFTER, "ok; ok >data 3 fin;", FAIL, "fail must 4, fail notify-before-fin 3" },
	{ "told once: a second close_notify", "c3b", FIN_AFTER, "ok; ok >close_notify close_notify fin;", FAIL, "fail notify-once 3" },
	{ "told once: the second in another window", "c3b", HS "iut shutdown\nwire iut -> close_notify [must]\niut close\nwire iut -> fin [must]\n",
	  "ok; sent >close_notify; ; ok >close_notify fin; ", FAIL, "fail notify-once 5" },
	{ "told once: behind close_notify", "c3b", FIN_AFTER, "ok; ok >close_notify key_update fin;", FAIL, "fail nothing-after-notify 3" },
	{ "told once: behind an alert", "c3b", HS "peer write 3\niut close\nwire iut -> alert bad_record_mac fin [must]\n",
	  "ok; <data 3; ok >alert bad_record_mac close_notify fin; ", FAIL, "fail nothing-after-fatal 4" },
	{ "told once: the invariant excepted", "c3b", "except notify-before-fin reason\n" HS "iut close\nwire iut -> close_notify fin [must]\n", "ok; ok >fin;", FAIL, "fail must 5" },
	{ "a precondition is not told by a rule", "c3b", HS "iut close\nwire iut -> close_notify fin\n", "ok; ok >fin;", FAIL, "fail notify-before-fin 3" },

	{ "nothing after the last line", "c3b", FIN_AFTER, "ok; ok >close_notify fin; ; >rst", WARN, "warn nothing-else 4" },
	{ "a ticket after it does not count", "s3b", FIN_AFTER, "ok; ok >close_notify fin; ; >handshake finished", FAIL, "fail nothing-after-notify 4" },
	{ "no line, no closed world", "c3b", HS "iut close\n", "ok; ok >close_notify; >fin", PASS, "" },
	{ "steps behind the last line count", "c3b", HS "wire iut -> nothing\niut write 3\n", "ok; ; ok >data 3", WARN, "warn nothing-else 3" },
	{ "excepted", "c3b", "except nothing-else so\n" HS "wire iut -> nothing [must]\niut write 3\n", "ok; ; ok >data 3", PASS, "" },
	{ "the next connection's line ends nothing of this one", "c3b", HS "wire iut -> nothing\niut write 3\n" HS "wire iut -> nothing\n", "ok; ; ok >data 3; ok; ",
	  WARN, "warn nothing-else 3" },
	{ "a run that ended early", "c3b", HS "wire iut -> nothing\niut write 3\niut read\n", "ok; ; blocked! >data 3", VOID, "inconclusive - 4" },
	{ "a line of the peer begins none", "c3b", HS "wire peer -> nothing\niut write 3\n", "ok; ; ok >data 3", PASS, "" },

	{ "a state", "c3b", HS "tcp iut -> close-wait | last-ack [must]\n", "ok; close-wait", PASS, "" },
	{ "another", "c3b", HS "tcp iut -> close-wait | last-ack [must]\n", "ok; established", FAIL, "fail must 3" },
	{ "a state of `also`, for 1.2", "c3b", HS "tcp iut -> established [must]\n@1.2 also -> listen [must]\n", "ok; established", PASS, "" },
	{ "a state as precondition", "c3b", HS "tcp iut -> close-wait\n", "ok; established", VOID, "inconclusive - 3" },
	{ "a state for 1.2", "c3b", HS "@1.2 tcp iut -> close-wait [must]\n", "ok; -", PASS, "" },
};

/* --- how runs end ------------------------------------------------------------------------------------------------------ */

static const struct row ends[] = {
	{ "the handshake failed", "c3b", HS "iut read -> blocked [must]\n", "alert 40!", VOID, "inconclusive - 2" },
	{ "it was not resumed", "c3b", HS "iut close\nhandshake resume -> resumed [must]\n", "ok; ok >close_notify fin; full", FAIL, "fail must 4" },
	{ "it was", "c3b", HS "iut close\nhandshake resume -> resumed [must]\n", "ok; ok >close_notify fin; resumed", PASS, "" },
	{ "each has its data", "c3b", HS "switch\nhandshake\niut write \"ab\" -> ok\nwire iut -> data 2\nswitch\niut write \"x\" -> ok\nwire iut -> data 1 [must]\n",
	  "ok; ; ok; ok >data 2; ; ; ok >data 1; ", PASS, "" },
	{ "left meanwhile on the other", "c3b", HS "switch\nhandshake\niut read -> fails\nswitch\nwire iut -> nothing [must]\n",
	  "ok; ; ok; alert 80 >>alert 80; ; ", FAIL, "fail must 7" },
	{ "left meanwhile, as allowed", "c3b", HS "switch\nhandshake\niut read -> fails\nwire iut -> nothing\nswitch\nwire iut -> alert [must]\n",
	  "ok; ; ok; alert 80 >>alert 80; ; ; ", PASS, "" },
	{ "left behind the last line of the other", "c3b", HS "wire iut -> nothing\nswitch\nhandshake\niut read -> fails\n",
	  "ok; ; ; ok; alert 80 >>alert 80", WARN, "warn nothing-else 3" },
	{ "behind the end, on the other", "c3b", HS "wire iut -> nothing\nswitch\nhandshake\n", "ok; ; ; ok; >>alert 80", WARN, "warn nothing-else 3" },
	{ "no switch", "c3b", HS "switch\nhandshake -> ok [must]\n", "ok; unsupported", VERDICT_UNSUPPORTED, "" },
	{ "resumed without a check", "c3b", HS "iut close\nhandshake resume\n", "ok; ok >close_notify fin; resumed", PASS, "" },
	{ "it crashed", "c3b", HS "iut read\n", "crash SIGSEGV!", FAIL, "fail no-crash 2" },
	{ "it spins", "c3b", HS "iut read\n", "spins!", FAIL, "fail no-spin 2" },
	{ "a call that does not come back", "c3b", HS "iut write 3\niut read\n", "ok; blocked!", VOID, "inconclusive - 3" },
	{ "a call whose line tells that", "c3b", HS "iut read -> closed [must]\niut close\n", "ok; blocked!", FAIL, "fail must 3" },
	{ "a line that only notes it", "c3b", HS "iut read -> closed [may]\niut close\n", "ok; blocked!", VOID, "noted may 3, inconclusive - 3" },
	{ "a line that warns", "c3b", HS "iut read -> closed [should]\niut close\n", "ok; blocked!", WARN, "warn should 3" },
	{ "a crash", "c3b", HS "iut read -> closed [must]\niut close\n", "ok; crash SIGSEGV!", FAIL, "fail no-crash 3" },
	{ "a crash that is excepted", "c3b", "except no-crash so\n" HS "iut read\niut close\n", "ok; crash SIGSEGV!", VOID, "inconclusive - 4" },
};

/* --- invariants -------------------------------------------------------------------------------------------------------- */

#define CLOSE HS "iut close\n"
#define WRITE_CLOSE HS "iut write \"hello\"\niut close\n"

static const struct row invariants[] = {
	{ "notify-once", "c3b", CLOSE, "ok; ok >close_notify; >close_notify", FAIL, "fail notify-once 3" },
	{ "notify-once: one for each side", "c3b", CLOSE, "ok; ok >close_notify <close_notify", PASS, "" },
	{ "notify-once: one for each connection", "c3b", CLOSE HS "iut close\n", "ok; ok >close_notify; ok; ok >close_notify", PASS, "" },
	{ "notify-once: three are told once", "c3b", CLOSE, "ok; ok >close_notify close_notify close_notify", FAIL, "fail notify-once 3" },

	{ "notify-once: excepted, no other rule tells of it", "c3b", "except notify-once so\n" CLOSE, "ok; ok >close_notify close_notify", PASS, "" },

	{ "nothing-after-notify: data", "c3b", CLOSE, "ok; ok >close_notify unopened", FAIL, "fail nothing-after-notify 3" },
	{ "nothing-after-notify: a ChangeCipherSpec", "c3b", CLOSE, "ok; ok >close_notify change_cipher_spec", FAIL, "fail nothing-after-notify 3" },
	{ "nothing-after-notify: an alert", "c3b", CLOSE, "ok; ok >close_notify alert internal_error", FAIL, "fail nothing-after-notify 3" },
	{ "nothing-after-notify: KeyUpdate", "s3b", CLOSE, "ok; ok >close_notify key_update", FAIL, "fail nothing-after-notify 3" },
	{ "nothing-after-notify: the end of the stream", "c3b", CLOSE, "ok; ok >close_notify fin rst", PASS, "" },
	{ "nothing-after-notify: plain bytes", "c3b", CLOSE, "ok; ok >close_notify raw 5", PASS, "" },
	{ "nothing-after-notify: of the peer", "c3b", CLOSE, "ok; ok <close_notify data 3", PASS, "" },
	{ "nothing-after-notify: before it", "c3b", WRITE_CLOSE, "ok; ok >data 5; ok >close_notify", PASS, "" },

	{ "nothing-after-fatal: sent, then data", "c3b", WRITE_CLOSE, "ok; error >alert internal_error data 5; ok", FAIL, "fail nothing-after-fatal 3" },
	{ "nothing-after-fatal: sent, then close_notify", "c3b", CLOSE, "ok; ok >alert internal_error close_notify", FAIL, "fail nothing-after-fatal 3" },
	{ "nothing-after-fatal: sent, then a ticket", "s3b", CLOSE, "ok; ok >alert internal_error ticket", FAIL, "fail nothing-after-fatal 3" },
	{ "nothing-after-fatal: sent, then handshake", "s3b", CLOSE, "ok; ok >alert internal_error handshake finished", FAIL, "fail nothing-after-fatal 3" },
	{ "nothing-after-fatal: sent, then KeyUpdate", "s3b", CLOSE, "ok; ok >alert internal_error key_update", FAIL, "fail nothing-after-fatal 3" },
	{ "nothing-after-fatal: sent, then fin", "c3b", CLOSE, "ok; ok >alert internal_error fin", PASS, "" },
	{ "nothing-after-fatal: of level warning, 1.3", "c3b", WRITE_CLOSE, "ok; ok >alert 49 level warning data 5; ok", FAIL, "fail nothing-after-fatal 3" },
	{ "nothing-after-fatal: of level warning, 1.2", "c2b", WRITE_CLOSE, "ok; ok >alert 100 level warning data 5; ok", PASS, "" },
	{ "nothing-after-fatal: user_canceled", "c3b", CLOSE, "ok; ok >alert user_canceled level fatal close_notify fin", PASS, "" },
	{ "nothing-after-fatal: malformed", "c3b", WRITE_CLOSE, "ok; ok >alert malformed 1 data 5; ok", FAIL, "fail notify-whole 3" },
	{ "nothing-after-fatal: received and told", "c3b", HS "peer alert internal_error\niut read\niut write \"x\"\n",
	  "ok; <alert internal_error; alert 80; ok >data 1", FAIL, "fail nothing-after-fatal 5" },
	{ "nothing-after-fatal: received, not yet told", "c3b", HS "peer alert internal_error\niut write \"x\"\niut read\n",
	  "ok; <alert internal_error; ok >data 1; alert 80", PASS, "" },
	{ "nothing-after-fatal: told, then close_notify", "c3b", HS "peer alert internal_error\niut read\niut close\n",
	  "ok; <alert internal_error; alert 80; ok >close_notify fin", PASS, "" },
	{ "nothing-after-fatal: told, of level warning, 1.2", "c2b", HS "peer alert 100 level warning\niut read\niut write \"x\"\n",
	  "ok; <alert 100 level warning; alert 100; ok >data 1", PASS, "" },
	{ "nothing-after-fatal: told of user_canceled", "c3b", HS "peer alert user_canceled\niut read\niut write \"x\"\n",
	  "ok; <alert user_canceled level warning; alert user_canceled; ok >data 1", PASS, "" },
	{ "nothing-after-fatal: told of user_canceled, an error alert still unread", "c3b",
	  HS "peer alert user_canceled\niut read\npeer alert internal_error\niut write \"x\"\n",
	  "ok; <alert user_canceled level warning; alert user_canceled; <alert internal_error; ok >data 1", PASS, "" },
	{ "nothing-after-fatal: while it was told", "c3b", HS "peer alert internal_error\niut read\n", "ok; <alert internal_error; alert 80 >key_update", PASS, "" },
	{ "nothing-after-fatal: told on another connection", "c3b",
	  HS "peer alert internal_error\niut read\n" HS "peer alert internal_error\niut write \"x\"\n",
	  "ok; <alert internal_error; alert 80; ok; <alert internal_error; ok >data 1", PASS, "" },
	{ "nothing-after-fatal: told, and none was sent", "c3b", HS "iut read\niut write \"x\"\n", "ok; alert 80; ok >data 1", PASS, "" },

	{ "notify-before-fin", "c3b", CLOSE, "ok; ok >fin", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: behind it", "c3b", CLOSE, "ok; ok >close_notify fin", PASS, "" },
	{ "notify-before-fin: the peer's is another", "c3b", CLOSE, "ok; ok <close_notify >fin", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: the peer's fin", "c3b", CLOSE, "ok; ok <fin", PASS, "" },
	{ "notify-before-fin: its own error alert", "c3b", CLOSE, "ok; ok >alert internal_error fin", PASS, "" },
	{ "notify-before-fin: an alert of level warning, 1.2", "c2b", CLOSE, "ok; ok >alert 100 level warning fin", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: the peer's error alert", "c3b", CLOSE, "ok; ok <alert internal_error >fin", PASS, "" },
	{ "notify-before-fin: a reset", "c3b", CLOSE, "ok; ok <rst >fin", PASS, "" },
	{ "notify-before-fin: a reset afterwards", "c3b", CLOSE, "ok; ok >fin <rst", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: a call had failed", "c3b", HS "peer fin\niut read\niut close\n", "ok; <fin; truncated; ok >fin", PASS, "" },
	{ "notify-before-fin: this very call fails", "c3b", CLOSE, "ok; error >fin", PASS, "" },
	{ "notify-before-fin: a call fails only later", "c3b", HS "iut shutdown\niut read\n", "ok; ok >fin; error", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: between calls, and the next one fails", "c3b", HS "peer fin\niut read\n", "ok; <fin >fin; truncated", PASS, "" },
	{ "notify-before-fin: between calls, and the one that waited fails", "c3b", HS "iut read &\npeer fin\niut await\n",
	  "ok; blocked; <fin >fin; truncated", PASS, "" },
	{ "notify-before-fin: between calls, and the next one is refused", "c3b", HS "peer fin\niut read\n", "ok; <fin >fin; refused", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: between calls, and only the second one fails", "c3b", HS "peer fin\niut write \"x\"\niut read\n",
	  "ok; <fin >fin; ok; error", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: between calls, and one of another connection fails", "c3b", HS "peer fin\n" HS "iut read\n",
	  "ok; <fin >fin; ok; error", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: a call was refused", "c3b", HS "iut read\niut close\n", "ok; refused; ok >fin", FAIL, "fail notify-before-fin 4" },
	{ "notify-before-fin: it crashed", "c3b", CLOSE, "ok; crash SIGSEGV >fin", FAIL, "fail no-crash 3" },
	{ "notify-before-fin: it spins", "c3b", CLOSE, "ok; spins! >fin", FAIL, "fail no-spin 3" },
	{ "notify-before-fin: another connection's error", "c3b", HS "iut read\n" CLOSE, "ok; error; ok; ok >fin", FAIL, "fail notify-before-fin 5" },
	{ "notify-before-fin: abandoned", "c3b", HS "iut abandon\n", "ok; ok >fin", PASS, "" },
	{ "notify-before-fin: another connection was abandoned", "c3b", HS "iut abandon\n" CLOSE, "ok; ok >fin; ok; ok >fin", FAIL, "fail notify-before-fin 5" },
	{ "notify-before-fin: abandoned only later", "c3b", HS "iut shutdown\niut abandon\n", "ok; ok >fin; ok", FAIL, "fail notify-before-fin 3" },
	{ "notify-before-fin: shutdown(2) from outside", "c3b", HS "fd iut shutdown write\n", "ok; >fin", PASS, "" },
	{ "notify-before-fin: shutdown(2) of both", "c3b", HS "fd iut shutdown both\n", "ok; >fin", PASS, "" },
	{ "notify-before-fin: shutdown(2) for reading", "c3b", HS "fd iut shutdown read\niut close\n", "ok; ; ok >fin", FAIL, "fail notify-before-fin 4" },
	{ "notify-before-fin: the path did something", "c3b", HS "path cut\niut close\n", "ok; ; ok >fin", PASS, "" },
	{ "notify-before-fin: inside the handshake", "c3b", HS "iut close\n", "blocked; ok >fin", VOID, "inconclusive - 2" },

	{ "notify-whole: level fatal", "c3b", CLOSE, "ok; ok >close_notify level fatal", FAIL, "fail notify-whole 3" },
	{ "notify-whole: old keys", "c3b", CLOSE, "ok; ok >close_notify keys old", FAIL, "fail notify-whole 3" },
	{ "notify-whole: one byte", "c3b", CLOSE, "ok; ok >alert malformed 1", FAIL, "fail notify-whole 3" },
	{ "notify-whole: the peer's", "c3b", CLOSE, "ok; ok <close_notify level fatal alert malformed 1", PASS, "" },
	{ "notify-whole: told once", "c3b", CLOSE, "ok; ok >alert malformed 1 alert malformed 1", FAIL, "fail notify-whole 3" },

	{ "nothing-in-clear: an alert", "c3b", CLOSE, "ok; ok >alert internal_error keys none", FAIL, "fail nothing-in-clear 3" },
	{ "nothing-in-clear: a ChangeCipherSpec", "c3b", CLOSE, "ok; ok >change_cipher_spec", PASS, "" },
	{ "nothing-in-clear: the peer's", "c3b", CLOSE, "ok; ok <alert internal_error keys none", PASS, "" },

	{ "closed-means-notified", "c3b", HS "peer fin\niut read\n", "ok; <fin; closed", WARN, "warn closed-means-notified 4" },
	{ "closed-means-notified: it came", "c3b", HS "peer close_notify\niut read\n", "ok; <close_notify; closed", PASS, "" },
	{ "closed-means-notified: it came too late", "c3b", HS "iut read\npeer close_notify\n", "ok; closed; <close_notify", WARN, "warn closed-means-notified 3" },
	{ "closed-means-notified: its own is another", "c3b", HS "iut shutdown\niut read\n", "ok; sent >close_notify; closed", WARN, "warn closed-means-notified 4" },
	{ "closed-means-notified: read*", "c3b", HS "peer fin\niut read*\n", "ok; <fin; closed", WARN, "warn closed-means-notified 4" },
	{ "closed-means-notified: a write", "c3b", HS "iut write \"x\"\n", "ok; closed", PASS, "" },
	{ "closed-means-notified: await of a read", "c3b", HS "iut read &\npeer fin\niut await\n", "ok; blocked; <fin; closed", WARN, "warn closed-means-notified 5" },
	{ "closed-means-notified: await of one that had come back", "c3b", HS "iut read &\npeer fin\niut await\n", "ok; ; <fin; closed", WARN, "warn closed-means-notified 5" },
	{ "closed-means-notified: await of a read, a write between", "c3n", "io nonblocking\n" HS "iut read &\niut write \"x\"\npeer fin\niut await\n",
	  "ok; blocked; ok >data 1; <fin; closed", WARN, "warn closed-means-notified 7" },
	{ "closed-means-notified: await of a write", "c3b", HS "iut write 9 &\npeer fin\niut await\n", "ok; blocked; <fin; closed", PASS, "" },
	{ "closed-means-notified: await of a plain read", "c3b", HS "iut plain read &\npeer fin\niut await\n", "ok; blocked; <fin; closed", PASS, "" },
	{ "closed-means-notified: a plain read", "c3b", HS "peer fin\niut plain read\n", "ok; <fin; closed", PASS, "" },
	{ "closed-means-notified: the line tells it", "c3b", HS "peer fin\niut read -> truncated [must]\n", "ok; <fin; closed", FAIL, "fail must 4" },
	{ "closed-means-notified: the line notes it", "c3b", HS "peer fin\niut read -> truncated [may]\n", "ok; <fin; closed", WARN,
	  "noted may 4, warn closed-means-notified 4" },
	{ "closed-means-notified: the line tells it, and another read", "c3b", HS "peer fin\niut read -> truncated [must]\niut read\n", "ok; <fin; closed; closed", FAIL,
	  "fail must 4" },
	{ "closed-means-notified: two reads", "c3b", HS "peer fin\niut read\niut read\n", "ok; <fin; closed; closed", WARN, "warn closed-means-notified 4" },

	{ "complete-means-both", "c3b", HS "peer close_notify\niut shutdown both\n", "ok; <close_notify; complete >close_notify", PASS, "" },
	{ "complete-means-both: no peer's", "c3b", HS "iut shutdown both\n", "ok; complete >close_notify", FAIL, "fail complete-means-both 3" },
	{ "complete-means-both: not its own", "c3b", HS "peer close_notify\niut shutdown both\n", "ok; <close_notify; complete", FAIL, "fail complete-means-both 4" },
	{ "complete-means-both: its own too late", "c3b", HS "peer close_notify\niut shutdown both\n", "ok; <close_notify; complete; >close_notify", FAIL,
	  "fail complete-means-both 4" },

	{ "no-crash", "c3b", HS "iut read\n", "ok; crash SIGSEGV!", FAIL, "fail no-crash 3" },
	{ "no-spin", "c3b", HS "iut read\n", "ok; spins!", FAIL, "fail no-spin 3" },

	{ "notify-before-fin: inside a renegotiation of 1.2", "c2b", HS "iut read\niut close\n", "ok; blocked >handshake client_hello; ok >fin", PASS, "" },
	{ "data-intact: in parts", "c3b", HS "peer write \"hello\"\niut read\niut read\n", "ok; <data 2 data 3; data \"hel\"; data \"lo\"", PASS, "" },
	{ "data-intact: closed before all of it", "c3b", HS "peer write \"hello\"\npeer close_notify\niut read\niut read\n",
	  "ok; <data 5; <close_notify; data \"he\"; closed", FAIL, "fail data-intact 6" },
	{ "data-intact: closed, as somebody shut its reading down", "c3b", HS "fd iut shutdown read\npeer write \"hello\"\npeer close_notify\niut read\n",
	  "ok; ; <data 5; <close_notify; closed", PASS, "" },
	{ "data-intact: closed, and a read had failed", "c3b", HS "peer write \"hello\"\npeer close_notify\niut read\niut read\n",
	  "ok; <data 5; <close_notify; error; closed", PASS, "" },
	{ "data-intact: closed, and a read was refused", "c3b", HS "peer write \"hello\"\npeer close_notify\niut read\niut read\n",
	  "ok; <data 5; <close_notify; refused; closed", FAIL, "fail data-intact 6" },
	{ "data-intact: closed, and a write had failed", "c3b", HS "peer write \"hello\"\npeer close_notify\niut write \"x\"\niut read\n",
	  "ok; <data 5; <close_notify; pipe; closed", FAIL, "fail data-intact 6" },
	{ "data-intact: all of it, then closed", "c3b", HS "peer write \"hello\"\npeer close_notify\niut read\niut read\n",
	  "ok; <data 5; <close_notify; data \"hello\"; closed", PASS, "" },
	{ "data-intact: what the whole exchange threw away", "c3b", HS "peer write \"hello\"\npeer close_notify\niut shutdown both\niut read\n",
	  "ok; <data 5; <close_notify; complete >close_notify; closed", PASS, "" },
	{ "data-intact: less than there is", "c3b", HS "peer write \"hello\"\niut read\n", "ok; <data 5; data \"he\"", PASS, "" },
	{ "data-intact: more", "c3b", HS "peer write \"hello\"\niut read\n", "ok; <data 4; data \"hello\"", FAIL, "fail data-intact 4" },
	{ "data-intact: behind the end is late", "c3b", HS "peer write \"hello\"\npeer close_notify\npeer write \"more\"\niut read\niut read\n",
	  "ok; <data 5; <close_notify; <data 4; data \"hello\"; data \"more\"", FAIL, "fail late-data-ignored 7" },
	{ "data-intact: behind the end, and other bytes", "c3b", HS "peer write \"hello\"\npeer close_notify\npeer write \"more\"\niut read\niut read\n",
	  "ok; <data 5; <close_notify; <data 4; data \"hello\"; data \"mode\"", FAIL, "fail data-intact 7" },
	{ "data-intact: behind an end of odd level", "c3b", HS "peer close_notify level 3\npeer write \"more\"\niut read\n",
	  "ok; <close_notify level 3; <data 4; data \"more\"", PASS, "" },
	{ "data-intact: other bytes", "c3b", HS "peer write \"hello\"\niut read\n", "ok; <data 5; data \"hellO\"", FAIL, "fail data-intact 4" },
	{ "data-intact: bytes behind close_notify", "c3b", HS "peer write \"ab\" + close_notify + write \"cd\"\niut read\n",
	  "ok; <data 2; <close_notify; <data 2; data \"abcd\"", FAIL, "fail late-data-ignored 4" },
	{ "data-intact: told where the run ended", "c3b", HS "peer write \"hello\"\niut read\niut read\niut close\n", "ok; <data 4; data \"hello\"; blocked!", FAIL,
	  "fail data-intact 5" },
	{ "data-intact: sent", "c3b", HS "iut write \"hello\"\n", "ok; ok >data 2 data 3", PASS, "" },
	{ "data-intact: sent more than written", "c3b", HS "iut write \"hello\"\n", "ok; ok >data 6", FAIL, "fail data-intact 3" },
	{ "data-intact: sent what no write was given", "c3b", CLOSE, "ok; ok >data 1", FAIL, "fail data-intact 3" },
	{ "data-intact: part of a write that has not returned", "c3b", HS "iut write \"hello\" &\n", "ok; blocked >data 3", PASS, "" },

	{ "accepted-is-sent", "c3b", WRITE_CLOSE, "ok; ok >data 4; ok >close_notify", FAIL, "fail accepted-is-sent 4" },
	{ "accepted-is-sent: all", "c3b", WRITE_CLOSE, "ok; ok >data 4; ok >data 1 close_notify", PASS, "" },
	{ "accepted-is-sent: without close_notify", "c3b", WRITE_CLOSE, "ok; ok >data 4; ok", PASS, "" },
	{ "accepted-is-sent: a call said so", "c3b", HS "iut write \"hello\"\niut shutdown\niut read\n", "ok; ok >data 4; sent >close_notify; error", PASS, "" },
	{ "accepted-is-sent: it was not accepted", "c3b", WRITE_CLOSE, "ok; blocked >data 4; ok >close_notify", PASS, "" },
	{ "notify-before-fin: behind the peer's close_notify at level fatal", "c2b", HS "peer close_notify level fatal\niut close\n",
	  "ok; <close_notify level fatal; ok >fin", PASS, "" },
	{ "write-refused-after-notify", "c3b", HS "iut shutdown\niut write \"x\"\n", "ok; sent >close_notify; ok", FAIL, "fail write-refused-after-notify 4" },
	{ "write-refused-after-notify: with it", "c3b", HS "iut write \"x\"\niut close\n", "ok; ok >data 1 close_notify; ok >fin", PASS, "" },
	{ "write-refused-after-notify: it began before", "c3n", "io nonblocking\n" HS "iut write \"x\" &\niut shutdown\niut await\n",
	  "ok; ; sent >data 1 close_notify; ok", PASS, "" },

	{ "no-other-connection", "c3b", CLOSE, "ok; ok >close_notify fin; stranger", FAIL, "fail no-other-connection 3" },
	{ "nothing-left-behind", "c3b", CLOSE, "ok; ok >close_notify fin; left", FAIL, "fail nothing-left-behind 3" },

	{ "except", "c3b", "except notify-before-fin so\n" CLOSE, "ok; ok >fin", PASS, "" },
	{ "except: of that one only", "c3b", "except notify-once so\n" CLOSE, "ok; ok >fin", FAIL, "fail notify-before-fin 4" },
	{ "two rules, two lines", "c3b", HS "iut write \"hello\"\niut shutdown\niut close\n", "ok; ok >data 4; sent >close_notify; ok >unopened",
	  FAIL, "fail nothing-after-notify 5, fail accepted-is-sent 4" },
	{ "two rules of one weight, one line", "c3b", CLOSE, "ok; ok >close_notify keys none", FAIL, "fail notify-whole 3" },
	{ "a heavier rule on a line that warns", "c3b", HS "iut close -> error [should]\n", "ok; ok >fin", FAIL, "warn should 3, fail notify-before-fin 3" },
	{ "a lighter one on a line that fails", "c3b", HS "peer fin\niut read -> error [must]\n", "ok; <fin; closed", FAIL, "fail must 4" },
	{ "a precondition on the line tells nothing of rules", "c3b", HS "iut close -> error\n", "ok; ok >fin", FAIL, "inconclusive - 3, fail notify-before-fin 3" },
	{ "after the last step: told at the last line", "c3b", CLOSE, "ok; ok; >fin", FAIL, "fail notify-before-fin 3" },
};

#define NO_PROMISES (struct promises){ NULL, 0 }

START_TEST(call_row)      { must_be(&calls[_i], NO_PROMISES); } END_TEST
START_TEST(weight_row)    { must_be(&weights[_i], NO_PROMISES); } END_TEST
START_TEST(promised_row)  { must_be(&promised_rows[_i], (struct promises){ promised_names, countof(promised_names) }); } END_TEST
START_TEST(wire_row)      { must_be(&wires[_i], NO_PROMISES); } END_TEST
START_TEST(end_row)       { must_be(&ends[_i], NO_PROMISES); } END_TEST
START_TEST(invariant_row) { must_be(&invariants[_i], NO_PROMISES); } END_TEST

/* --- a rule with two readings ------------------------------------------------------------------------------------------ */

static const struct { const char *name, *variant, *text, *seen; enum reading want; } readings[] = {
	{ "as written", "c2b", HS "iut write \"x\" -> fails [old-rule]\n", "ok; refused", READING_AS_WRITTEN },
	{ "as practised", "c2b", HS "iut write \"x\" -> fails [old-rule]\n", "ok; ok >data 1", READING_AS_PRACTISED },
	{ "1.3 has one", "c3b", HS "iut write \"x\" -> fails [old-rule]\n", "ok; ok >data 1", READING_NONE },
	{ "a case that does not tell", "c2b", HS "iut read -> blocked [must]\n", "ok; blocked", READING_NONE },
	{ "a line that did not run", "c2b", HS "@1.3 iut write \"x\" -> fails [old-rule]\n", "ok; -", READING_NONE },
};

START_TEST(reading_row)
{
	struct judgement j;
	struct built b;

	build(&b, rules, readings[_i].variant, readings[_i].text, readings[_i].seen);
	judge(&b.e, &b.reqs, NO_PROMISES, &j);
	ck_assert_msg(j.reading == readings[_i].want, "%s: %d", readings[_i].name, j.reading);
	judgement_free(&j);
	built_free(&b);
}
END_TEST

/* --- what was written, in the clear ------------------------------------------------------------------------------------ */

/* One item with its bytes. keys: whether the handshake is over. */
static const struct { const char *name; enum item_kind kind; bool in_handshake; const char *text, *bytes; bool leaks; } leaks[] = {
	{ "a record that no key opens, and its text",  ITEM_UNOPENED, false, "iut write \"hello\"\n", "\27\3\3\0\5hello", true },
	{ "a part of the text",                        ITEM_UNOPENED, false, "iut write \"hello\"\n", "\27\3\3\0\3ell",   true },
	{ "other bytes",                               ITEM_UNOPENED, false, "iut write \"hello\"\n", "\27\3\3\0\5hellO", false },
	{ "a record of nothing",                       ITEM_UNOPENED, false, "iut write \"hello\"\n", "\27\3\3\0\0",      false },
	{ "no record at all",                          ITEM_RAW,      false, "iut write \"hello\"\n", "hello",            true },
	{ "no record, and a `plain write`",            ITEM_RAW,      false, "iut plain write \"hello\"\niut write \"hello\"\n", "hello", false },
	{ "before there are keys",                     ITEM_DATA,     true,  "iut write \"hello\"\n", "\27\3\3\0\5hello", true },
	{ "sealed data",                               ITEM_DATA,     false, "iut write \"hello\"\n", "\27\3\3\0\5hello", false },
	{ "nothing was written",                       ITEM_RAW,      false, "iut read\n",            "hello",            false },
};

START_TEST(leak_row)
{
	struct buf text = { 0 }, want = { 0 };
	struct judgement j;
	struct conn_seen *c;
	struct built b;
	size_t n;

	buf_printf(&text, HS "%s", leaks[_i].text);
	build(&b, rules, "c3b", buf_str(&text), strstr(leaks[_i].text, "plain") ? "ok; ok; error >unopened" : "ok; error >unopened");
	c = &b.e.conns[0];
	n = leaks[_i].kind == ITEM_RAW ? 5 : (size_t)5 + (size_t)leaks[_i].bytes[4];
	buf_add(&c->stream.dir[0].data, leaks[_i].bytes, n);
	c->decoded.items[0].item = (struct item){ .kind = leaks[_i].kind, .len = 5 };
	c->decoded.items[0].in_handshake = leaks[_i].in_handshake;
	c->decoded.items[0].end = n;
	judge(&b.e, &b.reqs, NO_PROMISES, &j);
	findings_text(&j, &want);
	ck_assert_msg(strncmp(buf_str(&want), "fail nothing-in-clear", 21) == 0 ? leaks[_i].leaks : !leaks[_i].leaks && !j.n, "%s: %s", leaks[_i].name,
	              buf_str(&want));
	judgement_free(&j);
	buf_free(&text);
	buf_free(&want);
	built_free(&b);
}
END_TEST

/* --- unsupported and broken -------------------------------------------------------------------------------------------- */

static const struct { const char *name, *text, *seen; enum verdict verdict; const char *reason; } reasons[] = {
	{ "the adapter has no such call", HS "iut shutdown write -> sent [must]\n", "ok; unsupported!", VERDICT_UNSUPPORTED, "no `iut shutdown write`" },
	{ "what weighs was left out", HS "iut shutdown write ? -> sent [must]\niut close\n", "ok; ?; ok >fin", VERDICT_UNSUPPORTED, "left out" },
	{ "something else weighs", HS "iut shutdown write ? -> sent [must]\niut close -> ok [must]\n", "ok; ?; ok >close_notify fin", PASS, NULL },
	{ "what weighs stands there for the other version", HS "iut shutdown write ? -> sent [must]\n@1.2 iut close -> ok [must]\n", "ok; ?; -",
	  VERDICT_UNSUPPORTED, "left out" },
	{ "what was left out does not weigh", HS "iut shutdown write ? -> sent\niut close\n", "ok; ?; ok >close_notify fin", PASS, NULL },
	{ "left out, and nothing weighs", HS "iut shutdown write ?\niut close\n", "ok; ?; ok >close_notify fin", PASS, NULL },
};

START_TEST(reason_row)
{
	struct judgement j;
	struct built b;

	build(&b, rules, "c3b", reasons[_i].text, reasons[_i].seen);
	judge(&b.e, &b.reqs, NO_PROMISES, &j);
	ck_assert_msg(j.verdict == reasons[_i].verdict, "%s: %s", reasons[_i].name, verdict_word(j.verdict));
	ck_assert_msg(!reasons[_i].reason == !j.reason && (!j.reason || strstr(j.reason, reasons[_i].reason)), "%s: %s", reasons[_i].name, j.reason);
	judgement_free(&j);
	built_free(&b);
}
END_TEST

/* The suite's own failure comes before any finding. */
START_TEST(broken)
{
	struct judgement j;
	struct built b;

	build(&b, rules, "c3b", HS "peer fin\niut close\n", "ok; <fin; ok >fin");
	b.e.conns[0].fin_sent = false;
	judge(&b.e, &b.reqs, NO_PROMISES, &j);
	ck_assert(j.verdict == VERDICT_BROKEN && j.n == 0 && strstr(j.reason, "FIN"));
	judgement_free(&j);
	built_free(&b);
}
END_TEST

/* What a reader of the report sees. */
static const struct { const char *text, *seen, *allowed, *observed, *native; } shown[] = {
	{ HS "iut read  5 -> blocked|closed [must]\n", "ok; alert 40 as r=-1 \"x\"", "iut read 5 -> blocked|closed", "iut read 5 -> alert handshake_failure", "r=-1 \"x\"" },
	{ HS "iut read -> blocked [must]\n", "ok; error", "iut read -> blocked", "iut read -> error", NULL },
	{ HS "iut write 5\nwire iut -> fin [must]\n", "ok; ok >data 2 data 3;", "wire iut -> fin", "wire iut -> data 5", NULL },
	{ HS "tcp iut -> closed [must]\n", "ok; listen", "tcp iut -> closed", "tcp iut -> listen", NULL },
	{ HS "iut close\n", "alert 40 as r=0!", "handshake -> ok", "handshake -> alert handshake_failure", "r=0" },
	{ HS "iut read\niut close\n", "ok; blocked!", "iut read -> an end of the call", "iut read -> blocked", NULL },
	{ HS "peer fin\npeer rst\niut close\n", "ok; <fin >close_notify fin; over!", "peer rst -> a connection to do it to",
	  "peer rst -> the implementation has ended it", NULL },
	{ HS "wire iut -> nothing\n", "ok; ; >rst", "nothing after the last line", "wire iut -> rst", NULL },
	{ HS "iut close\n", "ok; ok as r=1 >fin", "close_notify before fin", "wire iut -> fin without close_notify before it", "r=1" },
};

START_TEST(shown_row)
{
	struct judgement j;
	struct built b;

	build(&b, rules, "c3b", shown[_i].text, shown[_i].seen);
	judge(&b.e, &b.reqs, NO_PROMISES, &j);
	ck_assert_uint_eq(j.n, 1);
	ck_assert_str_eq(j.findings[0].allowed, shown[_i].allowed);
	ck_assert_str_eq(j.findings[0].observed, shown[_i].observed);
	ck_assert_msg(!shown[_i].native == !j.findings[0].native && (!shown[_i].native || strcmp(j.findings[0].native, shown[_i].native) == 0), "%s",
	              j.findings[0].native);
	judgement_free(&j);
	built_free(&b);
}
END_TEST

/* Early data that the server has not taken was for nobody to read; what it has taken is a part of the stream like any other. */
START_TEST(early_data)
{
	struct promises none = { 0 };
	struct judgement j;
	struct built b;

	build(&b, rules, "s3b", "tls 1.3\nrole server\noption early-data\niut early read &\npeer write \"hello\"\niut await -> ok\n"
	      "peer write \"more\" + close_notify\niut read -> data \"more\"\niut read -> closed\n",
	      "blocked; <data 5; ok; <data 4; <close_notify; data \"more\"; closed");
	b.e.conns[0].decoded.early = 5;
	b.e.conns[0].decoded.early_accepted = _i;
	judge(&b.e, &b.reqs, none, &j);
	ck_assert_int_eq(j.verdict, _i ? FAIL : PASS);
	ck_assert_uint_eq(j.n, (size_t)_i);
	ck_assert(!_i || strcmp(j.findings[0].req->name, "data-intact") == 0);
	judgement_free(&j);
	built_free(&b);
}
END_TEST

/* An end that early data is told of counts as a read's: without a close_notify of the peer's there is none. */
START_TEST(early_end)
{
	must_be(&(struct row){ "cut", "s3b", "tls 1.3\nrole server\noption early-data\npeer fin\niut early read -> closed | fails [must]\n", "<fin; closed", WARN,
	                       "warn closed-means-notified 6" }, (struct promises){ 0 });
	must_be(&(struct row){ "notified", "s3b", "tls 1.3\nrole server\noption early-data\npeer close_notify\niut early read -> closed [must]\n",
	                       "<close_notify; closed", PASS, "" }, (struct promises){ 0 });
}
END_TEST

ROWS_MAIN("judge", { early_data, 2 }, { early_end, 1 }, { call_row, countof(calls) }, { weight_row, countof(weights) }, { promised_row, countof(promised_rows) },
          { wire_row, countof(wires) }, { end_row, countof(ends) }, { invariant_row, countof(invariants) }, { reading_row, countof(readings) }, { leak_row, countof(leaks) },
          { reason_row, countof(reasons) }, { broken, 1 }, { shown_row, countof(shown) })
