/* Ladders: a run made by hand, the rows that it comes to, and what stands in the picture. That pictures are well-formed is tested by an XML
 * parser, on real runs (tests/test_captures.py) and here by hand for what tries to break them. */
#include "runner/ladder.h"

#include "tests/build_evidence.h"

static const char rules[] =
	"requirement must\nlevel MUST\nclause RFC 8446 6.1\nsays It is so.\n"
	"requirement should\nlevel SHOULD\nclause RFC 8446 6.2\nsays It is better so.\n"
	"requirement may\nlevel MAY\nclause RFC 8446 6.3\nsays It can be so.\n";

#define HS "handshake\n"                        /* line 2 */
#define PEER_ALERTS "peer alert 40\n"

/* A row as `KIND LINE WORDS -> ANSWER as NATIVE {ARROWS} FLAGS`; an arrow: `<` from the iut or `>` to it, its text, and behind that `!` lost,
 * `~` from the path, `+` in one segment with the one before. */
static void row_text(const struct row *r, struct buf *out)
{
	static const char *const kinds[] = {
		[ROW_HANDSHAKE] = "handshake", [ROW_PEER] = "peer", [ROW_PATH] = "path", [ROW_CALL] = "call", [ROW_SOCKET] = "socket",
		[ROW_CHECK] = "check", [ROW_END] = "end",
	};

	buf_printf(out, "%s %d", kinds[r->kind], r->line);
	if (r->last_line > r->line)
		buf_printf(out, "-%d", r->last_line);
	buf_printf(out, " %.*s", (int)r->words.n, (const char *)r->words.p);
	if (r->answer.n)
		buf_printf(out, " -> %.*s", (int)r->answer.n, (const char *)r->answer.p);
	if (r->native.n)
		buf_printf(out, " as %.*s", (int)r->native.n, (const char *)r->native.p);
	for (size_t i = 0; i < r->narrows; i++) {
		const struct arrow *a = &r->arrows[i];

		buf_printf(out, " %c%.*s%s%s%s", a->from_peer ? '>' : '<', (int)a->text.n, (const char *)a->text.p, a->lost ? "!" : "",
		           a->from_path ? "~" : "", a->joined ? "+" : "");
	}
	for (int i = 0; i < 32; i++)
		if (r->marks >> i & 1)
			buf_printf(out, " #%d", i + 1);
	buf_printf(out, "%s%s\n", r->open ? " open" : "", r->peer_gone ? " gone" : "");
}

