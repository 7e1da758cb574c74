/* Traces: text and back, every fault with its place, and what becomes of a run's evidence. */
#include "runner/trace.h"

#include <ftw.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "peer/record.h"
#include "tests/check_rows.h"

static bool parse(struct trace *t, const char *text, size_t n, struct fault *f)
{
	struct bytes copy = exact((struct bytes){ (const uint8_t *)text, n });
	bool ok = trace_parse(t, "s.trace", (const char *)copy.p, copy.n, f);

	free((void *)copy.p);
	return ok;
}

static void must_parse(struct trace *t, const char *text)
{
	struct fault f = { 0 };

	ck_assert_msg(parse(t, text, strlen(text), &f), "%s\n%d:%d: %s", text, f.line, f.col, f.msg);
}

static void must_print(const struct trace *t, const char *want)
{
	struct buf out = { 0 };

	trace_print(&out, t);
	ck_assert_str_eq(buf_str(&out), want);
	buf_free(&out);
}

/* --- text and back --- */

#define LETTERS16 "abcdefghijklmnop"
#define LETTERS64 LETTERS16 LETTERS16 LETTERS16 LETTERS16

/* prints: NULL where the text is what is printed. */
static const struct { const char *text, *prints; } rows[] = {
	{ "", NULL },
	{ "peer  close_notify\n", NULL },
	{ "peer  write \"last\" + close_notify + fin\n", NULL },
	{ "peer  write \"a # b -> c\" cut -1\n", NULL },
	{ "peer  record alert 0100 keys none\n", NULL },
	{ "fd    iut shutdown read\n", NULL },
	{ "path  forge fin to iut\n", NULL },
	{ "path  cut\n", NULL },
	{ "handshake -> ok\n", NULL },
	{ "handshake resume -> resumed as SSL_connect=1\n", NULL },
	{ "switch\n", NULL },
	{ "switch -> unsupported\n", NULL },
	{ "iut   read &\n", NULL },
	{ "iut   read & -> blocked as SSL_read=-1 SSL_ERROR_WANT_READ\n", NULL },
	{ "iut   read\n", NULL },
	{ "iut   read 5 -> data \"hello\" as SSL_read=5\n", NULL },
	{ "iut   read -> data \"\\x00\\xff\\n\\\"\\\\\"\n", NULL },
	{ "iut   read -> data \"\"\n", NULL },
	{ "iut   read -> data \"" LETTERS64 "\"\n", NULL },
	{ "iut   read -> data \"" LETTERS64 "q\"\n", "iut   read -> data 65\n" },
	{ "iut   read -> data 5\n", NULL },
	{ "iut   read -> data 16384 as SSL_read=16384\n", NULL },
	{ "iut   read* -> closed\n", NULL },
	{ "iut   read* -> data 1275 closed as SSL_read=0\n", NULL },
	{ "iut   read* -> data 7 alert bad_record_mac as SSL_read=-1\n", NULL },
	{ "iut   read* -> data 7 crash SIGSEGV\n", NULL },
	{ "iut   read* -> data 0 closed\n", "iut   read* -> closed\n" },
	{ "iut   read -> alert 200\n", NULL },
	{ "iut   read -> alert 40\n", "iut   read -> alert handshake_failure\n" },
	{ "iut   close -> crash SIGABRT as \"double free\\n\"\n", NULL },
	{ "iut   close -> crash its stdout closed\n", NULL },
	{ "iut   close -> error as close=-1 errno=9 \"Bad file # descriptor\" -> x | y\n", NULL },
	{ "wire  iut -> close_notify fin\n", NULL },
	{ "wire  peer -> data 5\n", NULL },
	{ "wire  iut other -> alert internal_error\n", NULL },
	{ "wire  peer other -> fin\n", NULL },
	{ "wire  peer -> data partial\n", NULL },
	{ "wire  iut -> data fin\n", NULL },
	{ "wire  peer -> close_notify data 2 data partial rst\n", "wire  peer -> close_notify data partial rst\n" },
	{ "wire  iut -> data 3 data 2 data 1 keys old data 1\n", "wire  iut -> data 5 data 1 keys old data 1\n" },
	{ "wire  peer -> handshake server_hello change_cipher_spec handshake encrypted_extensions handshake finished\n", NULL },
	{ "wire  iut -> alert user_canceled level warning close_notify level fatal keys none raw 7 unopened partial rst\n", NULL },
	{ "wire  iut -> alert user_canceled\n", "wire  iut -> alert user_canceled level fatal\n" },
	{ "wire  iut -> alert malformed 3 key_update requested key_update ticket\n", NULL },
	{ "tcp   iut -> close-wait\n", NULL },
	{ "tcp   peer -> fin-wait-2\n", NULL },
	{ "# known: see there\n\n   \npeer  fin\n  # more\ntcp   iut -> closed\n", "peer  fin\ntcp   iut -> closed\n" },
	{ "peer fin # not before the data\n", "peer  fin\n" },
	{ "\tiut\tread   5  ->  data   \"x\"   as   SSL_read=1  two  \n", "iut   read 5 -> data \"x\" as SSL_read=1  two\n" },
	{ "tcp iut->closed", "tcp   iut -> closed\n" },
	{ "peer  fin\r\niut   read -> closed as 0\r\n", "peer  fin\niut   read -> closed as 0\n" },
};

START_TEST(text_and_back)
{
	const char *want = rows[_i].prints ? rows[_i].prints : rows[_i].text;
	struct trace t, back;

	must_parse(&t, rows[_i].text);
	must_print(&t, want);
	must_parse(&back, want);
	ck_assert_msg(trace_equal(&t, &back), "%s", want);
	trace_free(&t);
	trace_free(&t);
	trace_free(&back);
}
END_TEST

/* --- values and back --- */

static struct event *add(struct trace *t, enum event_kind kind)
{
	t->events = reallocarray(t->events, t->n + 1, sizeof(*t->events));
	ck_assert_ptr_nonnull(t->events);
	t->events[t->n] = (struct event){ .kind = kind };
	return &t->events[t->n++];
}

