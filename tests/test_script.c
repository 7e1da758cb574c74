/* Cases as steps: every kind of step in full, every fault with its place, and every prefix of a big case. */
#include <ftw.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/script.h"
#include "tests/check_rows.h"

static const char rules[] =
	"requirement data-intact\n level MUST\n clause c\n says s\n always\n"
	"requirement nothing-else\n level MUST\n clause c\n says s\n"
	"requirement truncation-visible\n level MUST\n clause c\n says s\n"
	"requirement notify-once\n level MUST\n clause c\n says s\n always\n";

static struct requirements reqs;

static void rules_read(void)
{
	struct fault f = { 0 };

	if (reqs.n == 0)
		ck_assert_msg(requirements_parse(&reqs, "requirements", rules, strlen(rules), &f), "%s", f.msg);
}

static bool parse(struct script *s, const char *text, size_t with, struct fault *f)
{
	struct bytes copy = exact(bytes_of(text));
	bool ok;

	rules_read();
	ok = script_parse(s, "cases/theme/name.case", (const char *)copy.p, copy.n, with, &reqs, f);
	free((void *)copy.p);
	return ok;
}

/* --- what a step became, as text --- */

static void tell_number(struct buf *out, const char *name, int64_t v, int64_t usual)
{
	if (v != usual)
		buf_printf(out, " %s=%lld", name, (long long)v);
}

static void tell_text(struct buf *out, const char *name, struct bytes text)
{
	if (!text.p)
		return;
	buf_printf(out, " %s=", name);
	buf_quote(out, text);
}

static void tell_flag(struct buf *out, const char *name, bool set)
{
	if (set)
		buf_printf(out, " %s", name);
}

static void tell_mods(struct buf *out, const struct mods *m)
{
	tell_number(out, "level", m->level, -1);
	tell_number(out, "keys", m->keys, -1);
	tell_flag(out, "corrupt", m->corrupt);
	tell_flag(out, "corrupt-header", m->corrupt_header);
	tell_flag(out, "fragmented", m->fragmented);
	tell_flag(out, "empty", m->empty);
	tell_number(out, "pad", m->pad, -1);
	if (m->has_cut)
		buf_printf(out, " cut=%lld", (long long)m->cut);
}

static void tell_node(struct buf *out, const struct node *nd)
{
	static const char *const open[] = { "seq(", "alt(", "opt(" };

	if (nd->kind == NODE_ITEM) {
		item_print(out, &nd->item);
		return;
	}
	buf_printf(out, "%s", open[nd->kind]);
	for (size_t i = 0; i < nd->nkids; i++) {
		if (i > 0)
			buf_printf(out, ", ");
		tell_node(out, &nd->kids[i]);
	}
	buf_printf(out, ")");
}

static void tell_allowed(struct buf *out, const struct allowed *a)
{
	buf_printf(out, "%s", outcome_word(a->outcome));
	tell_number(out, "len", a->len, 0);
	tell_text(out, "text", a->text);
	tell_number(out, "alert", a->alert, ITEM_ANY);
	if (a->native.n > 0)
		tell_text(out, "native", a->native);
}

static void tell_check(struct buf *out, const struct step *st, const struct check *c)
{
	buf_printf(out, " -> {%.*s}", (int)c->text.n, (const char *)c->text.p);
	for (size_t i = 0; i < c->nallowed; i++) {
		buf_printf(out, "%s ", i ? " |" : "");
		tell_allowed(out, &c->allowed[i]);
	}
	if (st->actor == ACTOR_WIRE && c->pattern) {
		buf_printf(out, " ");
		tell_node(out, c->pattern);
	}
	for (int state = 1; tcp_state_word(state); state++)
		tell_flag(out, tcp_state_word(state), c->states & 1u << state);
	if (c->only != st->only)
		buf_printf(out, " only=%u", c->only);
	if (c->req)
		buf_printf(out, " [%s]", c->req->name);
}

static void tell_step(struct buf *out, const struct step *st)
{
	buf_printf(out, "{%.*s} %d.%d", (int)st->words.n, (const char *)st->words.p, st->actor, st->verb);
	if (st->only != FOR_ALL)
		buf_printf(out, " only=%u", st->only);
	tell_number(out, "n", st->n, ITEM_ANY);
	tell_text(out, "text", st->text);
	tell_number(out, "code", st->code, -1);
	tell_mods(out, &st->mods);
	tell_flag(out, "joined", st->joined);
	tell_flag(out, "?", st->optional);
	tell_flag(out, "&", st->outstanding);
	tell_flag(out, "later", st->later);
	for (size_t i = 0; i < st->nchecks; i++)
		tell_check(out, st, &st->checks[i]);
}

/* --- good steps --- */