static const struct { const char *name, *variant, *text, *seen, *want; } rows[] = {
	{ "a handshake is a block", "c3b", HS, "ok as SSL_do_handshake=1 >handshake client_hello <handshake server_hello handshake finished >handshake finished",
	  "handshake 2 handshake -> ok as SSL_do_handshake=1\n" },
	{ "a ticket with it is not", "c3b", HS, "ok <handshake finished >handshake finished <ticket ticket", "handshake 2 handshake -> ok >ticket x 2\n" },
	{ "by parts its messages are seen", "c3b", "iut handshake &\npeer handshake to server_hello\n", ">handshake client_hello; <handshake server_hello change_cipher_spec",
	  "call 2 handshake & <handshake client_hello open\npeer 3 handshake to server_hello >handshake server_hello, change_cipher_spec open\n" },
	{ "the rest of a flight without its word", "c3b", "iut handshake &\npeer handshake\n", ">handshake client_hello; <handshake server_hello handshake finished",
	  "call 2 handshake & <handshake client_hello open\npeer 3 handshake >handshake server_hello, finished open\n" },
	{ "a call and what left", "c3b", HS "iut shutdown write\n", "ok; sent as SSL_shutdown=0 SENT >close_notify fin",
	  "handshake 2 handshake -> ok\ncall 3 shutdown write -> sent as SSL_shutdown=0 SENT <close_notify <fin\n" },
	{ "the server", "s2b", HS "iut shutdown write\n", "ok; sent >close_notify", "handshake 2 handshake -> ok\ncall 3 shutdown write -> sent <close_notify\n" },
	{ "what + joins is one line", "c3b", HS "peer write \"ab\" + close_notify + fin\n", "ok; ; ; <data 2 close_notify fin",
	  "handshake 2 handshake -> ok\npeer 3 write \"ab\" + close_notify + fin >data 2 >close_notify >fin\n" },
	{ "data are one arrow", "c3b", HS "iut write \"abcde\"\n", "ok; ok >data 2 data 3", "handshake 2 handshake -> ok\ncall 3 write \"abcde\" -> ok <data 5\n" },
	{ "data the other way are not", "c3b", HS "iut write \"ab\"\n", "ok; ok >data 2 <data 3 >data 4",
	  "handshake 2 handshake -> ok\ncall 3 write \"ab\" -> ok <data 2 >data 3 <data 4\n" },
	{ "data under other keys are not", "c3b", HS "@1.3 iut key_update\n", "ok; ok >data 2 key_update data 3 keys old data 4",
	  "handshake 2 handshake -> ok\ncall 3 key_update -> ok <data 2 <key_update <data 3 keys old <data 4\n" },
	{ "what nobody could open", "c3b", HS "iut close\n", "ok; ok >raw 3 raw 4 unopened unopened partial",
	  "handshake 2 handshake -> ok\ncall 3 close -> ok <raw 7 <unopened x 2 <partial\n" },
	{ "the same again is counted", "c2b", HS "iut close\n", "ok; ok >rst rst rst", "handshake 2 handshake -> ok\ncall 3 close -> ok <rst x 3\n" },
	{ "another alert is another arrow", "c3b", HS "iut close\n", "ok; ok >alert decode_error alert decode_error alert internal_error",
	  "handshake 2 handshake -> ok\ncall 3 close -> ok <alert decode_error x 2 <alert internal_error\n" },
	{ "a call that waits", "c3b", HS "iut read &\npeer close_notify\niut await\n", "ok; ; <close_notify; closed",
	  "handshake 2 handshake -> ok\ncall 3 read & open\npeer 4 close_notify >close_notify open\ncall 5 await -> closed\n" },
	{ "one that was seen to wait", "c3b", HS "iut read -> blocked\nfd iut linger 0\n", "ok; blocked; ",
	  "handshake 2 handshake -> ok\ncall 3 read -> blocked open\nsocket 4 fd iut linger 0 open\n" },
	{ "sockets", "c3b", HS "tcp iut -> close-wait\ntcp peer -> fin-wait-2\n", "ok; close-wait; fin-wait-2",
	  "handshake 2 handshake -> ok\nsocket 3 tcp -> close-wait\npeer 4 tcp -> fin-wait-2\n" },
	{ "a socket whose state nobody saw", "c3b", HS "tcp iut -> close-wait\n", "ok; ", "handshake 2 handshake -> ok\n" },
	{ "the peer is gone", "c3b", HS "peer vanish\niut write \"x\"\n", "ok; ; ok >data 1",
	  "handshake 2 handshake -> ok\npeer 3 vanish gone\ncall 4 write \"x\" -> ok <data 1! gone\n" },
	{ "the path is cut and mended", "c3b", HS "path cut\niut write \"x\"\npath mend\niut write \"y\"\n", "ok; ; ok >data 1; ; ok >data 1",
	  "handshake 2 handshake -> ok\npath 3 path cut\ncall 4 write \"x\" -> ok <data 1!\npath 5 path mend\ncall 6 write \"y\" -> ok <data 1\n" },
	{ "data are lost, a FIN passes", "c3b", HS "path lose data to iut\npeer close_notify\npeer fin\n", "ok; ; <close_notify; <fin",
	  "handshake 2 handshake -> ok\npath 3 path lose data to iut\npeer 4 close_notify >close_notify!\npeer 5 fin >fin\n" },
	{ "a forged RST", "c3b", HS "path forge rst to iut\n", "ok; <rst", "handshake 2 handshake -> ok\npath 3 path forge rst to iut >forged rst~\n" },
	{ "a RST of the peer's kernel", "c3b", HS "path forge ack off -1 to iut\n", "ok; <rst",
	  "handshake 2 handshake -> ok\npath 3 path forge ack off -1 to iut >forged ack~ >rst\n" },
	{ "a forged FIN that counts for nothing", "c3b", HS "path forge fin off 9 to iut\n", "ok; ",
	  "handshake 2 handshake -> ok\npath 3 path forge fin off 9 to iut >forged fin~\n" },
	{ "icmp", "c3b", HS "path icmp port-unreachable to iut\n", "ok; ", "handshake 2 handshake -> ok\npath 3 path icmp port-unreachable to iut >icmp~\n" },
	{ "many times the same", "c2b", HS PEER_ALERTS PEER_ALERTS PEER_ALERTS, "ok; <alert 40; <alert 40; <alert 40",
	  "handshake 2 handshake -> ok\npeer 3-5 alert 40 >alert handshake_failure x 3\n" },
	{ "but not past an answer", "c2b", HS PEER_ALERTS PEER_ALERTS, "ok; <alert 40 >rst; <alert 40",
	  "handshake 2 handshake -> ok\npeer 3 alert 40 >alert handshake_failure <rst\npeer 4 alert 40 >alert handshake_failure\n" },
	{ "the failing call", "c3b", HS "peer fin\niut read -> truncated [must]\n", "ok; <fin; closed",
	  "handshake 2 handshake -> ok\npeer 3 fin >fin\ncall 4 read -> closed #1\n" },
	{ "its `also` stands at it", "c3b", HS "peer fin\niut read -> fails [must]\nalso -> reset [should]\n", "ok; <fin; truncated",
	  "handshake 2 handshake -> ok\npeer 3 fin >fin\ncall 4 read -> truncated #1\n" },
	{ "a failing comparison", "c3b", HS "iut close\nwire iut -> close_notify fin [must]\n", "ok; ok >fin; ",
	  "handshake 2 handshake -> ok\ncall 3 close -> ok <fin\ncheck 4 wire iut -> fin #1\n" },
	{ "one that holds is not shown", "c3b", HS "iut close\nwire iut -> fin [must]\n", "ok; ok >fin; ", "handshake 2 handshake -> ok\ncall 3 close -> ok <fin\n" },
	{ "a step of another variant", "c3b", HS "@1.2 iut read\niut close\n", "ok; -; ok >fin", "handshake 2 handshake -> ok\ncall 4 close -> ok <fin\n" },
	{ "behind the last line", "c3b", HS "iut abandon\n", "ok; ok; >fin rst", "handshake 2 handshake -> ok\ncall 3 abandon -> ok\nend 0  <fin <rst\n" },
	{ "two connections", "c3b", HS "iut close\nhandshake\niut close\n", "ok; ok >fin; ok; ok >rst",
	  "handshake 2 handshake -> ok\ncall 3 close -> ok <fin\nhandshake 4 handshake -> ok\ncall 5 close -> ok <rst\n" },
	{ "from one to the other", "c3b", HS "switch\nhandshake\niut close\nswitch\niut close\n", "ok; ; ok; ok >fin; ; ok >rst",
	  "handshake 2 handshake -> ok\nsocket 3 switch: the other connection\nhandshake 4 handshake -> ok\ncall 5 close -> ok <fin\n"
	  "socket 6 switch: the other connection\ncall 7 close -> ok <rst\n" },
	{ "nothing was done", "c3b", HS "iut close\n", "-; -", "" },
};