static struct answer *add_answer(struct trace *t, enum outcome o)
{
	struct event *ev = add(t, EVENT_CALL);

	buf_printf(&ev->words, "iut read");
	ev->answered = true;
	ev->answer = answer_of(o);
	return &ev->answer;
}

static void add_item(struct event *ev, struct item it)
{
	ev->items = reallocarray(ev->items, ev->nitems + 1, sizeof(*ev->items));
	ck_assert_ptr_nonnull(ev->items);
	ev->items[ev->nitems++] = it;
}

static void must_come_back(struct trace *t)
{
	struct buf text = { 0 };
	struct fault f = { 0 };
	struct trace back;

	trace_print(&text, t);
	ck_assert_msg(parse(&back, buf_str(&text), text.n, &f), "%s\n%d:%d: %s", buf_str(&text), f.line, f.col, f.msg);
	ck_assert_msg(trace_equal(t, &back), "%s", buf_str(&text));
	trace_free(&back);
	buf_free(&text);
	trace_free(t);
}

START_TEST(outcomes_come_back)
{
	for (int with = 0; with < 4; with++) {
		for (int o = 0; o < OUTCOME_COUNT; o++) {
			struct trace t = { 0 };
			struct answer *a = add_answer(&t, (enum outcome)o);

			if (with & 1)
				buf_printf(&a->native, "SSL_read=-1 \"no # such -> thing\" as \"\\\"");
			if (with & 2 && o != OUTCOME_DATA)
				a->sum = 70000;
			if (o == OUTCOME_ALERT)
				a->alert = with & 1 ? 40 : 199;
			if (o == OUTCOME_CRASH)
				buf_printf(&a->text, with & 1 ? "exit 3" : "SIGSEGV");
			if (o == OUTCOME_DATA) {
				a->only_len = with & 2;
				a->len = with & 2 ? 1000000000000 : 5;
				if (!a->only_len)
					buf_printf(&a->text, "hello");
			}
			must_come_back(&t);
		}
	}
}
END_TEST

/* Data of every length around the one from which on they are not shown. */
START_TEST(texts_come_back)
{
	for (size_t n = 0; n <= ANSWER_TEXT_MAX; n++) {
		struct trace t = { 0 };
		struct answer *a = add_answer(&t, OUTCOME_DATA);

		for (size_t i = 0; i < n; i++)
			buf_u8(&a->text, (unsigned)(i * 37 + n) & 255);
		a->len = (int64_t)n;
		must_come_back(&t);
	}
}
END_TEST

START_TEST(items_come_back)
{
	for (int kind = ITEM_DATA; kind <= ITEM_RST; kind++) {
		for (int code = 0; code < 256; code++) {
			bool coded = kind == ITEM_ALERT || kind == ITEM_HANDSHAKE || (kind == ITEM_KEY_UPDATE && code < 2);
			struct trace t = { 0 };
			struct event *ev = add(&t, EVENT_WIRE);
			struct item it = { .kind = (enum item_kind)kind, .code = coded ? code : 0 };

			ev->peer = code % 2;
			it.level = kind == ITEM_ALERT ? code % 4 : 0;
			it.keys = kind < ITEM_RAW ? (enum item_keys)(code % 5) : KEYS_USUAL;
			it.len = kind == ITEM_DATA || kind == ITEM_RAW ? code * 1000 : 0;
			add_item(ev, it);
			add_item(ev, (struct item){ .kind = ITEM_ALERT, .code = ITEM_ANY, .level = ITEM_ANY, .malformed = true, .len = 3 });
			add_item(ev, it);
			must_come_back(&t);
		}
	}
}
END_TEST

START_TEST(states_come_back)
{
	for (int state = TCP_ESTABLISHED; state <= TCP_CLOSING; state++) {
		struct trace t = { 0 };
		struct event *ev = add(&t, EVENT_TCP);

		ev->state = state;
		ev->peer = state % 2;
		must_come_back(&t);
	}
}
END_TEST

/* --- faults --- */