/* `last` tells the script's last step, behind a title and what stands before it in `text`. */
static const struct { const char *text, *last; } steps[] = {
	{ "handshake",
	  "{handshake} 0.0" },
	{ "handshake -> ok",
	  "{handshake} 0.0 -> {ok} ok" },
	{ "handshake resume -> resumed | full",
	  "{handshake resume} 0.1 -> {resumed | full} resumed | full" },
	{ "handshake\nhandshake resume",
	  "{handshake resume} 0.1" },
	{ "handshake\nhandshake again -> ok",
	  "{handshake again} 0.2 -> {ok} ok" },
	{ "handshake\niut reuse number -> ok\niut reuse look -> ok | error",
	  "{iut reuse look} 2.15 -> {ok | error} ok | error" },
	{ "handshake\nswitch",
	  "{switch} 7.0" },
	{ "handshake\niut close\nswitch\nhandshake resume\niut read",
	  "{iut read} 2.1" },
	{ "handshake\nfd iut hold\nswitch\nhandshake\nfd iut hold\nswitch\nfd iut drop",
	  "{fd iut drop} 3.5" },
	{ "peer write \"hello\"",
	  "{peer write \"hello\"} 1.0 text=\"hello\"" },
	{ "peer write \"\"",
	  "{peer write \"\"} 1.0 text=\"\"" },
	{ "peer write \"a\\x00\\n\\\"\\\\b\"",
	  "{peer write \"a\\x00\\n\\\"\\\\b\"} 1.0 text=\"a\\x00\\n\\\"\\\\b\"" },
	{ "peer write 20000",
	  "{peer write 20000} 1.0 n=20000" },
	{ "peer write empty",
	  "{peer write empty} 1.0 text=\"\" empty" },
	{ "peer write \"x\" fragmented keys none",
	  "{peer write \"x\" fragmented keys none} 1.0 text=\"x\" keys=1 fragmented" },
	{ "peer close_notify",
	  "{peer close_notify} 1.1" },
	{ "peer close_notify level fatal",
	  "{peer close_notify level fatal} 1.1 level=2" },
	{ "peer close_notify level 7 keys old cut -1",
	  "{peer close_notify level 7 keys old cut -1} 1.1 level=7 keys=3 cut=-1" },
	{ "peer alert handshake_failure",
	  "{peer alert handshake_failure} 1.2 code=40" },
	{ "peer alert 200 level warning",
	  "{peer alert 200 level warning} 1.2 code=200 level=1" },
	{ "@1.3 peer key_update",
	  "{peer key_update} 1.3 only=123 code=0" },
	{ "@1.3 peer key_update requested",
	  "{peer key_update requested} 1.3 only=123 code=1" },
	{ "role client\ntls 1.3\npeer ticket",
	  "{peer ticket} 1.4" },
	{ "@1.3 @client peer ticket keys next",
	  "{peer ticket keys next} 1.4 only=121 keys=4" },
	{ "peer record alert 01 00",
	  "{peer record alert 01 00} 1.5 text=\"\\x01\\x00\" code=21" },
	{ "peer record 99 0100ff",
	  "{peer record 99 0100ff} 1.5 text=\"\\x01\\x00\\xff\" code=99" },
	{ "peer record handshake 18 00 00 01 00 keys none corrupt",
	  "{peer record handshake 18 00 00 01 00 keys none corrupt} 1.5 text=\"\\x18\\x00\\x00\\x01\\x00\" code=22 keys=1 corrupt" },
	{ "peer record alert empty",
	  "{peer record alert empty} 1.5 text=\"\" code=21 empty" },
	{ "peer raw \"GET / HTTP/1.0\\r\\n\"",
	  "{peer raw \"GET / HTTP/1.0\\r\\n\"} 1.6 text=\"GET / HTTP/1.0\\r\\n\"" },
	{ "peer raw 16 03 03",
	  "{peer raw 16 03 03} 1.6 text=\"\\x16\\x03\\x03\"" },
	{ "peer write \"x\"\npeer again",
	  "{peer again} 1.7" },
	{ "peer write \"x\"\nhandshake\npeer replay",
	  "{peer replay} 1.9" },
	{ "peer write \"x\"\nhandshake\npeer replay + fin",
	  "{peer fin} 1.10" },
	{ "peer write \"A\" cut 0\npeer write \"B\"\npeer rest",
	  "{peer rest} 1.8" },
	{ "peer close_notify cut 3\npeer rest",
	  "{peer rest} 1.8" },
	{ "peer close_notify cut 0\npeer rest 2",
	  "{peer rest 2} 1.8 n=2" },
	{ "peer write \"x\" corrupt",
	  "{peer write \"x\" corrupt} 1.0 text=\"x\" corrupt" },
	{ "peer write \"x\" corrupt header",
	  "{peer write \"x\" corrupt header} 1.0 text=\"x\" corrupt-header" },
	{ "@1.3 peer write \"x\" padded 100",
	  "{peer write \"x\" padded 100} 1.0 only=123 text=\"x\" pad=100" },
	{ "option early-data\n@1.3 @server peer close_notify keys early",
	  "{peer close_notify keys early} 1.1 only=122 keys=5" },
	{ "@1.3 peer close_notify keys handshake",
	  "{peer close_notify keys handshake} 1.1 only=123 keys=2" },
	{ "peer fin",
	  "{peer fin} 1.10" },
	{ "peer rst",
	  "{peer rst} 1.11" },
	{ "peer close",
	  "{peer close} 1.12" },
	{ "peer vanish",
	  "{peer vanish} 1.13" },
	{ "peer vanish\npeer close",
	  "{peer close} 1.12" },
	{ "peer forget",
	  "{peer forget} 1.14" },
	{ "peer stop-reading",
	  "{peer stop-reading} 1.15" },
	{ "peer start-reading",
	  "{peer start-reading} 1.16" },
	{ "peer window 4096",
	  "{peer window 4096} 1.17 n=4096" },
	{ "peer handshake",
	  "{peer handshake} 1.18" },
	{ "peer handshake to nothing",
	  "{peer handshake to nothing} 1.18 code=-2" },
	{ "peer handshake to finished",
	  "{peer handshake to finished} 1.18 code=20" },
	{ "peer handshake to finished + close_notify",
	  "{peer close_notify} 1.1" },
	{ "@1.3 peer handshake to encrypted_extensions",
	  "{peer handshake to encrypted_extensions} 1.18 only=123 code=8" },
	{ "@1.2 peer handshake to server_hello_done",
	  "{peer handshake to server_hello_done} 1.18 only=119 code=14" },
	{ "peer   write \"last\" +  close_notify level fatal + fin",
	  "{peer fin} 1.10" },
	{ "@1.3 @server,client peer write 3 + fin",
	  "{peer fin} 1.10 only=123" },
	{ "peer write 16384 + fin",
	  "{peer fin} 1.10" },
	{ "peer write 20000 cut 16384 + fin",
	  "{peer fin} 1.10" },
	{ "iut handshake &",
	  "{iut handshake} 2.0 &" },
	{ "iut handshake -> alert | truncated | ok",
	  "{iut handshake} 2.0 -> {alert | truncated | ok} alert | truncated | ok" },
	{ "iut read",
	  "{iut read} 2.1" },
	{ "iut read 5 -> data \"he\\x00\"",
	  "{iut read 5} 2.1 n=5 -> {data \"he\\x00\"} data len=3 text=\"he\\x00\" [data-intact]" },
	{ "iut read -> data",
	  "{iut read} 2.1 -> {data} data len=-1 [data-intact]" },
	{ "iut read -> data 1275 | data \"x\"",
	  "{iut read} 2.1 -> {data 1275 | data \"x\"} data len=1275 | data len=1 text=\"x\" [data-intact]" },
	{ "iut read -> data 5 | closed",
	  "{iut read} 2.1 -> {data 5 | closed} data len=5 | closed" },
	{ "iut read -> closed | fails [truncation-visible]",
	  "{iut read} 2.1 -> {closed | fails} closed | fails [truncation-visible]" },
	{ "iut read &",
	  "{iut read} 2.1 &" },
	{ "iut read -> blocked",
	  "{iut read} 2.1 -> {blocked} blocked" },
	{ "iut read -> alert | alert handshake_failure | alert 200",
	  "{iut read} 2.1 -> {alert | alert handshake_failure | alert 200} alert | alert alert=40 | alert alert=200" },
	{ "iut read -> reset | pipe | spins | crash | error | refused | truncated",
	  "{iut read} 2.1 -> {reset | pipe | spins | crash | error | refused | truncated} reset | pipe | spins | crash | error | refused | truncated" },
	{ "iut read* -> data 1275 closed",
	  "{iut read*} 2.2 -> {data 1275 closed} closed len=1275" },
	{ "iut read* -> data 5 fails | closed | data 3 alert decode_error | data truncated as READ=0",
	  "{iut read*} 2.2 -> {data 5 fails | closed | data 3 alert decode_error | data truncated as READ=0} fails len=5 | closed | alert len=3 alert=50 | truncated len=-1 native=\"READ=0\"" },
	{ "iut read* -> data 5 blocked",
	  "{iut read*} 2.2 -> {data 5 blocked} blocked len=5" },
	{ "iut write \"x\" -> ok",
	  "{iut write \"x\"} 2.3 text=\"x\" -> {ok} ok" },
	{ "iut write 100000",
	  "{iut write 100000} 2.3 n=100000" },
	{ "iut write 5?",
	  "{iut write 5} 2.3 n=5 ?" },
	{ "iut shutdown write -> sent | complete",
	  "{iut shutdown write} 2.4 -> {sent | complete} sent | complete" },
	{ "iut shutdown   write ? -> sent as SSL_shutdown=0",
	  "{iut shutdown write} 2.4 ? -> {sent as SSL_shutdown=0} sent native=\"SSL_shutdown=0\"" },
	{ "iut shutdown both & ?",
	  "{iut shutdown both} 2.5 ? &" },
	{ "iut shutdown -> sent",
	  "{iut shutdown} 2.6 -> {sent} sent" },
	{ "iut shutdown both -> complete as SSL_shutdown=1 SENT|RECEIVED | sent as a \"for, people|\" b [notify-once]",
	  "{iut shutdown both} 2.5 -> {complete as SSL_shutdown=1 SENT|RECEIVED | sent as a \"for, people|\" b} complete native=\"SSL_shutdown=1 SENT|RECEIVED\" | sent native=\"a b\" [notify-once]" },
	{ "iut shutdown -> error as unwrap()=None   f(x,y)[1] \"text\"",
	  "{iut shutdown} 2.6 -> {error as unwrap()=None f(x,y)[1] \"text\"} error native=\"unwrap()=None f(x,y)[1]\"" },
	{ "iut close",
	  "{iut close} 2.7" },
	{ "iut close -> ok",
	  "{iut close} 2.7 -> {ok} ok" },
	{ "iut abandon",
	  "{iut abandon} 2.8" },
	{ "@1.3 iut key_update",
	  "{iut key_update} 2.9 only=123 code=0" },
	{ "@1.3 iut key_update requested -> ok",
	  "{iut key_update requested} 2.9 only=123 code=1 -> {ok} ok" },
	{ "iut plain read 3 -> data \"abc\"",
	  "{iut plain read 3} 2.10 n=3 -> {data \"abc\"} data len=3 text=\"abc\" [data-intact]" },
	{ "option early-data\n@1.3 @server iut early read -> data \"abc\" | ok",
	  "{iut early read} 2.16 only=122 -> {data \"abc\" | ok} data len=3 text=\"abc\" | ok" },
	{ "option early-data\n@1.3 @server iut early read 3 -> closed",
	  "{iut early read 3} 2.16 only=122 n=3 -> {closed} closed" },
	{ "option early-data\n@1.3 @client iut early write 5 -> ok",
	  "{iut early write 5} 2.17 only=121 n=5 -> {ok} ok" },
	{ "option early-data\n@1.3 @client iut early write \"x\" &",
	  "{iut early write \"x\"} 2.17 only=121 text=\"x\" &" },
	{ "connect",
	  "{connect} 8.0" },
	{ "iut close\nconnect resume",
	  "{connect resume} 8.1" },
	{ "iut plain read",
	  "{iut plain read} 2.10" },
	{ "iut plain write \"abc\" -> ok",
	  "{iut plain write \"abc\"} 2.11 text=\"abc\" -> {ok} ok" },
	{ "needs fork\niut child shutdown -> sent",
	  "{iut child shutdown} 2.12 -> {sent} sent" },
	{ "iut read -> blocked\niut await later -> fails",
	  "{iut await later} 2.13 later -> {fails} fails" },
	{ "iut read &\niut await -> data \"x\"",
	  "{iut await} 2.13 -> {data \"x\"} data len=1 text=\"x\" [data-intact]" },
	{ "iut read -> blocked\niut await",
	  "{iut await} 2.13" },
	{ "iut read* &\niut await -> data 5 closed",
	  "{iut await} 2.13 -> {data 5 closed} closed len=5" },
	{ "iut read -> data | blocked\niut await -> alert close_notify | blocked\niut await -> closed",
	  "{iut await} 2.13 -> {closed} closed" },
	{ "fd iut shutdown read",
	  "{fd iut shutdown read} 3.0" },
	{ "fd iut shutdown write",
	  "{fd iut shutdown write} 3.1" },
	{ "fd iut shutdown both",
	  "{fd iut shutdown both} 3.2" },
	{ "fd iut linger 0",
	  "{fd iut linger 0} 3.3 n=0" },
	{ "fd iut hold",
	  "{fd iut hold} 3.4" },
	{ "fd iut hold\niut close\nfd iut linger 0\nfd iut drop",
	  "{fd iut drop} 3.5" },
	{ "fd iut sndbuf 4096",
	  "{fd iut sndbuf 4096} 3.6 n=4096" },
	{ "fd iut rcvbuf 4096",
	  "{fd iut rcvbuf 4096} 3.7 n=4096" },
	{ "fd iut user-timeout 500",
	  "{fd iut user-timeout 500} 3.8 n=500" },
	{ "fd iut keepalive 1",
	  "{fd iut keepalive 1} 3.9 n=1" },
	{ "needs interrupt\nfd iut interrupt",
	  "{fd iut interrupt} 3.10" },
	{ "path forge syn to iut",
	  "{path forge syn to iut} 4.2 n=0" },
	{ "path forge ack off -2 to iut",
	  "{path forge ack off -2 to iut} 4.3 n=-2" },
	{ "path forge rst off 1000 to iut",
	  "{path forge rst off 1000 to iut} 4.1 n=1000" },
	{ "path lose data to iut",
	  "{path lose data to iut} 4.5" },
	{ "path forge fin to iut",
	  "{path forge fin to iut} 4.0 n=0" },
	{ "path forge rst to iut",
	  "{path forge rst to iut} 4.1 n=0" },
	{ "path icmp host-unreachable to iut",
	  "{path icmp host-unreachable to iut} 4.4 text=\"host-unreachable\" code=769" },
	{ "path cut",
	  "{path cut} 4.6" },
	{ "path mend",
	  "{path mend} 4.7" },
	{ "wire iut",
	  "{wire iut} 5.0" },
	{ "wire iut -> nothing",
	  "{wire iut} 5.0 -> {nothing} [nothing-else]" },
	{ "wire iut -> close_notify fin",
	  "{wire iut} 5.0 -> {close_notify fin} seq(close_notify, fin) [nothing-else]" },
	{ "wire iut -> (close_notify | alert)? (fin | rst)",
	  "{wire iut} 5.0 -> {(close_notify | alert)? (fin | rst)} seq(opt(alt(close_notify, alert)), alt(fin, rst)) [nothing-else]" },
	{ "wire iut -> close_notify|nothing",
	  "{wire iut} 5.0 -> {close_notify|nothing} alt(close_notify, seq()) [nothing-else]" },
	{ "wire iut -> (data 5 keys none (key_update requested)?)? (close_notify level fatal) fin?",
	  "{wire iut} 5.0 -> {(data 5 keys none (key_update requested)?)? (close_notify level fatal) fin?} seq(opt(seq(data 5 keys none, opt(key_update requested))), close_notify level fatal, opt(fin)) [nothing-else]" },
	{ "wire peer -> alert handshake_failure level warning rst [notify-once]",
	  "{wire peer} 5.1 -> {alert handshake_failure level warning rst} seq(alert handshake_failure level warning, rst) [notify-once]" },
	{ "wire iut -> handshake finished ticket? unopened partial raw 3 raw change_cipher_spec data",
	  "{wire iut} 5.0 -> {handshake finished ticket? unopened partial raw 3 raw change_cipher_spec data} seq(handshake finished, opt(ticket), unopened, partial, raw 3, raw, change_cipher_spec, data) [nothing-else]" },
	{ "wire iut -> (nothing | fin)",
	  "{wire iut} 5.0 -> {(nothing | fin)} alt(seq(), fin) [nothing-else]" },
	{ "tcp iut",
	  "{tcp iut} 6.0" },
	{ "tcp iut -> close-wait | last-ack [notify-once]",
	  "{tcp iut} 6.0 -> {close-wait | last-ack} close-wait last-ack [notify-once]" },
	{ "tcp peer -> fin-wait-2|time-wait",
	  "{tcp peer} 6.1 -> {fin-wait-2|time-wait} fin-wait-2 time-wait" },
	{ "tcp iut later -> closed",
	  "{tcp iut later} 6.0 later -> {closed} closed" },
	{ "tcp peer later -> time-wait | closed",
	  "{tcp peer later} 6.1 later -> {time-wait | closed} time-wait closed" },
	{ "@1.2 iut read -> closed",
	  "{iut read} 2.1 only=119 -> {closed} closed" },
	{ "@nonblocking,memory @client iut read -> blocked",
	  "{iut read} 2.1 only=109 -> {blocked} blocked" },
	{ "@1.2 @client,server @blocking iut read",
	  "{iut read} 2.1 only=23" },
	{ "iut read -> closed | fails\nalso -> closed [truncation-visible]",
	  "{iut read} 2.1 -> {closed | fails} closed | fails -> {closed} closed [truncation-visible]" },
	{ "iut read -> closed | fails\n@1.2 also -> closed",
	  "{iut read} 2.1 -> {closed | fails} closed | fails -> {closed} closed only=119" },
	{ "wire iut -> close_notify? fin\nalso -> close_notify fin [notify-once]",
	  "{wire iut} 5.0 -> {close_notify? fin} seq(opt(close_notify), fin) [nothing-else] -> {close_notify fin} seq(close_notify, fin) [notify-once]" },
	{ "tcp iut -> closed | close-wait\nalso -> closed",
	  "{tcp iut} 6.0 -> {closed | close-wait} closed close-wait -> {closed} closed" },
	{ "handshake   # comment -> nothing",
	  "{handshake} 0.0" },
	{ "iut read -> data \"#\" # comment",
	  "{iut read} 2.1 -> {data \"#\"} data len=1 text=\"#\" [data-intact]" },
	{ "with K in 1 3\npeer close_notify cut $K",
	  "{peer close_notify cut 1} 1.1 cut=1" },
	{ "with K in handshake_failure\niut read -> alert $K",
	  "{iut read} 2.1 -> {alert handshake_failure} alert alert=40" },
	{ "with K in \"two words\" 5\niut write $K",
	  "{iut write \"two words\"} 2.3 text=\"two words\"" },
	{ "with K in 5 6\nwire iut -> data $K",
	  "{wire iut} 5.0 -> {data 5} data 5 [nothing-else]" },
	{ "with K in fin x\npeer $K",
	  "{peer fin} 1.10" },
	{ "handshake\niut close\nhandshake\niut read",
	  "{iut read} 2.1" },
	{ "iut close?\niut read",
	  "{iut read} 2.1" },
	{ "io nonblocking memory\niut read -> blocked\niut write \"x\" -> ok\niut await -> data",
	  "{iut await} 2.13 -> {data} data len=-1 [data-intact]" },
	{ "needs concurrent\niut read -> blocked\niut close\niut await -> fails",
	  "{iut await} 2.13 -> {fails} fails" },
	{ "iut read -> blocked | closed\niut write \"x\"",
	  "{iut write \"x\"} 2.3 text=\"x\"" },
	{ "peer rst\nhandshake\npeer write \"x\"",
	  "{peer write \"x\"} 1.0 text=\"x\"" },
	{ "wire peer -> fin",
	  "{wire peer} 5.1 -> {fin} fin" },
};