START_TEST(ladder_row)
{
	struct buf text = { 0 };
	struct judgement j;
	struct ladder l;
	struct built b;

	build(&b, rules, rows[_i].variant, rows[_i].text, rows[_i].seen);
	judge(&b.e, &b.reqs, (struct promises){ 0 }, &j);
	ladder_of(&b.e, &j, &l);
	for (size_t i = 0; i < l.n; i++)
		row_text(&l.rows[i], &text);
	ck_assert_msg(strcmp(buf_str(&text), rows[_i].want) == 0, "%s:\n%s\nwant\n%s\n%s", rows[_i].name, buf_str(&text), rows[_i].want,
	              j.reason ? j.reason : "");
	ladder_free(&l);
	ladder_free(&l);
	judgement_free(&j);
	buf_free(&text);
	built_free(&b);
}
END_TEST

static const struct { const char *item; enum arrow_kind kind; } kinds[] = {
	{ "data 1", ARROW_DATA }, { "close_notify", ARROW_NOTIFY }, { "close_notify level fatal", ARROW_NOTIFY },
	{ "alert malformed 1", ARROW_ALERT }, { "alert user_canceled", ARROW_ALERT }, { "alert decode_error", ARROW_ALERT },
	{ "key_update", ARROW_KEYS }, { "key_update requested", ARROW_KEYS }, { "ticket", ARROW_HANDSHAKE },
	{ "handshake finished", ARROW_HANDSHAKE }, { "change_cipher_spec", ARROW_HANDSHAKE }, { "raw 1", ARROW_ODD }, { "unopened", ARROW_ODD },
	{ "partial", ARROW_ODD }, { "fin", ARROW_FIN }, { "rst", ARROW_RST },
};