static const struct { const char *text; int line, col; const char *says; } wrong[] = {
	{ "wire iut -> data 999999999999999 data 1", 1, 34, "more bytes" },
	{ "per  fin",                                1, 1,  "did you mean `peer`" },
	{ "peer  fin\n\n# x\n-> ok",                 4, 1,  "`->` is no actor" },
	{ "peer  fin\n  \"x\"",                      2, 3,  "no actor" },
	{ "peer",                                    1, 5,  "missing here: what is done" },
	{ "peer -> closed",                          1, 6,  "expected here: what is done" },
	{ "path  cut -> ok",                         1, 11, "too much" },
	{ "peer  write \"x",                         1, 13, "no end" },
	{ "peer  \x01",                              1, 7,  "0x01" },
	{ "iut",                                     1, 4,  "missing here: a call" },
	{ "iut  -> ok",                              1, 6,  "expected here: a call" },
	{ "iut   read ->",                           1, 14, "missing here: an outcome" },
	{ "iut   read -> \"x\"",                     1, 15, "expected here: an outcome" },
	{ "iut   read -> clozed",                    1, 15, "did you mean `closed`" },
	{ "iut   read -> closed now",                1, 22, "too much" },
	{ "iut   read -> closed | reset",            1, 22, "too much" },
	{ "iut   read -> closed as",                 1, 24, "missing here: the native return" },
	{ "iut   read -> closed as   ",              1, 24, "missing here: the native return" },
	{ "iut   read -> data",                      1, 19, "missing here: a text in quotes" },
	{ "iut   read -> data as x",                 1, 20, "expected here: a text in quotes" },
	{ "iut   read -> data \"\\q\"",              1, 20, "escape" },
	{ "iut   read -> data -1",                   1, 20, "expected here" },
	{ "iut   read -> data 1234567890123456",     1, 20, "expected here" },
	{ "iut   read -> data \"x\" closed",         1, 24, "too much" },
	{ "iut   read -> data 5 data 6",             1, 22, "what ends a `read*`" },
	{ "iut   read -> data 5 clozed",             1, 22, "did you mean `closed`" },
	{ "iut   read -> alert",                     1, 20, "missing here: the name" },
	{ "iut   read -> alert as x",                1, 21, "expected here: the name" },
	{ "iut   read -> alert 256",                 1, 21, "expected here: the name" },
	{ "iut   close -> crash \"x",                1, 22, "no end" },
	{ "handshake -> okay",                       1, 14, "no outcome" },
	{ "wire",                                    1, 5,  "missing here: `iut` or `peer`" },
	{ "wire  pear -> fin",                       1, 7,  "expected here: `iut` or `peer`" },
	{ "wire  iut",                               1, 10, "missing here: `->`" },
	{ "wire  iut fin",                           1, 11, "expected here: `->`" },
	{ "wire  iut other fin",                     1, 17, "expected here: `->`" },
	{ "tcp   iut other -> closed",               1, 11, "expected here: `->`" },
	{ "wire  iut ->",                            1, 13, "missing here: what went" },
	{ "wire  iut -> nothing",                    1, 14, "no thing on the wire" },
	{ "wire  iut -> close_notfy",                1, 14, "did you mean `close_notify`" },
	{ "wire  iut -> fin close_notfy",            1, 18, "did you mean `close_notify`" },
	{ "wire  iut -> alert",                      1, 14, "lacks a word" },
	{ "wire  iut -> data 5 alert fin",           1, 27, "cannot stand here" },
	{ "wire  iut -> fin keys old",               1, 18, "cannot stand here" },
	{ "wire  iut -> close_notify level high",    1, 33, "cannot stand here" },
	{ "wire  iut -> (fin | rst)",                1, 14, "expected here: what went" },
	{ "wire  iut -> fin \"x",                    1, 18, "no end" },
	{ "tcp   iut ->",                            1, 13, "missing here: a state" },
	{ "tcp   iut -> \"closed\"",                 1, 14, "expected here: a state" },
	{ "tcp   iut -> close-wai",                  1, 14, "did you mean `close-wait`" },
	{ "tcp   iut -> closed | listen",            1, 21, "too much" },
};

START_TEST(wrong_row)
{
	struct fault f = { 0 };
	struct trace t;

	ck_assert_msg(!parse(&t, wrong[_i].text, strlen(wrong[_i].text), &f), "%s: parses", wrong[_i].text);
	ck_assert_msg(f.line == wrong[_i].line && f.col == wrong[_i].col, "%s: at %d:%d: %s", wrong[_i].text, f.line, f.col, f.msg);
	ck_assert_msg(strstr(f.msg, wrong[_i].says) != NULL, "%s: %s", wrong[_i].text, f.msg);
	ck_assert_msg(strcmp(f.file, "s.trace") == 0 && t.n == 0 && !t.events, "%s", wrong[_i].text);
}
END_TEST

static const char long_trace[] =
	"# client 1.3 blocking\n"
	"handshake -> ok as SSL_connect=1\n"
	"wire  iut -> handshake client_hello\n"
	"wire  peer -> handshake server_hello change_cipher_spec handshake encrypted_extensions handshake certificate "
	"handshake certificate_verify handshake finished\n"
	"wire  iut -> change_cipher_spec handshake finished\n"
	"\n"
	"peer  write \"last\" cut 3 + key_update requested + record alert 0100 keys none + fin\n"
	"wire  peer -> data 4 key_update requested close_notify keys none fin\n"
	"iut   read -> data \"last\\n\" as SSL_read=4\n"
	"fd    iut linger 0   # from outside\n"
	"iut   read* -> data 12 alert handshake_failure as SSL_read=-1 SSL_ERROR_SSL \"reason(40)\"\n"
	"iut   read &\n"
	"path  icmp host-unreachable to iut\n"
	"iut   await -> crash SIGSEGV as \"a stack\"\n"
	"tcp   peer -> fin-wait-2\n"
	"wire  iut -> alert malformed 3 raw 12 unopened partial rst\n";

/* And with one byte changed: read, or refused with a place in the file. */
START_TEST(every_prefix)
{
	struct fault f = { 0 };
	struct trace t;

	must_parse(&t, long_trace);
	ck_assert_uint_eq(t.n, 14);
	trace_free(&t);
	for (size_t n = 0; n < sizeof(long_trace); n++) {
		if (!parse(&t, long_trace, n, &f))
			ck_assert_msg(f.line > 0 && f.col > 0, "%zu bytes: %s", n, f.msg);
		trace_free(&t);
	}
}
END_TEST

START_TEST(every_byte_changed)
{
	char text[sizeof(long_trace)];
	struct fault f = { 0 };
	struct trace t;

	for (size_t i = 0; i < sizeof(long_trace) - 1; i++) {
		memcpy(text, long_trace, sizeof(text));
		text[i] = "\0\n \"->#\xff"[i % 8];
		if (parse(&t, text, sizeof(text) - 1, &f))
			must_come_back(&t);
		else
			ck_assert_msg(f.line > 0 && f.col > 0, "byte %zu: %s", i, f.msg);
	}
}
END_TEST

/* --- equal --- */