START_TEST(good_step)
{
	struct buf text = { 0 }, out = { 0 };
	struct script s;
	struct fault f = { 0 };

	buf_printf(&text, "title t\n%s\n", steps[_i].text);
	ck_assert_msg(parse(&s, buf_str(&text), 0, &f), "%s: %d:%d: %s", steps[_i].text, f.line, f.col, f.msg);
	tell_step(&out, &s.steps[s.nsteps - 1]);
	ck_assert_msg(strcmp(buf_str(&out), steps[_i].last) == 0, "%s became\n%s", steps[_i].text, buf_str(&out));
	script_free(&s);
	buf_free(&text);
	buf_free(&out);
}
END_TEST

/* --- faults --- */

static const struct {
	const char *name, *text;
	int line, col, width;
	const char *msg;
} wrong[] = {
	{ "header: unknown line", "titel t\nhandshake",
	  1, 1, 5, "`titel` is no header line or actor; did you mean `title`?" },
	{ "header: unknown actor", "title t\npeeer fin",
	  2, 1, 5, "`peeer` is no header line or actor; did you mean `peer`?" },
	{ "header: no title", "handshake",
	  1, 1, 9, "a `title` line has to stand before the first step" },
	{ "header: empty title", "title\nhandshake",
	  1, 6, 1, "missing here: the title" },
	{ "header: only a comment as title", "title  # t\nhandshake",
	  1, 8, 1, "missing here: the title" },
	{ "header: title twice", "title t\ntitle u\nhandshake",
	  2, 1, 5, "`title` a second time" },
	{ "header: after a step", "title t\nhandshake\nrole client",
	  3, 1, 4, "`role` belongs to the header, before the first step" },
	{ "header: no steps", "title t",
	  1, 1, 1, "the case has no steps" },
	{ "header: nothing at all", "",
	  1, 1, 1, "the case has no title" },
	{ "header: only prose", "# hello\n",
	  1, 1, 1, "the case has no title" },
	{ "header: role", "title t\nrole clent\nhandshake",
	  2, 6, 5, "`clent` is no role; did you mean `client`?" },
	{ "header: role of another kind", "title t\nrole 1.2\nhandshake",
	  2, 6, 3, "`1.2` is no role" },
	{ "header: two roles", "title t\nrole client server\nhandshake",
	  2, 13, 6, "`server` cannot stand here" },
	{ "header: no role", "title t\nrole\nhandshake",
	  2, 5, 1, "missing here: role" },
	{ "header: role twice", "title t\nrole client\nrole server\nhandshake",
	  3, 1, 4, "`role` a second time" },
	{ "header: tls", "title t\ntls 1.4\nhandshake",
	  2, 5, 3, "`1.4` is no TLS version; did you mean `1.2`?" },
	{ "header: io", "title t\nio blocking nonblockin\nhandshake",
	  2, 13, 10, "`nonblockin` is no I/O mode; did you mean `nonblocking`?" },
	{ "header: needs nothing", "title t\nneeds\nhandshake",
	  2, 6, 1, "missing here: a capability" },
	{ "header: needs what is not", "title t\nneeds resumption concurent\nhandshake",
	  2, 18, 9, "`concurent` is no capability; did you mean `concurrent`?" },
	{ "header: needs no option", "title t\nneeds option:\nhandshake",
	  2, 7, 7, "`option:` is no capability" },
	{ "header: option", "title t\noption\nhandshake",
	  2, 7, 1, "missing here: an option's name" },
	{ "header: two options", "title t\noption a b\nhandshake",
	  2, 10, 1, "`b` cannot stand here" },
	{ "header: api", "title t\napi \"openssl\"\nhandshake",
	  2, 5, 9, "expected here: an API family" },
	{ "header: about", "title t\nabout hosts\nhandshake",
	  2, 7, 5, "expected here: `host`" },
	{ "header: host key", "title t\nhost ../x 1\nhandshake",
	  2, 6, 4, "expected here: the name of a setting below net/ipv4" },
	{ "header: host path", "title t\nhost /x 1\nhandshake",
	  2, 6, 2, "expected here: the name of a setting below net/ipv4" },
	{ "header: host value", "title t\nhost tcp_fin_timeout\nhandshake",
	  2, 21, 1, "missing here: the setting's value" },
	{ "header: except what", "title t\nexcept\nhandshake",
	  2, 7, 1, "expected here: a requirement" },
	{ "header: except unknown", "title t\nexcept notify-onse why\nhandshake",
	  2, 8, 11, "`notify-onse` is no requirement; did you mean `notify-once`?" },
	{ "header: except no invariant", "title t\nexcept truncation-visible why\nhandshake",
	  2, 8, 18, "`truncation-visible` is no invariant: without a line that asks for it, it is not tested" },
	{ "header: except no reason", "title t\nexcept notify-once\nhandshake",
	  2, 19, 1, "missing here: the reason" },
	{ "header: with nothing", "title t\nwith\nhandshake",
	  2, 5, 1, "missing here: a name" },
	{ "header: with dollar", "title t\nwith $K in 1\nhandshake",
	  2, 6, 2, "the name stands here without `$`" },
	{ "header: with no in", "title t\nwith K 1 3\nhandshake",
	  2, 8, 1, "expected here: `in`" },
	{ "header: with no value", "title t\nwith K in\nhandshake",
	  2, 10, 1, "missing here: a value" },
	{ "header: with not used", "title t\nwith K in 1\nhandshake",
	  2, 6, 1, "no step uses `$K`" },
	{ "header: with another name", "title t\nwith K in 1\npeer write $L",
	  3, 12, 2, "`$L` is not what the `with` line names; did you mean `$K`?" },
	{ "header: value without with", "title t\npeer write $L",
	  2, 12, 2, "`$L` without a `with` line in the header" },
	{ "header: value of with wrong", "title t\nwith K in -1\npeer write 5 cut 3 padded $K",
	  3, 27, 2, "expected here: a number from 0 to 1073741824" },
	{ "header: no word", "title t\n\"iut\"",
	  2, 1, 5, "expected here: an actor" },
	{ "header: dollar first", "title t\n|",
	  2, 1, 1, "expected here: an actor" },
	{ "selector: unknown", "title t\n@1.1 iut read",
	  2, 2, 3, "`1.1` is no selector; did you mean `1.2`?" },
	{ "selector: unknown part", "title t\n@blocking,nonblock iut read",
	  2, 11, 8, "`nonblock` is no selector; did you mean `nonblocking`?" },
	{ "selector: empty part", "title t\n@1.2, iut read",
	  2, 6, 1, "`` is no selector" },
	{ "selector: two kinds", "title t\n@1.2,client iut read",
	  2, 1, 11, "a comma joins selectors of one kind" },
	{ "selector: none left", "title t\n@1.2 @1.3 iut read",
	  2, 1, 9, "no variant of this case has this step" },
	{ "selector: not in this case", "title t\ntls 1.3\n@1.2 iut read",
	  3, 1, 4, "no variant of this case has this step" },
	{ "selector: no actor", "title t\n@1.2",
	  2, 5, 1, "missing here: an actor" },
	{ "text: string without end", "title t\npeer write \"abc",
	  2, 12, 4, "this string has no end" },
	{ "text: bad escape", "title t\npeer write \"a\\q\"",
	  2, 12, 5, "this text has an escape that there is not: \\n \\r \\t \\\\ \\\" \\xNN" },
	{ "text: control character in a string", "title t\npeer write \"a\x02\"",
	  2, 14, 1, "a byte 0x02 that is no text; write \\x02" },
	{ "text: DEL in a string", "title t\npeer write \"\x7f\"",
	  2, 13, 1, "a byte 0x7f that is no text; write \\x7f" },
	{ "text: byte", "title t\npeer \x02""",
	  2, 6, 1, "a byte 0x02 that is no text" },
	{ "handshake: word", "title t\nhandshake resumed",
	  2, 11, 7, "`resumed` cannot stand here" },
	{ "handshake: outcome", "title t\nhandshake -> closed",
	  2, 14, 6, "`handshake` cannot be `closed`" },
	{ "handshake: resumed of nothing", "title t\nhandshake -> resumed",
	  2, 14, 7, "only `handshake resume` can be resumed" },
	{ "peer: no verb", "title t\npeer",
	  2, 5, 1, "missing here: step of the peer" },
	{ "peer: verb", "title t\npeer wrte \"x\"",
	  2, 6, 4, "`wrte` is no step of the peer; did you mean `write`?" },
	{ "peer: verb far", "title t\npeer abcdefgh",
	  2, 6, 8, "`abcdefgh` is no step of the peer" },
	{ "peer: string as verb", "title t\npeer \"x\"",
	  2, 6, 3, "expected here: step of the peer" },
	{ "peer: write what", "title t\npeer write",
	  2, 11, 1, "missing here: a text in quotes or a number" },
	{ "peer: write word", "title t\npeer write five",
	  2, 12, 4, "expected here: a number from 0 to 1073741824" },
	{ "peer: write too much", "title t\npeer write 99999999999",
	  2, 12, 11, "expected here: a number from 0 to 1073741824" },
	{ "peer: write negative", "title t\npeer write -1",
	  2, 12, 2, "expected here: a number from 0 to 1073741824" },
	{ "peer: alert what", "title t\npeer alert",
	  2, 11, 1, "missing here: an alert's name or number" },
	{ "peer: alert name", "title t\npeer alert handshake_failre",
	  2, 12, 16, "`handshake_failre` is no alert; did you mean `handshake_failure`?" },
	{ "peer: alert number", "title t\npeer alert 256",
	  2, 12, 3, "`256` is no alert" },
	{ "peer: record what", "title t\npeer record",
	  2, 12, 1, "missing here: the record's type" },
	{ "peer: record type", "title t\npeer record allert 01",
	  2, 13, 6, "`allert` is no type of a record; did you mean `alert`?" },
	{ "peer: record content", "title t\npeer record alert",
	  2, 18, 1, "missing here: hex digits" },
	{ "peer: record not hex", "title t\npeer record alert xyz",
	  2, 19, 3, "expected here: hex digits" },
	{ "peer: record half", "title t\npeer record alert 01 0 keys none",
	  2, 22, 1, "hex digits come in pairs" },
	{ "peer: raw what", "title t\npeer raw fin",
	  2, 10, 3, "expected here: hex digits" },
	{ "peer: message", "title t\npeer handshake to finishd",
	  2, 19, 7, "`finishd` is no message to stop at; did you mean `finished`?" },
	{ "peer: no message", "title t\npeer handshake to",
	  2, 18, 1, "missing here: a handshake message or `nothing`" },
	{ "peer: modifier", "title t\npeer close_notify corupt",
	  2, 19, 6, "`corupt` is no modifier; did you mean `corrupt`?" },
	{ "peer: modifier twice", "title t\npeer close_notify cut 1 cut 2",
	  2, 25, 3, "`cut` a second time" },
	{ "peer: modifier of another", "title t\npeer fin cut 1",
	  2, 10, 3, "`cut` does not go with `fin`" },
	{ "peer: level of another", "title t\npeer write \"x\" level fatal",
	  2, 16, 5, "`level` does not go with `write`" },
	{ "peer: level", "title t\npeer close_notify level fatl",
	  2, 25, 4, "`fatl` is no level; did you mean `fatal`?" },
	{ "peer: level number", "title t\npeer close_notify level 256",
	  2, 25, 3, "`256` is no level" },
	{ "peer: no level", "title t\npeer close_notify level",
	  2, 24, 1, "missing here: fatal, warning or a number" },
	{ "peer: keys", "title t\npeer close_notify keys nxt",
	  2, 24, 3, "`nxt` is no name of keys; did you mean `next`?" },
	{ "peer: no keys", "title t\npeer close_notify keys",
	  2, 23, 1, "missing here: none, handshake, old, next or early" },
	{ "peer: cut", "title t\npeer close_notify cut x",
	  2, 23, 1, "expected here: a number from -1073741824 to 1073741824" },
	{ "peer: no cut", "title t\npeer close_notify cut",
	  2, 22, 1, "missing here: a number" },
	{ "peer: padded", "title t\n@1.3 peer close_notify padded -1",
	  2, 31, 2, "expected here: a number from 0 to 1073741824" },
	{ "peer: word too many", "title t\npeer fin fin",
	  2, 10, 3, "`fin` cannot stand here" },
	{ "peer: joined to nothing", "title t\npeer fin +",
	  2, 11, 1, "missing here: step of the peer" },
	{ "peer: joined to nobody", "title t\npeer write \"x\" + + fin",
	  2, 18, 1, "expected here: step of the peer" },
	{ "peer: optional", "title t\npeer fin ?",
	  2, 10, 1, "`?` cannot stand here" },
	{ "peer: checked", "title t\npeer fin -> ok",
	  2, 10, 2, "there is nothing to check in this step" },
	{ "peer: window", "title t\npeer window",
	  2, 12, 1, "missing here: a number" },
	{ "iut: no verb", "title t\niut",
	  2, 4, 1, "missing here: call of the iut" },
	{ "iut: verb", "title t\niut reed",
	  2, 5, 4, "`reed` is no call of the iut; did you mean `read`?" },
	{ "iut: second word", "title t\niut shutdown bth",
	  2, 14, 3, "`bth` is no word behind `shutdown`; did you mean `both`?" },
	{ "iut: second word wanted", "title t\niut plain",
	  2, 10, 1, "`plain` wants a word more" },
	{ "iut: second word wrong", "title t\niut plain raed",
	  2, 11, 4, "`raed` is no word behind `plain`; did you mean `read`?" },
	{ "iut: read", "title t\niut read x",
	  2, 10, 1, "expected here: a number from 0 to 1073741824" },
	{ "iut: write", "title t\niut write",
	  2, 10, 1, "missing here: a text in quotes or a number" },
	{ "iut: word too many", "title t\niut close now",
	  2, 11, 3, "`now` cannot stand here" },
	{ "iut: modifier", "title t\niut write \"x\" cut 1",
	  2, 15, 3, "`cut` cannot stand here" },
	{ "iut: nothing allowed", "title t\niut read ->",
	  2, 12, 1, "missing here: an outcome" },
	{ "iut: outcome", "title t\niut read -> closd",
	  2, 13, 5, "`closd` is no outcome; did you mean `closed`?" },
	{ "iut: outcome in quotes", "title t\niut read -> \"x\"",
	  2, 13, 3, "expected here: an outcome" },
	{ "iut: second outcome", "title t\niut read -> closed | truncatd",
	  2, 22, 8, "`truncatd` is no outcome; did you mean `truncated`?" },
	{ "iut: no second outcome", "title t\niut read -> closed |",
	  2, 21, 1, "missing here: an outcome" },
	{ "iut: no bar", "title t\niut read -> closed truncated",
	  2, 20, 9, "`truncated` cannot stand here" },
	{ "iut: data and more", "title t\niut read -> data 5 closed",
	  2, 20, 6, "`closed` cannot stand here" },
	{ "iut: alert of outcome", "title t\niut read -> alert handshak_failure",
	  2, 19, 16, "`handshak_failure` is no alert; did you mean `handshake_failure`?" },
	{ "iut: read* without end", "title t\niut read* -> data 5",
	  2, 20, 1, "missing here: what ends `read*`, as in `data 5 closed`" },
	{ "iut: read* ends as data", "title t\niut read* -> data 5 data",
	  2, 21, 4, "`read*` ends with what is not data" },
	{ "iut: read* of a text", "title t\niut read* -> data \"x\" closed",
	  2, 14, 4, "`read*` adds up: a number has to stand behind `data`" },
	{ "iut: as nothing", "title t\niut shutdown -> sent as [notify-once]",
	  2, 25, 1, "expected here: a word of the native return" },
	{ "iut: as people", "title t\niut shutdown -> sent as \"x\"",
	  2, 28, 1, "missing here: a word of the native return" },
	{ "iut: requirement", "title t\niut read -> closed [truncation-visable]",
	  2, 21, 18, "`truncation-visable` is no requirement; did you mean `truncation-visible`?" },
	{ "iut: requirement far", "title t\niut read -> closed [abcdefghijkl]",
	  2, 21, 12, "`abcdefghijkl` is no requirement" },
	{ "iut: no requirement", "title t\niut read -> closed []",
	  2, 21, 1, "expected here: a requirement" },
	{ "iut: requirement open", "title t\niut read -> closed [notify-once",
	  2, 32, 1, "missing here: `]`" },
	{ "iut: behind the requirement", "title t\niut read -> closed [notify-once] x",
	  2, 34, 1, "`x` cannot stand here" },
	{ "iut: requirement alone", "title t\niut read [notify-once]",
	  2, 10, 1, "a requirement needs `->` and what is allowed in front of it" },
	{ "iut: open and checked", "title t\niut read & -> closed",
	  2, 12, 2, "`&` leaves open what happens: check it where `iut await` collects it" },
	{ "also: first", "title t\nalso -> closed",
	  2, 1, 4, "there is nothing before it that `also` could look at" },
	{ "also: after the peer", "title t\npeer fin\nalso -> closed",
	  3, 1, 4, "there is nothing before it that `also` could look at" },
	{ "also: no arrow", "title t\niut read -> closed\nalso closed",
	  3, 6, 6, "expected here: `->`" },
	{ "also: no variant", "title t\n@1.3 iut read -> closed\n@1.2 also -> closed",
	  3, 6, 4, "no variant has both this and the step before it" },
	{ "also: outcome", "title t\niut read -> closed\nalso -> sent",
	  3, 9, 4, "`iut read` cannot be `sent`" },
	{ "fd: whose", "title t\nfd peer hold",
	  2, 4, 4, "expected here: `iut`" },
	{ "fd: verb", "title t\nfd iut holt",
	  2, 8, 4, "`holt` is no setting of the descriptor; did you mean `hold`?" },
	{ "fd: second word", "title t\nfd iut shutdown reed",
	  2, 17, 4, "`reed` is no word behind `shutdown`; did you mean `read`?" },
	{ "fd: second word wanted", "title t\nfd iut shutdown",
	  2, 16, 1, "`shutdown` wants a word more" },
	{ "fd: number", "title t\nfd iut linger",
	  2, 14, 1, "missing here: a number" },
	{ "fd: checked", "title t\nfd iut hold -> ok",
	  2, 13, 2, "there is nothing to check in this step" },
	{ "path: verb", "title t\npath forg fin to iut",
	  2, 6, 4, "`forg` is no step of the path; did you mean `forge`?" },
	{ "path: forge what", "title t\npath forge fim to iut",
	  2, 12, 3, "`fim` is no word behind `forge`; did you mean `fin`?" },
	{ "path: to whom", "title t\npath forge fin",
	  2, 15, 1, "missing here: `to iut`" },
	{ "path: to the peer", "title t\npath forge fin to peer",
	  2, 19, 4, "expected here: `iut`" },
	{ "path: icmp what", "title t\npath icmp",
	  2, 10, 1, "missing here: the name of an ICMP error" },
	{ "path: icmp name", "title t\npath icmp host-unreachabel to iut",
	  2, 11, 16, "`host-unreachabel` is no ICMP error of ours; did you mean `host-unreachable`?" },
	{ "wire: whose", "title t\nwire fd -> fin",
	  2, 6, 2, "expected here: `iut` or `peer`" },
	{ "wire: nothing there", "title t\nwire iut ->",
	  2, 12, 1, "missing here: a word of the wire" },
	{ "wire: word", "title t\nwire iut -> close_notfy fin",
	  2, 13, 11, "`close_notfy` is no word of the wire; did you mean `close_notify`?" },
	{ "wire: second word", "title t\nwire iut -> close_notify fim",
	  2, 26, 3, "`fim` is no word of the wire; did you mean `fin`?" },
	{ "wire: behind alert", "title t\nwire iut -> alert handshake_failur",
	  2, 19, 16, "`handshake_failur` is no alert; did you mean `handshake_failure`?" },
	{ "wire: data", "title t\nwire iut -> data x",
	  2, 18, 1, "`x` is no word of the wire" },
	{ "wire: level", "title t\nwire iut -> close_notify level fatl",
	  2, 32, 4, "`fatl` is no level; did you mean `fatal`?" },
	{ "wire: no level", "title t\nwire iut -> close_notify level",
	  2, 31, 1, "missing here: a level" },
	{ "wire: level of data", "title t\nwire iut -> data 5 level fatal",
	  2, 20, 5, "`level` cannot stand here" },
	{ "wire: keys", "title t\nwire iut -> close_notify keys od",
	  2, 31, 2, "`od` is no name of keys; did you mean `old`?" },
	{ "wire: group open", "title t\nwire iut -> (fin | rst",
	  2, 23, 1, "missing here: `)`" },
	{ "wire: group empty", "title t\nwire iut -> ()",
	  2, 14, 1, "expected here: a word of the wire" },
	{ "wire: group closed", "title t\nwire iut -> fin)",
	  2, 16, 1, "`)` cannot stand here" },
	{ "wire: no choice", "title t\nwire iut -> (fin |)",
	  2, 19, 1, "expected here: a word of the wire" },
	{ "wire: question alone", "title t\nwire iut -> ? fin",
	  2, 13, 1, "expected here: a word of the wire" },
	{ "wire: twice optional", "title t\nwire iut -> fin??",
	  2, 17, 1, "expected here: a word of the wire" },
	{ "wire: nothing and more", "title t\nwire iut -> nothing fin",
	  2, 13, 7, "`nothing` stands alone" },
	{ "wire: more and nothing", "title t\nwire iut -> fin nothing",
	  2, 17, 7, "`nothing` stands alone" },
	{ "wire: string", "title t\nwire iut -> \"x\"",
	  2, 13, 3, "expected here: a word of the wire" },
	{ "wire: too deep", "title t\nwire iut -> (((((((((((((((((fin",
	  2, 29, 1, "more than 16 groups in each other" },
	{ "tcp: whose", "title t\ntcp -> closed",
	  2, 5, 2, "expected here: `iut` or `peer`" },
	{ "tcp: state", "title t\ntcp iut -> close-wai",
	  2, 12, 9, "`close-wai` is no state of TCP; did you mean `close-wait`?" },
	{ "tcp: no state", "title t\ntcp iut ->",
	  2, 11, 1, "missing here: a state of TCP" },
	{ "tcp: text", "title t\ntcp iut -> \"x\"",
	  2, 12, 3, "expected here: a state of TCP" },
	{ "sense: read after close", "title t\nhandshake\niut close\niut read",
	  4, 1, 8, "after `iut close` in line 3 the iut has no connection" },
	{ "sense: plain after abandon", "title t\nhandshake\niut abandon\niut plain read",
	  4, 1, 14, "after `iut abandon` in line 3 the iut has no connection" },
	{ "sense: close after close", "title t\niut close\niut   close -> refused",
	  3, 1, 11, "after `iut close` in line 2 the iut has no connection" },
	{ "sense: descriptor after close", "title t\niut close\nfd iut linger 0",
	  3, 1, 15, "after `iut close` in line 2 the iut has no connection" },
	{ "sense: drop of nothing", "title t\nfd iut drop",
	  2, 1, 11, "nothing is held: `fd iut hold` comes first" },
	{ "sense: hold twice", "title t\nfd iut hold\nfd iut hold",
	  3, 1, 11, "the duplicate is already held" },
	{ "sense: second call", "title t\niut read -> blocked\niut write \"x\"",
	  3, 1, 13, "the call of line 2 is still outstanding: this needs `io nonblocking memory` or `needs concurrent`" },
	{ "sense: second call after &", "title t\niut read &\niut write \"x\"",
	  3, 1, 13, "the call of line 2 is still outstanding: this needs `io nonblocking memory` or `needs concurrent`" },
	{ "sense: second call, blocking only", "title t\n@blocking iut read -> blocked\niut close",
	  3, 1, 9, "the call of line 2 is still outstanding: this needs `io nonblocking memory` or `needs concurrent`" },
	{ "sense: still blocked", "title t\niut read &\niut await -> blocked\niut read",
	  4, 1, 8, "the call of line 2 is still outstanding: this needs `io nonblocking memory` or `needs concurrent`" },
	{ "sense: new connection meanwhile", "title t\niut read &\nhandshake",
	  3, 1, 9, "the call of line 2 is still outstanding: this needs `io nonblocking memory` or `needs concurrent`" },
	{ "sense: await of nothing", "title t\niut read\niut await",
	  3, 1, 9, "nothing is outstanding here: no call before it is `blocked` or has `&`" },
	{ "sense: await twice", "title t\niut read &\niut await -> closed\niut await",
	  4, 1, 9, "nothing is outstanding here: no call before it is `blocked` or has `&`" },
	{ "sense: await in one variant", "title t\n@1.2 iut read &\niut await",
	  3, 1, 9, "nothing is outstanding here: no call before it is `blocked` or has `&`" },
	{ "sense: data for a write", "title t\niut write \"x\" -> ok | data",
	  2, 23, 4, "`iut write \"x\"` cannot be `data`" },
	{ "sense: sent for a read", "title t\niut read -> sent",
	  2, 13, 4, "`iut read` cannot be `sent`" },
	{ "sense: data for read*", "title t\niut read* -> ok",
	  2, 14, 2, "`iut read*` cannot be `ok`" },
	{ "sense: resumed for a read", "title t\niut read -> resumed",
	  2, 13, 7, "`iut read` cannot be `resumed`" },
	{ "sense: unsupported", "title t\niut read -> unsupported",
	  2, 13, 11, "`iut read` cannot be `unsupported`" },
	{ "sense: complete for a write", "title t\niut write 5 -> complete",
	  2, 16, 8, "`iut write 5` cannot be `complete`" },
	{ "sense: outcome of what is awaited", "title t\niut write 5 &\niut await -> data",
	  3, 14, 4, "`iut await` cannot be `data`" },
	{ "sense: sum of what is awaited", "title t\niut read &\niut await -> data 5 closed",
	  3, 21, 6, "only `read*` has data and an end at once" },
	{ "sense: ticket of a client", "title t\ntls 1.3\npeer ticket",
	  3, 1, 11, "`ticket` needs a peer that is the server: `role client` or `@client`" },
	{ "sense: ticket in 1.2", "title t\nrole client\npeer ticket",
	  3, 1, 11, "`ticket` needs TLS 1.3" },
	{ "sense: key_update in 1.2", "title t\npeer key_update",
	  2, 1, 15, "TLS 1.2 has no KeyUpdate" },
	{ "sense: own key_update in 1.2", "title t\niut key_update",
	  2, 1, 14, "TLS 1.2 has no KeyUpdate" },
	{ "sense: padded in 1.2", "title t\npeer write \"x\" padded 5",
	  2, 16, 6, "TLS 1.2 has no padding that a record could ask for" },
	{ "sense: handshake keys in 1.2", "title t\npeer close_notify keys handshake",
	  2, 19, 14, "TLS 1.2 has no keys of the handshake" },
	{ "sense: early keys in 1.2", "title t\nrole server\noption early-data\npeer close_notify keys early",
	  4, 19, 10, "TLS 1.2 has no early data" },
	{ "sense: early keys of a server", "title t\ntls 1.3\noption early-data\npeer close_notify keys early",
	  4, 19, 10, "`keys early` needs a peer that is the client, and `option early-data`" },
	{ "sense: early keys without the option", "title t\ntls 1.3\nrole server\npeer close_notify keys early",
	  4, 19, 10, "`keys early` needs a peer that is the client, and `option early-data`" },
	{ "sense: early data in 1.2", "title t\nrole client\noption early-data\niut early write 5",
	  4, 1, 17, "TLS 1.2 has no early data" },
	{ "sense: early write of a server", "title t\ntls 1.3\noption early-data\n@server iut early write 5",
	  4, 9, 17, "`early write` is a call of a client" },
	{ "sense: early read of a client", "title t\ntls 1.3\noption early-data\niut early read",
	  4, 1, 14, "`early read` is a call of a server" },
	{ "sense: early data without the option", "title t\ntls 1.3\nrole client\niut early write 5",
	  4, 1, 17, "`early write` needs `option early-data`" },
	{ "sense: early without more", "title t\niut early",
	  2, 10, 1, "`early` wants a word more" },
	{ "sense: connect checks nothing", "title t\nconnect -> ok",
	  2, 9, 2, "there is nothing to check in this step" },
	{ "sense: connect in blocking mode while a call waits", "title t\nio blocking\niut read -> blocked\nconnect",
	  4, 1, 7, "the call of line 3 is still outstanding: this needs `io nonblocking memory` or `needs concurrent`" },
	{ "connect again", "title t\nconnect again",
	  2, 9, 5, "`again` cannot stand here" },
	{ "sense: 1.3 message in 1.2", "title t\npeer handshake to encrypted_extensions",
	  2, 1, 38, "TLS 1.2 has no `encrypted_extensions` to stop at" },
	{ "sense: 1.2 message in 1.3", "title t\npeer handshake to server_hello_done",
	  2, 1, 35, "TLS 1.3 has no `server_hello_done` to stop at" },
	{ "sense: a look at no reuse", "title t\nhandshake\niut reuse look",
	  3, 1, 14, "no number was reused: `iut reuse number` comes first" },
	{ "sense: reuse twice", "title t\nhandshake\niut reuse number\niut reuse number",
	  4, 1, 16, "after `iut reuse number` in line 3 the iut has no descriptor" },
	{ "sense: a descriptor that was reused", "title t\nhandshake\niut reuse number\nfd iut linger 0",
	  4, 1, 15, "after `iut reuse number` in line 3 the iut has no descriptor" },
	{ "sense: reuse under a blocked call", "title t\nio blocking\nhandshake\niut read &\niut reuse number",
	  5, 1, 16, "the call of line 4 is still outstanding: this needs `io nonblocking memory` or `needs concurrent`" },
	{ "sense: switch with a call outstanding", "title t\nio nonblocking\nhandshake\niut read &\nswitch",
	  5, 1, 6, "the call of line 4 may still be outstanding: `iut await` has to stand before this" },
	{ "sense: switch where a call may wait", "title t\nhandshake\niut read -> blocked | closed\nswitch",
	  4, 1, 6, "the call of line 3 may still be outstanding: `iut await` has to stand before this" },
	{ "sense: switch and back", "title t\nhandshake\nswitch\nswitch",
	  4, 1, 6, "there is no other connection yet: `handshake` opens it" },
	{ "sense: a call on no connection", "title t\nhandshake\nswitch\niut read",
	  4, 1, 8, "there is no other connection yet: `handshake` opens it" },
	{ "sense: a peer without connection", "title t\nhandshake\nswitch\npeer fin",
	  4, 1, 8, "there is no other connection yet: `handshake` opens it" },
	{ "sense: a descriptor of no connection", "title t\nhandshake\nswitch\nfd iut hold",
	  4, 1, 11, "there is no other connection yet: `handshake` opens it" },
	{ "sense: a path of no connection", "title t\nhandshake\nswitch\npath cut",
	  4, 1, 8, "there is no other connection yet: `handshake` opens it" },
	{ "sense: a wire of no connection", "title t\nhandshake\nswitch\nwire iut -> nothing",
	  4, 1, 8, "there is no other connection yet: `handshake` opens it" },
	{ "sense: a socket of no connection", "title t\nhandshake\nswitch\ntcp iut -> closed",
	  4, 1, 7, "there is no other connection yet: `handshake` opens it" },
	{ "sense: the transport of no connection", "title t\nhandshake\nswitch\nhandshake again",
	  4, 1, 15, "there is no other connection yet: `handshake` opens it" },
	{ "sense: back to an ended connection", "title t\nhandshake\niut close\nswitch\nhandshake\nswitch\niut read",
	  7, 1, 8, "after `iut close` in line 3 the iut has no connection" },
	{ "sense: back to a peer that is gone", "title t\nhandshake\npeer rst\nswitch\nhandshake\npeer fin\nswitch\npeer fin",
	  8, 1, 8, "after `peer rst` in line 3 the peer has no connection" },
	{ "sense: record after rst", "title t\npeer rst\npeer close_notify",
	  3, 1, 17, "after `peer rst` in line 2 the peer has no connection" },
	{ "sense: record after close", "title t\npeer close\npeer write \"x\"",
	  3, 1, 14, "after `peer close` in line 2 the peer has no connection" },
	{ "sense: record after vanish", "title t\npeer vanish\npeer write \"x\"",
	  3, 1, 14, "after `peer vanish` in line 2 the peer has no connection" },
	{ "sense: record after forget", "title t\npeer forget\npeer write \"x\"",
	  3, 1, 14, "after `peer forget` in line 2 the peer has no connection" },
	{ "sense: close after forget", "title t\npeer forget\npeer close",
	  3, 1, 10, "after `peer forget` in line 2 the peer has no connection" },
	{ "sense: rst after vanish", "title t\npeer vanish\npeer rst",
	  3, 1, 8, "after `peer vanish` in line 2 the peer has no connection" },
	{ "sense: fin after close", "title t\npeer close\npeer fin",
	  3, 1, 8, "after `peer close` in line 2 the peer has no connection" },
	{ "sense: reading after rst", "title t\npeer rst\npeer stop-reading",
	  3, 1, 17, "after `peer rst` in line 2 the peer has no connection" },
	{ "sense: fin twice", "title t\npeer fin\npeer fin",
	  3, 1, 8, "after `peer fin` in line 2 the peer sends no more" },
	{ "sense: record after fin", "title t\npeer fin\npeer write \"x\"",
	  3, 1, 14, "after `peer fin` in line 2 the peer sends no more" },
	{ "sense: record behind fin", "title t\npeer fin + write \"x\"",
	  2, 12, 9, "after `peer fin` in line 2 the peer sends no more" },
	{ "sense: joined too long", "title t\npeer write 16384 + write \"x\" + fin",
	  2, 20, 9, "16385 bytes joined: more than 16384 are not sure to leave in one segment" },
	{ "sense: joined rst", "title t\npeer write \"x\" + rst",
	  2, 18, 3, "this shares no segment with others" },
	{ "sense: joined padding", "title t\n@1.3 peer write \"x\" padded 16000 + again",
	  2, 36, 5, "32002 bytes joined: more than 16384 are not sure to leave in one segment" },
	{ "sense: rest of nothing", "title t\npeer write \"x\"\npeer rest",
	  3, 1, 9, "no record was held back: `cut` comes first" },
	{ "sense: rest twice", "title t\npeer close_notify cut 1\npeer rest\npeer rest",
	  4, 1, 9, "no record was held back: `cut` comes first" },
	{ "sense: again first", "title t\npeer again",
	  2, 1, 10, "no record before it that could go again" },
	{ "sense: again after raw", "title t\npeer raw 00\npeer again",
	  3, 1, 10, "no record before it that could go again" },
	{ "sense: again on a new connection", "title t\npeer write \"x\"\nhandshake\npeer again",
	  4, 1, 10, "no record before it that could go again" },
	{ "wire: no keys", "title t\nwire iut -> (data keys)? fin",
	  2, 23, 1, "expected here: the name of keys" },
	{ "wire: level twice", "title t\nwire iut -> close_notify level 1 level 2",
	  2, 34, 5, "`level` cannot stand here" },
	{ "wire: handshake", "title t\nwire iut -> handshake finishd",
	  2, 23, 7, "`finishd` is no handshake message; did you mean `finished`?" },
};