/* How each thing on the wire is drawn: a malformed alert is none that ends anything, whatever its code. */
START_TEST(arrow_kind)
{
	struct judgement j = { 0 };
	struct buf seen = { 0 };
	struct ladder l;
	struct built b;

	buf_printf(&seen, "ok; ok >%s", kinds[_i].item);
	build(&b, rules, "c3b", HS "iut close\n", buf_str(&seen));
	ladder_of(&b.e, &j, &l);
	ck_assert_msg(l.n == 2 && l.rows[1].narrows == 1 && l.rows[1].arrows[0].kind == kinds[_i].kind, "%s", kinds[_i].item);
	ladder_free(&l);
	buf_free(&seen);
	built_free(&b);
}
END_TEST

/* --- records in parts --- */

/* Pieces of the peer's stream, as `STEP LENGTH`, each in a packet of its own; `=`: in the packet of the last item, which it completes. */
static void build_pieces(struct built *b, const char *text)
{
	struct conn_seen *c = &b->e.conns[0];
	struct direction *d = &c->stream.dir[!iut_dir(b->e.variant)];
	unsigned step, len;
	int used;

	for (; sscanf(text, " %u %u%n", &step, &len, &used) == 2; text += used + (text[used] == '=')) {
		d->pieces = reallocarray(d->pieces, d->npieces + 1, sizeof(*d->pieces));
		ck_assert_ptr_nonnull(d->pieces);
		d->pieces[d->npieces++] = (struct piece){ 0, len, c->npackets };
		if (text[used] == '=')
			c->decoded.items[c->decoded.n - 1].packet = c->npackets;
		build_packet(&b->e, c, step);
	}
	ck_assert_str_eq(text, "");
}

#define CUT HS "peer write \"abc\" cut 3\n"  /* line 3, step 1 */

static const struct { const char *name, *text, *seen, *pieces, *want; } parts[] = {
	{ "what is held back", CUT, "ok; ", "1 3", "peer 3 write \"abc\" cut 3 >3 bytes of a record\n" },
	{ "one byte", CUT, "ok; ", "1 1", "peer 3 write \"abc\" cut 3 >1 byte of a record\n" },
	{ "in two segments", CUT, "ok; ", "1 2 1 1", "peer 3 write \"abc\" cut 3 >3 bytes of a record\n" },
	{ "and its rest", CUT "peer rest\n", "ok; ; <data 3", "1 3 2 22=",
	  "peer 3 write \"abc\" cut 3 >3 bytes of a record\npeer 4 rest >data 3\n" },
	{ "piece by piece", CUT "peer rest 2\npeer rest\n", "ok; ; ; <data 3", "1 3 2 2 3 20=",
	  "peer 3 write \"abc\" cut 3 >3 bytes of a record\npeer 4 rest 2 >2 bytes of a record\npeer 5 rest >data 3\n" },
	{ "cut by TCP alone", HS "peer write \"abc\"\n", "ok; <data 3", "1 3 1 22=", "peer 3 write \"abc\" >data 3\n" },
	{ "what a call brings is TCP's", CUT "iut read &\n", "ok; ; ", "1 3 2 4",
	  "peer 3 write \"abc\" cut 3 >3 bytes of a record\ncall 4 read & open\n" },
	{ "behind the last line", CUT, "ok; ", "1 3 2 4", "peer 3 write \"abc\" cut 3 >3 bytes of a record\n" },
};