static const struct { const char *a, *b; bool equal; } pairs[] = {
	{ "wire iut -> fin",                     "wire iut other -> fin",                   false },
	{ "",                                       "",                                                 true },
	{ "peer  fin\n",                            "",                                                 false },
	{ "peer  fin\n",                            "# why\npeer fin\n",                                true },
	{ "peer  fin\n",                            "peer  rst\n",                                      false },
	{ "peer  fin\n",                            "iut   fin\n",                                      false },
	{ "peer  fin\n",                            "peer  fin\npeer  fin\n",                           false },
	{ "iut   read -> closed as r=0",            "iut   read -> closed as r=0",                      true },
	{ "iut   read -> closed as r=0",            "iut   read -> closed as r=1",                      false },
	{ "iut   read -> closed as r=0",            "iut   read -> closed",                             false },
	{ "iut   read -> error as r=0 \"one\"",     "iut   read -> error as r=0 \"two # three\"",       true },
	{ "iut   read -> error as r=0 \"one\"",     "iut   read -> error as r=0",                       true },
	{ "iut   read -> error as \"one\" r=0",     "iut   read -> error as r=0",                       true },
	{ "iut   read -> error as r=0 \"one\" x",   "iut   read -> error as r=0 x",                     true },
	{ "iut   read -> error as r=0 \"one\" x",   "iut   read -> error as r=0 \"one\" y",             false },
	{ "iut   read -> error as r=0 \"one",       "iut   read -> error as r=0 \"two",                 false },
	{ "iut   read -> error as \"\\x4\" \"1\"",   "iut   read -> error as \"\\x4\" \"2\"",        false },
	{ "iut   read -> data \"a\"",               "iut   read -> data \"b\"",                         false },
	{ "iut   read -> data \"a\"",               "iut   read -> data 1",                             false },
	{ "iut   read -> data 100",                 "iut   read -> data 101",                           false },
	{ "iut   read* -> data 100 closed",         "iut   read* -> data 101 closed",                   false },
	{ "iut   read* -> data 100 closed",         "iut   read* -> closed",                            false },
	{ "iut   read -> alert 40",                 "iut   read -> alert handshake_failure",            true },
	{ "iut   read -> alert 40",                 "iut   read -> alert 41",                           false },
	{ "iut   read -> crash SIGSEGV",            "iut   read -> crash SIGABRT",                      false },
	{ "iut   read -> ok",                       "iut   read",                                       false },
	{ "iut   read -> ok",                       "iut   write -> ok",                                false },
	{ "wire  iut -> fin",                       "wire  peer -> fin",                                false },
	{ "wire  iut -> fin",                       "wire  iut -> rst",                                 false },
	{ "wire  iut -> fin",                       "wire  iut -> fin fin",                             false },
	{ "wire  iut -> data 5",                    "wire  iut -> data 4",                              false },
	{ "wire  iut -> data 5",                    "wire  iut -> data 4 data 1",                       true },
	{ "wire  iut -> close_notify",              "wire  iut -> close_notify keys old",               false },
	{ "wire  iut -> close_notify",              "wire  iut -> close_notify level fatal",            false },
	{ "wire  iut -> close_notify fin",          "wire  iut -> close_notify\nwire  iut -> fin",      false },
	{ "tcp   iut -> closed",                    "tcp   iut -> closing",                             false },
	{ "tcp   iut -> closed",                    "tcp   peer -> closed",                             false },
};

/* What is left without its texts holds none: it is the same when it is read again. */
static void same_again(const struct buf *printed)
{
	struct buf text = { 0 }, again = { 0 };
	struct trace t;

	buf_add_bytes(&text, buf_bytes(printed));
	must_parse(&t, buf_str(&text));
	trace_drop_texts(&t);
	trace_print(&again, &t);
	ck_assert_str_eq(buf_str(&again), buf_str(&text));
	trace_free(&t);
	buf_free(&text);
	buf_free(&again);
}

START_TEST(equal_row)
{
	struct buf x = { 0 }, y = { 0 };
	struct trace a, b;

	must_parse(&a, pairs[_i].a);
	must_parse(&b, pairs[_i].b);
	ck_assert_msg(trace_equal(&a, &b) == pairs[_i].equal, "%s, and %s", pairs[_i].a, pairs[_i].b);
	ck_assert(trace_equal(&b, &a) == pairs[_i].equal);
	trace_drop_texts(&a);
	trace_drop_texts(&b);
	trace_print(&x, &a);
	trace_print(&y, &b);
	ck_assert_msg(bytes_equal(buf_bytes(&x), buf_bytes(&y)) == pairs[_i].equal, "without texts: %s, and %s", buf_str(&x), buf_str(&y));
	same_again(&x);
	same_again(&y);
	buf_free(&x);
	buf_free(&y);
	trace_free(&a);
	trace_free(&b);
}
END_TEST

/* --- from evidence --- */

static const char the_case[] =
	"title t\n"
	"needs concurrent\n"
	"handshake\n"                                                   /* 0 */
	"iut read &\n"                                                  /* 1 */
	"peer write \"last\" + close_notify + fin\n"                    /* 2 3 4 */
	"iut await -> data \"last\"\n"                                  /* 5 */
	"wire iut -> nothing\n"                                         /* 6 */
	"@1.2 iut read -> closed\n"                                     /* 7 */
	"iut shutdown write ? -> sent\n"                                /* 8 */
	"fd iut linger 0\n"                                             /* 9 */
	"iut write 100 -> pipe\n"                                       /* 10 */
	"iut close\n"                                                   /* 11 */
	"tcp iut -> closed\n"                                           /* 12 */
	"handshake resume -> resumed | full\n"                          /* 13 */
	"iut read & \n"                                                 /* 14 */
	"path cut\n";                                                   /* 15 */

static struct requirements reqs;

static void read_script(struct script *s, const char *text)
{
	struct fault f = { 0 };

	ck_assert_msg(script_parse(s, "cases/t/c.case", text, strlen(text), 0, NULL, &f), "%d:%d: %s", f.line, f.col, f.msg);
}

static void read_case(struct script *s)
{
	struct fault f = { 0 };

	ck_assert_msg(script_parse(s, "cases/theme/name.case", the_case, strlen(the_case), 0, &reqs, &f), "%d:%d: %s", f.line, f.col, f.msg);
	ck_assert_uint_eq(s->nsteps, 16);
}

/* A packet of its own for each item; only the steps of the frames count. */
static void saw(struct evidence *e, int conn, size_t step, bool peer, struct item it)
{
	struct conn_seen *c = &e->conns[conn];
	struct decoded *d = &c->decoded;

	if (conn >= e->nconns)
		e->nconns = conn + 1;
	e->frames = reallocarray(e->frames, e->nframes + 1, sizeof(*e->frames));
	c->packet_frame = reallocarray(c->packet_frame, c->npackets + 1, sizeof(*c->packet_frame));
	d->items = reallocarray(d->items, d->n + 1, sizeof(*d->items));
	ck_assert(e->frames && c->packet_frame && d->items);
	e->frames[e->nframes] = (struct frame){ .step = step };
	d->items[d->n++] = (struct seen_item){ .item = it, .dir = iut_dir(e->variant) ^ peer, .packet = c->npackets };
	c->packet_frame[c->npackets++] = e->nframes++;
}