START_TEST(fault_told)
{
	struct script s;
	struct fault f = { 0 };

	ck_assert_msg(!parse(&s, wrong[_i].text, 0, &f), "%s: parses", wrong[_i].name);
	ck_assert_msg(strcmp(f.msg, wrong[_i].msg) == 0, "%s: says %s", wrong[_i].name, f.msg);
	ck_assert_msg(f.line == wrong[_i].line && f.col == wrong[_i].col && f.width == wrong[_i].width,
	              "%s: at %d:%d, %d wide", wrong[_i].name, f.line, f.col, f.width);
	ck_assert_str_eq(f.file, "cases/theme/name.case");
	ck_assert_msg(!s.text && !s.steps && s.nsteps == 0, "%s: something is left", wrong[_i].name);
}
END_TEST

/* --- whole files --- */

static const char big[] =
	"# The first line of the prose,\n"
	"#   and one that is set in.\n"
	"#\n"
	"# Another paragraph.\r\n"
	"\n"
	"title  A case of everything   # with a comment\r\n"
	"role   client\n"
	"tls    1.3\n"
	"io     nonblocking memory\n"
	"# not prose any more\n"
	"needs  resumption option:quiet\n"
	"option quiet\n"
	"api    openssl\n"
	"about  host\n"
	"host   tcp_fin_timeout 1\n"
	"host   tcp_rmem 4096 8192 16384\n"
	"with   K in 1 3 -1\n"
	"except notify-once  it is asked for twice\n"
	"\n"
	"handshake\n"
	"peer  write \"hello\\x00\" + close_notify level fatal cut $K + fin\n"
	"\tiut   read 5           -> data \"hello\" | data 3 as SSL_read=3 \"three\"   [data-intact]\n"
	"iut   read*            -> data 1275 closed | data fails [truncation-visible]\n"
	"@nonblocking @1.3,1.2 iut shutdown write ? -> sent as SSL_shutdown=0 SENT|RECEIVED | complete\n"
	"iut   read &\n"
	"iut   await            -> alert handshake_failure | blocked\n"
	"also                   -> fails [truncation-visible]\n"
	"fd    iut linger 0\n"
	"path  icmp host-unreachable to iut\n"
	"tcp   iut              -> close-wait | last-ack\n"
	"wire  iut              -> (close_notify | alert bad_record_mac keys none)? data 5 (fin | (rst | nothing))\n"
	"handshake resume       -> resumed | full\n"
	"peer  record alert 01 00 keys next padded 3 corrupt header\n"
	"peer  ticket\n"
	"iut   close";