START_TEST(part_row)
{
	struct judgement j = { 0 };
	struct buf text = { 0 };
	struct ladder l;
	struct built b;

	build(&b, rules, "c3b", parts[_i].text, parts[_i].seen);
	build_pieces(&b, parts[_i].pieces);
	ladder_of(&b.e, &j, &l);
	for (size_t i = 1; i < l.n; i++)                /* behind the handshake */
		row_text(&l.rows[i], &text);
	ck_assert_msg(strcmp(buf_str(&text), parts[_i].want) == 0, "%s:\n%s\nwant\n%s", parts[_i].name, buf_str(&text), parts[_i].want);
	ladder_free(&l);
	buf_free(&text);
	built_free(&b);
}
END_TEST

/* What left in one segment is held together, and two that only stand behind one another are not. */
START_TEST(one_segment)
{
	struct judgement j = { 0 };
	struct ladder l;
	struct built b;
	struct decoded *d;

	build(&b, rules, "c3b", HS "iut close\n", "ok; ok >data 3 close_notify fin");
	d = &b.e.conns[0].decoded;
	d->items[1].packet = d->items[2].packet;
	ladder_of(&b.e, &j, &l);
	ck_assert_uint_eq(l.rows[1].narrows, 3);
	ck_assert(!l.rows[1].arrows[0].joined && !l.rows[1].arrows[1].joined && l.rows[1].arrows[2].joined);
	ladder_free(&l);
	built_free(&b);
}
END_TEST

/* --- the picture --- */

static void picture(struct built *b, const char *implementation, struct buf *out)
{
	struct run_name r = { implementation, "Lib 1.0", &b->script, b->e.variant, 0, NULL, NULL };
	struct judgement j;

	judge(&b->e, &b->reqs, (struct promises){ 0 }, &j);
	evidence_svg(&b->e, &r, &j, out);
	buf_str(out);
	judgement_free(&j);
}

static const struct { const char *name, *text, *seen, *has; } pictures[] = {
	{ "title for who does not see it", HS, "ok", "<title id='ladder-title'>t: pass</title>" },
	{ "the run as its description", HS "iut read\n", "ok; closed", "iut   read -&gt; closed" },
	{ "names", HS, "ok", "Lib 1.0, client 1.3 blocking: pass" },
	{ "the call", HS "iut read\n", "ok; closed as SSL_read=0", ">SSL_read=0</tspan>" },
	{ "its answer", HS "iut read\n", "ok; closed as SSL_read=0", ">→ closed</tspan>" },
	{ "an alert is dashed", HS "iut close\n", "ok; ok >alert decode_error", "stroke-dasharray='8 3'" },
	{ "the mark of a failure", HS "iut read -> closed [must]\n", "ok; truncated", "class='fail'" },
	{ "the mark of a warning", HS "iut read -> closed [should]\n", "ok; truncated", "class='warn'" },
	{ "the rule at the foot", HS "iut read -> closed [must]\n", "ok; truncated", "MUST, RFC 8446 6.1: It is so." },
	{ "the finding at the foot", HS "iut read -> closed [must]\n", "ok; truncated", ">observed iut read -&gt; truncated</tspan>" },
	{ "rules that held", HS "iut read -> closed [must]\n", "ok; closed", "MUST, RFC 8446 6.1: It is so." },
	{ "a long text is whole in its title", HS "iut read\n",
	  "ok; error as ref_read=-1 \"one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty "
	  "twenty-one twenty-two\"", "<title>ref_read=-1 &quot;one two" },
	{ "a word without a space is broken", HS "iut read\n", "ok; error as aaaaaaaaaaaaaaaaaaaaaaaaabbbbb", ">aaaaaaaaaaaaaaaaaaaaaaaaa</tspan>" },
	{ "markup is text", HS "iut read\n", "ok; error as <script>alert(1)</script>&x;", "&lt;script&gt;" },
	{ "quotes are text", HS "iut read\n", "ok; error as 'x'=\"y\"", "&#39;x&#39;=&quot;y&quot;" },
	{ "the wide part of the alphabet is whole", HS "iut read\n", "ok; error as \xc3\xa4\xc3\xb6", ">\xc3\xa4\xc3\xb6</tspan>" },
};