static void answered(struct evidence *e, size_t step, enum outcome o, const char *text, const char *native)
{
	struct step_seen *seen = &e->steps[step];

	seen->ran = seen->answered = true;
	seen->answer = answer_of(o);
	buf_printf(&seen->answer.text, "%s", text);
	seen->answer.len = (int64_t)seen->answer.text.n;
	buf_printf(&seen->answer.native, "%s", native);
}

static struct item alert(int level, int code)
{
	return (struct item){ .kind = ITEM_ALERT, .level = level, .code = code };
}

static struct item bytes_item(enum item_kind kind, int64_t len)
{
	return (struct item){ .kind = kind, .len = len };
}

static void fill(struct evidence *e)
{
	answered(e, 0, OUTCOME_OK, "", "SSL_connect=1");
	saw(e, 0, 0, false, (struct item){ .kind = ITEM_HANDSHAKE, .code = HS_CLIENT_HELLO });
	saw(e, 0, 0, true, (struct item){ .kind = ITEM_HANDSHAKE, .code = HS_SERVER_HELLO });
	saw(e, 0, 0, true, (struct item){ .kind = ITEM_HANDSHAKE, .code = HS_FINISHED });
	saw(e, 0, 0, false, (struct item){ .kind = ITEM_HANDSHAKE, .code = HS_FINISHED });
	e->steps[1].ran = true;
	for (size_t i = 2; i <= 4; i++)
		e->steps[i].ran = true;
	saw(e, 0, 4, true, bytes_item(ITEM_DATA, 1));
	saw(e, 0, 4, true, bytes_item(ITEM_DATA, 3));
	saw(e, 0, 4, true, alert(1, 0));
	saw(e, 0, 4, true, (struct item){ .kind = ITEM_FIN });
	answered(e, 5, OUTCOME_DATA, "last", "  SSL_read=4 ");
	e->steps[6].ran = true;
	saw(e, 0, 6, false, alert(1, 90));
	e->steps[8].left_out = true;
	e->steps[9].ran = true;
	answered(e, 10, OUTCOME_PIPE, "", "");
	saw(e, 0, 10, false, bytes_item(ITEM_DATA, 50));
	saw(e, 0, 10, true, (struct item){ .kind = ITEM_RST });
	saw(e, 0, 10, false, bytes_item(ITEM_DATA, 50));
	answered(e, 11, OUTCOME_OK, "", "");
	saw(e, 0, 11, false, bytes_item(ITEM_PARTIAL, 17));
	e->steps[12].ran = true;
	e->steps[12].tcp_state = TCP_CLOSE;
	answered(e, 13, OUTCOME_RESUMED, "", "");
	answered(e, 14, OUTCOME_BLOCKED, "", "");
	e->steps[15].ran = true;
	for (size_t i = 13; i <= 16; i++)
		e->steps[i].conn = 1;
	saw(e, 1, 13, false, (struct item){ .kind = ITEM_CCS, .code = 1, .level = 1, .len = 1 });
	saw(e, 0, 15, false, alert(2, 80));
	saw(e, 0, 15, true, (struct item){ .kind = ITEM_RST });
	saw(e, 1, 16, false, alert(2, 80));
	saw(e, 1, 16, false, (struct item){ .kind = ITEM_FIN });
}

static const char the_trace[] =
	"handshake -> ok as SSL_connect=1\n"
	"wire  iut -> handshake client_hello handshake finished\n"
	"wire  peer -> handshake server_hello handshake finished\n"
	"iut   read &\n"
	"peer  write \"last\" + close_notify + fin\n"
	"wire  peer -> data 4 close_notify fin\n"
	"iut   await -> data \"last\" as SSL_read=4\n"
	"wire  iut -> alert user_canceled level warning\n"
	"fd    iut linger 0\n"
	"iut   write 100 -> pipe\n"
	"wire  iut -> data 50\n"
	"wire  peer -> rst\n"
	"wire  iut -> data 50\n"
	"iut   close -> ok\n"
	"wire  iut -> partial\n"
	"tcp   iut -> closed\n"
	"handshake resume -> resumed\n"
	"wire  iut -> change_cipher_spec\n"
	"iut   read -> blocked\n"
	"path  cut\n"
	"wire  iut other -> alert internal_error\n"
	"wire  peer other -> rst\n"
	"wire  iut -> alert internal_error fin\n";