START_TEST(whole)
{
	struct script s;
	struct fault f = { 0 };

	ck_assert_msg(parse(&s, big, 2, &f), "%d:%d: %s", f.line, f.col, f.msg);
	ck_assert_str_eq(s.name, "theme/name");
	ck_assert(bytes_is(s.prose, "The first line of the prose,\n  and one that is set in.\n\nAnother paragraph."));
	ck_assert(bytes_is(s.title, "A case of everything"));
	ck_assert_uint_eq(s.runs_for, FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING | FOR_MEMORY);
	ck_assert_uint_eq(s.nneeds, 3);
	ck_assert(bytes_is(s.needs[0], "resumption"));
	ck_assert(bytes_is(s.needs[2], "option:quiet"));        /* implied by `option` */
	ck_assert_uint_eq(s.noptions, 1);
	ck_assert(bytes_is(s.options[0], "quiet"));
	ck_assert(bytes_is(s.api, "openssl"));
	ck_assert(s.about_host);
	ck_assert_uint_eq(s.nhost, 2);
	ck_assert(bytes_is(s.host[1].key, "tcp_rmem") && bytes_is(s.host[1].value, "4096 8192 16384"));
	ck_assert(bytes_is(s.with_name, "K"));
	ck_assert_uint_eq(s.nwith, 3);
	ck_assert_ptr_nonnull(script_excepts(&s, "notify-once"));
	ck_assert(bytes_is(script_excepts(&s, "notify-once")->value, "it is asked for twice"));
	ck_assert_ptr_null(script_excepts(&s, "data-intact"));

	ck_assert_uint_eq(s.nsteps, 17);
	ck_assert(s.steps[1].joined && s.steps[2].joined && !s.steps[3].joined);
	ck_assert_int_eq(s.steps[2].mods.cut, -1);
	ck_assert(bytes_is(s.steps[2].words, "peer close_notify level fatal cut -1"));
	ck_assert_int_eq(s.steps[2].at.line, 21);
	ck_assert_int_eq(s.steps[2].at.col, 27);
	ck_assert_int_eq(s.steps[4].at.col, 2);                 /* a tab is one column */
	ck_assert_uint_eq(s.steps[8].nchecks, 2);
	ck_assert(step_in(&s.steps[6], FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING));
	ck_assert(!step_in(&s.steps[6], FOR_CLIENT | FOR_TLS13 | FOR_MEMORY));
	script_free(&s);
	script_free(&s);
}
END_TEST