START_TEST(picture_has)
{
	struct buf out = { 0 };
	struct built b;

	/* An answer cannot be given with what begins items, so it is put in its place. */
	build(&b, rules, "c3b", pictures[_i].text, strstr(pictures[_i].seen, "<script") ? "ok; error" : pictures[_i].seen);
	if (strstr(pictures[_i].seen, "<script"))
		buf_printf(&b.e.steps[1].answer.native, "<script>alert(1)</script>&x;");
	picture(&b, "lib", &out);
	ck_assert_msg(strstr((char *)out.p, pictures[_i].has), "%s: %s", pictures[_i].name, (char *)out.p);
	ck_assert_msg(!strstr((char *)out.p, "<script"), "%s", pictures[_i].name);
	buf_free(&out);
	built_free(&b);
}
END_TEST

/* Whatever byte an adapter says: no control character, no markup, and what it was is told. */
START_TEST(any_byte)
{
	struct buf out = { 0 };
	struct built b;
	char seen[8];

	build(&b, rules, "c3b", HS "iut read\n", "ok; error");
	buf_u8(&b.e.steps[1].answer.native, 'a');
	buf_u8(&b.e.steps[1].answer.native, (unsigned)_i);
	buf_u8(&b.e.steps[1].answer.native, 'b');
	picture(&b, "l\033[2Jib<", &out);
	for (size_t i = 0; i < out.n; i++)
		ck_assert_msg(out.p[i] >= 0x20 || out.p[i] == '\n' || out.p[i] == '\t', "byte %d", _i);
	ck_assert(strstr((char *)out.p, ">l\\x1b[2Jib&lt;</tspan>"));
	snprintf(seen, sizeof(seen), "a\\x%02xb", (unsigned)_i);
	if (_i < 0x20 && _i != '\t' && _i != '\n')
		ck_assert_msg(strstr((char *)out.p, seen), "byte %d", _i);
	if (_i >= 0x80)
		ck_assert_msg(strstr((char *)out.p, seen), "byte %d", _i);
	buf_free(&out);
	built_free(&b);
}
END_TEST

/* The same run makes the same picture: a change is a change of behaviour. */
START_TEST(no_times)
{
	struct buf first = { 0 }, second = { 0 };
	struct built b;

	build(&b, rules, "c3b", HS "iut close\n", "ok; ok >close_notify fin");
	picture(&b, "lib", &first);
	for (size_t i = 0; i < b.e.nframes; i++)
		b.e.frames[i].at_ns += 1000000 * (int64_t)i;
	b.e.at_us = b.e.took_us = 77777;
	b.e.conns[0].iut_port = b.e.conns[0].peer_port = 7777;
	picture(&b, "lib", &second);
	ck_assert_str_eq((char *)first.p, (char *)second.p);
	buf_free(&first);
	buf_free(&second);
	built_free(&b);
}
END_TEST

ROWS_MAIN("ladder", { ladder_row, countof(rows) }, { arrow_kind, countof(kinds) }, { part_row, countof(parts) }, { one_segment, 1 }, { picture_has, countof(pictures) }, { any_byte, 256 }, { no_times, 1 })