/* For the IUT as client and as server: the directions of a stream go by who connected. */
START_TEST(of_evidence)
{
	unsigned variant = FOR_TLS13 | FOR_BLOCKING | (_i ? FOR_SERVER : FOR_CLIENT);
	struct evidence e;
	struct script s;
	struct trace t;

	read_case(&s);
	evidence_start(&e, &s, variant);
	fill(&e);
	trace_of(&e, &t);
	must_print(&t, the_trace);
	must_come_back(&t);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* What its text does not show, a trace does not hold: else it would not equal itself read again. */
START_TEST(keeps_what_it_shows)
{
	struct evidence e;
	struct script s;
	struct trace t;

	read_case(&s);
	evidence_start(&e, &s, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING);
	answered(&e, 0, OUTCOME_OK, "stray text", "\tx ");
	answered(&e, 5, OUTCOME_DATA, LETTERS64 "q", "");
	answered(&e, 10, OUTCOME_CLOSED, "", "");
	e.steps[10].answer.sum = 0;
	e.steps[10].answer.alert = 40;
	answered(&e, 11, OUTCOME_CLOSED, "", "");
	e.steps[11].answer.sum = 9;
	saw(&e, 0, 11, false, (struct item){ .kind = ITEM_FIN, .len = 4, .code = 4 });
	trace_of(&e, &t);
	must_print(&t, "handshake -> ok as x\niut   await -> data 65\niut   write 100 -> closed\niut   close -> data 9 closed\nwire  iut -> fin\n");
	must_come_back(&t);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* A RST behind the FIN that answers the peer's is chance; elsewhere it tells. i, p: a FIN of the IUT, of the peer; I, P: a RST. */
static const struct { const char *left, *says; } resets[] = {          /* behind a blank: in the next step */
	{ "pi I", "wire  peer -> fin\nwire  iut -> fin\nwire  iut -> rst\n" },
	{ "p iI", "wire  peer -> fin\nwire  iut -> fin\n" },
	{ "piI", "wire  peer -> fin\nwire  iut -> fin\n" },
	{ "ipI", "wire  iut -> fin\nwire  peer -> fin\nwire  iut -> rst\n" },
	{ "pI", "wire  peer -> fin\nwire  iut -> rst\n" },
	{ "iI", "wire  iut -> fin rst\n" },
	{ "Ipi", "wire  iut -> rst\nwire  peer -> fin\nwire  iut -> fin\n" },
	{ "ipP", "wire  iut -> fin\nwire  peer -> fin rst\n" },
};

START_TEST(resets_row)
{
	size_t step = 11;
	struct evidence e;
	struct script s;
	struct trace t;

	read_case(&s);
	evidence_start(&e, &s, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING);
	for (const char *c = resets[_i].left; *c; c++)
		if (*c == ' ')
			step++;
		else
			saw(&e, 0, step, (*c | ' ') == 'p', (struct item){ .kind = *c & ' ' ? ITEM_FIN : ITEM_RST });
	trace_of(&e, &t);
	must_print(&t, resets[_i].says);
	must_come_back(&t);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* On the transport itself, data that are no text are told by their length: a record that nobody opened has other bytes every time. */
static const struct { const char *call, *text, *says; } shown[] = {
	{ "plain read", "hello", "\"hello\"" }, { "plain read", "220 ready\r\n", "\"220 ready\\r\\n\"" }, { "plain read", "a\tb", "\"a\\tb\"" },
	{ "plain read", "~ ", "\"~ \"" }, { "plain read", "\x15\x03\x03hello", "8" }, { "plain read", "hello\x7f", "6" }, { "plain read", "\x80", "1" },
	{ "plain read", "\x1b[31m", "5" }, { "read", "\x01\x02", "\"\\x01\\x02\"" },
};

START_TEST(shown_row)
{
	struct buf script = { 0 }, says = { 0 };
	struct evidence e;
	struct script s;
	struct trace t;

	buf_printf(&script, "title t\nneeds plain\nhandshake\niut shutdown both\niut %s\n", shown[_i].call);
	read_script(&s, buf_str(&script));
	evidence_start(&e, &s, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING);
	answered(&e, 2, OUTCOME_DATA, shown[_i].text, "");
	trace_of(&e, &t);
	buf_printf(&says, "iut   %s -> data %s\n", shown[_i].call, shown[_i].says);
	buf_u8(&says, 0);
	must_print(&t, (const char *)says.p);
	must_come_back(&t);
	buf_free(&script);
	buf_free(&says);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* What of the peer's last data left before the IUT took no more is told without its length, and only that. */
static const struct { bool undelivered, waits; const char *says; } broken_offs[] = {
	{ true, false, "peer  write \"last\" + close_notify + fin\nwire  peer -> data 7 close_notify data\nwire  iut -> data 3\nwire  peer -> data partial\n"
	         "wire  iut -> partial\nwire  peer -> rst\n" },
	{ false, true, "peer  write \"last\" + close_notify + fin\nwire  peer -> data close_notify data\nwire  iut -> data 3\n"
	         "wire  peer -> data partial\nwire  iut -> partial\nwire  peer -> rst\n" },      /* it came later */
	{ false, false, "peer  write \"last\" + close_notify + fin\nwire  peer -> data 7 close_notify data 100\nwire  iut -> data 3\n"
	         "wire  peer -> data 50 partial\nwire  iut -> partial\nwire  peer -> rst\n" },
};

START_TEST(broken_off_row)
{
	struct evidence e;
	struct script s;
	struct trace t;

	read_case(&s);
	evidence_start(&e, &s, FOR_SERVER | FOR_TLS13 | FOR_BLOCKING);
	e.steps[2].ran = true;
	saw(&e, 0, 2, true, bytes_item(ITEM_DATA, 7));
	saw(&e, 0, 2, true, alert(1, 0));
	saw(&e, 0, 2, true, bytes_item(ITEM_DATA, 100));
	saw(&e, 0, 2, false, bytes_item(ITEM_DATA, 3));
	saw(&e, 0, 2, true, bytes_item(ITEM_DATA, 50));
	saw(&e, 0, 2, true, bytes_item(ITEM_PARTIAL, 9));
	saw(&e, 0, 2, false, bytes_item(ITEM_PARTIAL, 9));
	saw(&e, 0, 2, true, (struct item){ .kind = ITEM_RST });
	e.conns[0].undelivered = broken_offs[_i].undelivered;
	e.steps[2].peer_waits = broken_offs[_i].waits;
	trace_of(&e, &t);
	must_print(&t, broken_offs[_i].says);
	must_come_back(&t);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* What leaves the buffer of a library that says `ok` at once, or of a write that waits, is chance as long as the peer does not read. A
 * small letter is a step in which 10 bytes leave, a capital one a step in which a part of a record does, a digit one in which what is no
 * record does. */
static const struct { const char *script, *left, *says; bool waits; } buffered[] = {
	{ "title t\nhandshake\npeer stop-reading\niut write 40\npeer close_notify\npeer start-reading\n", "cdee",
	  "peer  stop-reading\niut   write 40 -> ok as x\nwire  iut -> data\npeer  close_notify\npeer  start-reading\nwire  iut -> data\n", false },
	{ "title t\nhandshake\npeer stop-reading\niut write 40\npeer close_notify\npeer start-reading\n", "ddee",
	  "peer  stop-reading\niut   write 40 -> ok as x\npeer  close_notify\npeer  start-reading\nwire  iut -> data\n", false },
	{ "title t\nhandshake\npeer stop-reading\niut write 40\npeer close_notify\npeer start-reading\n", "cccc",
	  "peer  stop-reading\niut   write 40 -> ok as x\nwire  iut -> data 40\npeer  close_notify\npeer  start-reading\n", false },
	{ "title t\nhandshake\npeer start-reading\niut write 40\npeer close_notify\npeer stop-reading\n", "ccdd",
	  "peer  start-reading\niut   write 40 -> ok as x\nwire  iut -> data 20\npeer  close_notify\nwire  iut -> data 20\npeer  stop-reading\n", false },
	{ "title t\nhandshake\npeer stop-reading\niut write 20\niut write 20\n", "cd",
	  "peer  stop-reading\niut   write 20 -> ok as x\nwire  iut -> data\niut   write 20 -> ok as x\nwire  iut -> data\n", false },
	{ "title t\nhandshake\npeer stop-reading\niut write 40\npeer close_notify\npeer start-reading\n", "cCdDeeE",
	  "peer  stop-reading\niut   write 40 -> ok as x\nwire  iut -> data\npeer  close_notify\npeer  start-reading\nwire  iut -> data partial\n", false },
	{ "title t\nhandshake\npeer stop-reading\niut write 40\npeer close_notify\n", "cdf",
	  "peer  stop-reading\niut   write 40 -> ok as x\nwire  iut -> data\npeer  close_notify\n", false },
	{ "title t\nhandshake\npeer stop-reading\niut write 40\niut abandon\n", "cCD",
	  "peer  stop-reading\niut   write 40 -> blocked as x\nwire  iut -> data\niut   abandon -> ok as x\n", true },
	{ "title t\nhandshake\npeer stop-reading\niut write 40\npeer start-reading\n", "cdD",
	  "peer  stop-reading\niut   write 40 -> blocked as x\nwire  iut -> data\npeer  start-reading\nwire  iut -> data partial\n", true },
	{ "title t\nhandshake\npeer stop-reading\niut write 40\npeer start-reading\n", "cd3",
	  "peer  stop-reading\niut   write 40 -> blocked as x\nwire  iut -> data\npeer  start-reading\nwire  iut -> data raw\n", true },
};

START_TEST(buffered_row)
{
	struct evidence e;
	struct script s;
	struct trace t;

	read_script(&s, buffered[_i].script);
	evidence_start(&e, &s, FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING);
	for (size_t i = 1; i < s.nsteps; i++) {
		if (s.steps[i].actor == ACTOR_IUT)
			answered(&e, i, buffered[_i].waits && iut_writes(s.steps[i].verb) ? OUTCOME_BLOCKED : OUTCOME_OK, "", "x");
		e.steps[i].ran = true;
	}
	for (const char *c = buffered[_i].left; *c; c++)
		if (*c <= '9')
			saw(&e, 0, (size_t)(*c - '0'), false, bytes_item(ITEM_RAW, 10));
		else
			saw(&e, 0, (size_t)((*c | ' ') - 'a'), false, bytes_item(*c & ' ' ? ITEM_DATA : ITEM_PARTIAL, 10));
	trace_of(&e, &t);
	must_print(&t, buffered[_i].says);
	must_come_back(&t);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* In a handshake by parts it is chance how early a server's tickets come, and what else comes is in its order. */
static const struct { const char *script; size_t step; const char *crossing, *says; } tickets[] = {
	{ "title t\nhandshake\niut handshake &\npeer handshake to finished\n", 2, "TTp", "wire  peer -> handshake finished\nwire  iut -> ticket ticket\n" },
	{ "title t\nhandshake\niut handshake &\npeer handshake to finished\n", 2, "pTT", "wire  peer -> handshake finished\nwire  iut -> ticket ticket\n" },
	{ "title t\nhandshake\niut handshake &\npeer handshake to finished\n", 2, "TpT", "wire  peer -> handshake finished\nwire  iut -> ticket ticket\n" },
	{ "title t\nhandshake\niut handshake &\npeer handshake to finished\n", 2, "TpTcp",
	  "wire  peer -> handshake finished\nwire  iut -> ticket ticket close_notify\nwire  peer -> handshake finished\n" },
	{ "title t\nhandshake\niut handshake &\npeer handshake to finished + fin\n", 3, "TTp", "wire  peer -> handshake finished\nwire  iut -> ticket ticket\n" },
	{ "title t\nhandshake\niut handshake &\npeer write \"x\" + fin\n", 3, "TTp", "wire  iut -> ticket ticket\nwire  peer -> handshake finished\n" },
	{ "title t\nhandshake\niut handshake &\npeer fin\n", 2, "TpT", "wire  iut -> ticket\nwire  peer -> handshake finished\nwire  iut -> ticket\n" },
};

START_TEST(tickets_row)
{
	struct evidence e;
	struct script s;
	struct trace t;

	read_script(&s, tickets[_i].script);
	evidence_start(&e, &s, FOR_SERVER | FOR_TLS13 | FOR_NONBLOCKING);
	for (const char *c = tickets[_i].crossing; *c; c++)
		saw(&e, 0, tickets[_i].step, *c == 'p',
		    *c == 'p' ? (struct item){ .kind = ITEM_HANDSHAKE, .code = 20 } : *c == 'c' ? alert(1, 0) : (struct item){ .kind = ITEM_TICKET });
	trace_of(&e, &t);
	must_print(&t, tickets[_i].says);
	trace_free(&t);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* Was it seen to wait before a timer of the kernel ended it, or does it find room behind a write that waits? That is chance; elsewhere it is
 * the library's. What stands before the step is blocked. */
static const struct { size_t step; const char *script; enum outcome o; bool answered; const char *says; } timers[] = {
	{ 1, "title t\nhandshake\niut read &\niut await later -> fails\n", OUTCOME_BLOCKED, true, "iut   read &\n" },
	{ 1, "title t\nhandshake\niut read &\niut await later -> fails\n", OUTCOME_BLOCKED, false, "iut   read &\n" },
	{ 1, "title t\nhandshake\niut read &\npath cut\niut await later -> fails\n", OUTCOME_BLOCKED, true, "iut   read &\n" },
	{ 1, "title t\nhandshake\niut read &\niut await later -> fails\n", OUTCOME_SPINS, true, "iut   read -> spins as x\n" },
	{ 1, "title t\nhandshake\niut read -> blocked\niut await later -> fails\n", OUTCOME_BLOCKED, true, "iut   read -> blocked as x\n" },
	{ 1, "title t\nhandshake\niut read &\niut await -> fails\n", OUTCOME_BLOCKED, true, "iut   read -> blocked as x\n" },
	{ 1, "title t\nhandshake\niut read &\niut await -> fails\niut read &\niut await later -> fails\n", OUTCOME_BLOCKED, true, "iut   read -> blocked as x\n" },
	{ 1, "title t\nhandshake\niut read &\n", OUTCOME_BLOCKED, true, "iut   read -> blocked as x\n" },
	{ 2, "title t\nio nonblocking\nhandshake\niut write 9 -> blocked\niut shutdown write &\niut await -> sent\n", OUTCOME_BLOCKED, true, "iut   write 9 -> blocked as x\niut   shutdown write &\n" },
	{ 2, "title t\nio nonblocking\nhandshake\niut write 9 -> blocked\niut close &\niut await -> ok\n", OUTCOME_BLOCKED, true, "iut   write 9 -> blocked as x\niut   close &\n" },
	{ 2, "title t\nio nonblocking\nhandshake\niut write 9 -> blocked\niut shutdown write -> blocked\n", OUTCOME_BLOCKED, true,
	  "iut   write 9 -> blocked as x\niut   shutdown write -> blocked as x\n" },
	{ 2, "title t\nio nonblocking\nhandshake\niut write 9 -> blocked\niut read &\niut await -> closed\n", OUTCOME_BLOCKED, true, "iut   write 9 -> blocked as x\niut   read -> blocked as x\n" },
	{ 2, "title t\nio nonblocking\nhandshake\niut read -> blocked\niut shutdown write &\niut await -> sent\n", OUTCOME_BLOCKED, true,
	  "iut   read -> blocked as x\niut   shutdown write -> blocked as x\n" },
};

START_TEST(timers_row)
{
	struct evidence e;
	struct script s;
	struct trace t;

	read_script(&s, timers[_i].script);
	evidence_start(&e, &s, FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING);
	for (size_t i = 1; i < timers[_i].step; i++)
		answered(&e, i, OUTCOME_BLOCKED, "", "x");
	if (timers[_i].answered)
		answered(&e, timers[_i].step, timers[_i].o, "", "x");
	e.steps[timers[_i].step].ran = true;
	trace_of(&e, &t);
	must_print(&t, timers[_i].says);
	must_come_back(&t);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

static const struct { size_t step; const char *words; } words[] = {
	{ 0, "handshake" }, { 1, "iut read" }, { 2, "peer write \"last\" + close_notify + fin" },
	{ 3, "peer write \"last\" + close_notify + fin" }, { 4, "peer write \"last\" + close_notify + fin" }, { 5, "iut await" },
	{ 8, "iut shutdown write" }, { 9, "fd iut linger 0" }, { 15, "path cut" },
};

START_TEST(words_row)
{
	struct buf out = { 0 };
	struct script s;

	read_case(&s);
	trace_words(&out, &s, words[_i].step);
	ck_assert_str_eq(buf_str(&out), words[_i].words);
	buf_free(&out);
	script_free(&s);
}
END_TEST

/* Every line of every case can stand in a trace: as words that the reader takes, with nothing lost. */
static int case_comes_back(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct fault f = { 0 };
	size_t n = strlen(path);
	struct evidence e;
	struct script s;
	struct trace t;

	(void)st;
	(void)ftw;
	if (type != FTW_F || n < 5 || strcmp(path + n - 5, ".case") != 0)
		return 0;
	ck_assert_msg(script_load(&s, path, 0, &reqs, &f), "%s:%d:%d: %s", path, f.line, f.col, f.msg);
	evidence_start(&e, &s, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING);
	for (size_t i = 0; i < s.nsteps; i++) {
		e.steps[i].ran = true;
		e.steps[i].tcp_state = TCP_ESTABLISHED;
	}
	trace_of(&e, &t);
	ck_assert_msg(t.n > 0, "%s", path);
	must_come_back(&t);
	evidence_free(&e);
	script_free(&s);
	return 0;
}

/* Run from the checkout's top, as `make unit` does; elsewhere there are none. */
START_TEST(cases)
{
	struct fault f = { 0 };

	if (access("cases/requirements", R_OK) != 0)
		return;
	ck_assert_msg(requirements_load(&reqs, "cases/requirements", &f), "%d:%d: %s", f.line, f.col, f.msg);
	ck_assert_int_eq(nftw("cases", case_comes_back, 8, FTW_PHYS), 0);
	requirements_free(&reqs);
}
END_TEST

ROWS_MAIN("trace", { text_and_back, countof(rows) }, { outcomes_come_back, 1 }, { texts_come_back, 1 }, { items_come_back, 1 },
          { states_come_back, 1 }, { wrong_row, countof(wrong) }, { every_prefix, 1 }, { every_byte_changed, 1 },
          { equal_row, countof(pairs) }, { of_evidence, 2 }, { broken_off_row, countof(broken_offs) }, { buffered_row, countof(buffered) }, { tickets_row, countof(tickets) },
          { timers_row, countof(timers) }, { resets_row, countof(resets) }, { shown_row, countof(shown) }, { keeps_what_it_shows, 1 }, { words_row, countof(words) }, { cases, 1 })