START_TEST(every_prefix)
{
	struct fault f;
	struct script s;
	char text[sizeof(big)];

	for (size_t n = 0; n < sizeof(big); n++) {
		memcpy(text, big, n);
		text[n] = '\0';
		f = (struct fault){ 0 };
		if (parse(&s, text, 2, &f))
			script_free(&s);
		else
			ck_assert_msg(f.line > 0 && f.col > 0 && f.width > 0 && *f.msg, "%zu bytes", n);
	}
}
END_TEST

/* Any byte in any place: parsed or refused with a place, nothing worse. */
START_TEST(every_byte_changed)
{
	static const char bytes[] = { '\0', '\n', ' ', '"', '(', '|', '[', '@', '$', '\\', 'x', '9', '-', (char)0xff };
	struct fault f;
	struct script s;
	char text[sizeof(big)];

	rules_read();
	for (size_t n = 0; n + 1 < sizeof(big); n++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			memcpy(text, big, sizeof(big));
			text[n] = bytes[i];
			f = (struct fault){ 0 };
			if (script_parse(&s, "x.case", text, sizeof(big) - 1, 2, &reqs, &f))
				script_free(&s);
			else
				ck_assert_msg(f.line > 0 && f.col > 0 && *f.msg, "byte %zu", n);
		}
	}
}
END_TEST

static const struct { const char *path, *name; } names[] = {
	{ "cases/orderly/notify-once.case",   "orderly/notify-once" },
	{ "/a/b/orderly/notify-once.case",    "orderly/notify-once" },
	{ "orderly/notify-once.case",         "orderly/notify-once" },
	{ "notify-once.case",                 "notify-once" },
	{ "/notify-once.case",                "notify-once" },
	{ "orderly/notify-once",              "orderly/notify-once" },
	{ ".case",                            ".case" },
	{ "",                                 "" },
};

START_TEST(name)
{
	const char text[] = "title t\nhandshake\n";
	struct script s;
	struct fault f = { 0 };

	ck_assert(script_parse(&s, names[_i].path, text, strlen(text), 0, NULL, &f));
	ck_assert_str_eq(s.name, names[_i].name);
	script_free(&s);
}
END_TEST

/* Each value in its turn; one too many is a fault. */
START_TEST(values)
{
	const char text[] = "title t\nwith K in 5 \"two\" 7\niut write $K\n";
	struct script s;
	struct fault f = { 0 };

	ck_assert(parse(&s, text, 0, &f));
	ck_assert_int_eq(s.steps[0].n, 5);
	script_free(&s);
	ck_assert(parse(&s, text, 1, &f));
	ck_assert(bytes_is(s.steps[0].text, "two") && bytes_is(s.steps[0].words, "iut write \"two\""));
	script_free(&s);
	ck_assert(!parse(&s, text, 3, &f));
	ck_assert_int_eq(f.line, 2);
	ck_assert_int_eq(f.col, 6);
}
END_TEST

START_TEST(files)
{
	struct script s;
	struct fault f = { 0 };

	ck_assert(!script_load(&s, "/nowhere/at/all.case", 0, NULL, &f));
	ck_assert_int_eq(f.line, 0);
	ck_assert_msg(strstr(f.msg, "/nowhere/at/all.case: No such file"), "%s", f.msg);
	script_free(&s);
}
END_TEST

/* --- the cases of this suite --- */

static struct requirements own;

static int case_parses(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct script s = { 0 };
	struct fault f = { 0 };
	size_t n = strlen(path), with = 0, nwith;

	(void)st;
	(void)ftw;
	if (type != FTW_F || n < 5 || strcmp(path + n - 5, ".case") != 0)
		return 0;
	do {
		ck_assert_msg(script_load(&s, path, with, &own, &f), "%s:%d:%d: %s", path, f.line, f.col, f.msg);
		nwith = s.nwith;
		script_free(&s);
	} while (++with < nwith);
	return 0;
}

/* Run from the checkout's top, as `make unit` does; elsewhere there are none. */
START_TEST(cases)
{
	struct fault f = { 0 };

	if (access("cases/requirements", R_OK) != 0)
		return;
	ck_assert_msg(requirements_load(&own, "cases/requirements", &f), "%d:%d: %s", f.line, f.col, f.msg);
	ck_assert_int_eq(nftw("cases", case_parses, 8, FTW_PHYS), 0);
	requirements_free(&own);
}
END_TEST

/* --- words --- */

START_TEST(outcomes)
{
	for (int o = 0; o < OUTCOME_COUNT; o++)
		ck_assert_int_eq(outcome_find(bytes_of(outcome_word((enum outcome)o))), o);
	ck_assert_int_eq(outcome_find(bytes_of("close")), -1);
	ck_assert(outcome_is(OUTCOME_FAILS, OUTCOME_TRUNCATED) && outcome_is(OUTCOME_FAILS, OUTCOME_RESET) &&
	          outcome_is(OUTCOME_FAILS, OUTCOME_PIPE) && outcome_is(OUTCOME_FAILS, OUTCOME_ALERT) &&
	          outcome_is(OUTCOME_FAILS, OUTCOME_REFUSED) && outcome_is(OUTCOME_FAILS, OUTCOME_ERROR));
	ck_assert(!outcome_is(OUTCOME_FAILS, OUTCOME_CLOSED) && !outcome_is(OUTCOME_FAILS, OUTCOME_CRASH) &&
	          !outcome_is(OUTCOME_FAILS, OUTCOME_BLOCKED) && !outcome_is(OUTCOME_FAILS, OUTCOME_SPINS));
	ck_assert(outcome_is(OUTCOME_CLOSED, OUTCOME_CLOSED) && !outcome_is(OUTCOME_TRUNCATED, OUTCOME_FAILS));
}
END_TEST

START_TEST(states)
{
	for (int state = TCP_ESTABLISHED; state <= TCP_CLOSING; state++)
		ck_assert_int_eq(tcp_state_find(bytes_of(tcp_state_word(state))), state);
	ck_assert_str_eq(tcp_state_word(TCP_CLOSE_WAIT), "close-wait");
	ck_assert_ptr_null(tcp_state_word(0));
	ck_assert_ptr_null(tcp_state_word(TCP_CLOSING + 1));
	ck_assert_int_eq(tcp_state_find(bytes_of("close")), -1);
}
END_TEST

static void ids_run(const struct word *table, int last)
{
	for (int id = 0; id <= last; id++)
		ck_assert_msg(word_by_id(table, id), "no row %d beside %s", id, table->word);
	for (; table->word; table++)
		ck_assert_msg(table->args && table->help, "%s has no help", table->word);
}

START_TEST(tables)
{
	ids_run(peer_words, PEER_HANDSHAKE);
	ids_run(iut_words, IUT_EARLY_WRITE);
	ids_run(fd_words, FD_KEEPALIVE);
	ids_run(path_words, PATH_MEND);
}
END_TEST

ROWS_MAIN("script", { good_step, countof(steps) }, { fault_told, countof(wrong) }, { whole, 1 }, { every_prefix, 1 },
          { every_byte_changed, 1 }, { name, countof(names) }, { values, 1 }, { files, 1 }, { cases, 1 }, { outcomes, 1 }, { states, 1 }, { tables, 1 })
