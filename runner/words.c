/* words: the words of the case language, a row each. A new step, modifier or capability is one more row. */
#include <assert.h>
#include <netinet/tcp.h>
#include <string.h>

#include "peer/record.h"
#include "runner/script.h"

#define BIT(o) (1u << (o))

/* Any call can meet these. */
#define GOES_WRONG (BIT(OUTCOME_TRUNCATED) | BIT(OUTCOME_RESET) | BIT(OUTCOME_PIPE) | BIT(OUTCOME_ALERT) | BIT(OUTCOME_REFUSED) | \
                    BIT(OUTCOME_ERROR) | BIT(OUTCOME_FAILS) | BIT(OUTCOME_BLOCKED) | BIT(OUTCOME_SPINS) | BIT(OUTCOME_CRASH))
#define ENDS       (GOES_WRONG | BIT(OUTCOME_CLOSED))
#define READS      (ENDS | BIT(OUTCOME_DATA))
#define WRITES     (ENDS | BIT(OUTCOME_OK))              /* some libraries answer a write after the peer's close_notify with `closed` */
#define SHAKES     (ENDS | BIT(OUTCOME_OK) | BIT(OUTCOME_RESUMED) | BIT(OUTCOME_FULL))
#define SHUTS      (ENDS | BIT(OUTCOME_OK) | BIT(OUTCOME_SENT) | BIT(OUTCOME_COMPLETE))

#define RECORD (MOD_RECORD | IS_RECORD | IS_SENDING | IS_JOINABLE)
#define SENDS  (IS_SENDING | IS_JOINABLE)

const struct word peer_words[] = {
	{ "write", PEER_WRITE, "\"text\"|N", "one application data record for each 16,384 bytes; N: that many bytes of the pattern",
	  ARG_TEXT_OR_N, RECORD, 0 },
	{ "close_notify", PEER_CLOSE_NOTIFY, "", "the closure alert, at level warning", ARG_NONE, RECORD | MOD_LEVEL, 0 },
	{ "alert", PEER_ALERT, "NAME|N", "another alert, at level fatal", ARG_ALERT, RECORD | MOD_LEVEL, 0 },
	{ "key_update", PEER_KEY_UPDATE, "[requested]", "KeyUpdate; what follows uses the next keys", ARG_REQUESTED, RECORD, 0 },
	{ "ticket", PEER_TICKET, "", "one NewSessionTicket that can be resumed (peer as server, 1.3)", ARG_NONE, RECORD, 0 },
	{ "record", PEER_RECORD, "TYPE HEX", "a record of this type, by name or number, with this content", ARG_RECORD, RECORD, 0 },
	{ "raw", PEER_RAW, "\"text\"|HEX", "bytes that are no record", ARG_RAW, SENDS, 0 },
	{ "again", PEER_AGAIN, "", "the bytes of the last record once more", ARG_NONE, SENDS, 0 },
	{ "replay", PEER_REPLAY, "", "the bytes of the last record of the connection before", ARG_NONE, SENDS, 0 },
	{ "rest", PEER_REST, "[N]", "N more bytes (default: all) of the record that `cut` held back", ARG_N_OPTIONAL, SENDS, 0 },
	{ "fin", PEER_FIN, "", "shutdown for writing; the peer goes on reading", ARG_NONE, SENDS, 0 },
	{ "rst", PEER_RST, "", "reset (SO_LINGER 0)", ARG_NONE, 0, 0 },
	{ "close", PEER_CLOSE, "", "close(2)", ARG_NONE, 0, 0 },
	{ "vanish", PEER_VANISH, "", "gone without a packet; nothing answers any more", ARG_NONE, 0, 0 },
	{ "forget", PEER_FORGET, "", "gone without a packet; its kernel answers what comes with RST", ARG_NONE, 0, 0 },
	{ "stop-reading", PEER_STOP_READING, "", "leave what arrives in the kernel", ARG_NONE, 0, 0 },
	{ "start-reading", PEER_START_READING, "", "take what arrives again", ARG_NONE, 0, 0 },
	{ "window", PEER_WINDOW, "N", "a receive buffer of about N bytes", ARG_N, 0, 0 },
	{ "handshake", PEER_HANDSHAKE, "[to MESSAGE]", "go on with the handshake, up to and including MESSAGE", ARG_MESSAGE, SENDS, 0 },
	{ 0 }
};

const struct word iut_words[] = {
	{ "handshake", IUT_HANDSHAKE, "", "the handshake", ARG_NONE, 0, SHAKES },
	{ "read", IUT_READ, "[N]", "one read of up to N bytes (default 16,384)", ARG_N_OPTIONAL, IS_READ, READS },
	{ "read*", IUT_READ_ALL, "", "reads until it is not data: `-> data 1275 closed`", ARG_NONE, IS_READ, ENDS },
	{ "write", IUT_WRITE, "\"text\"|N", "writes all of it", ARG_TEXT_OR_N, IS_WRITE, WRITES },
	{ "shutdown write", IUT_SHUTDOWN_WRITE, "", "send close_notify and go on reading", ARG_NONE, 0, SHUTS },
	{ "shutdown both", IUT_SHUTDOWN_BOTH, "", "the API's call for the whole exchange", ARG_NONE, 0, SHUTS },
	{ "shutdown", IUT_SHUTDOWN, "", "the one it has, the first of these two if it has both", ARG_NONE, 0, SHUTS },
	{ "close", IUT_CLOSE, "", "the library's ordinary way to be done, transport included", ARG_NONE, 0, SHUTS },
	{ "abandon", IUT_ABANDON, "", "free everything and close the descriptor without a word", ARG_NONE, 0,
	  GOES_WRONG | BIT(OUTCOME_OK) },
	{ "key_update", IUT_KEY_UPDATE, "[requested]", "change the own sending keys", ARG_REQUESTED, 0, GOES_WRONG | BIT(OUTCOME_OK) },
	{ "plain read", IUT_PLAIN_READ, "[N]", "without TLS, on the same transport", ARG_N_OPTIONAL, 0, READS },
	{ "plain write", IUT_PLAIN_WRITE, "\"text\"", "without TLS, on the same transport", ARG_TEXT, 0, WRITES },
	{ "early read", IUT_EARLY_READ, "[N]", "0-RTT, server: one read of early data; `ok`: there is no more",
	  ARG_N_OPTIONAL, IS_READ | IS_EARLY, READS | BIT(OUTCOME_OK) },
	{ "early write", IUT_EARLY_WRITE, "\"text\"|N",
	  "0-RTT, client: sends the ClientHello if it is not out, and writes all of it as early data",
	  ARG_TEXT_OR_N, IS_WRITE | IS_EARLY, WRITES },
	{ "child shutdown", IUT_CHILD_SHUTDOWN, "", "fork; the child sends close_notify and exits", ARG_NONE, 0, SHUTS },
	{ "reuse number", IUT_REUSE_NUMBER, "", "close the descriptor under the library; another file gets its number", ARG_NONE, 0,
	  GOES_WRONG | BIT(OUTCOME_OK) },
	{ "reuse look", IUT_REUSE_LOOK, "", "is that file untouched?", ARG_NONE, 0, BIT(OUTCOME_OK) | BIT(OUTCOME_ERROR) },
	{ "await", IUT_AWAIT, "[later]", "collect the call that is still outstanding; later: whatever kernel timer ends it", ARG_LATER, 0,
	  0 },
	{ 0 }
};

const struct word handshake_step = {
	"handshake", 0, "[resume]", "open a connection and complete the handshake on both sides", ARG_NONE, 0,
	BIT(OUTCOME_OK) | BIT(OUTCOME_RESUMED) | BIT(OUTCOME_FULL)
};

const struct word fd_words[] = {
	{ "shutdown read", FD_SHUTDOWN_READ, "", "shutdown(2) for reading", ARG_NONE, 0, 0 },
	{ "shutdown write", FD_SHUTDOWN_WRITE, "", "shutdown(2) for writing", ARG_NONE, 0, 0 },
	{ "shutdown both", FD_SHUTDOWN_BOTH, "", "shutdown(2) for both", ARG_NONE, 0, 0 },
	{ "linger", FD_LINGER, "N", "SO_LINGER on, N seconds", ARG_N, 0, 0 },
	{ "hold", FD_HOLD, "", "keep the duplicate, so that the IUT's close is not the last", ARG_NONE, 0, 0 },
	{ "drop", FD_DROP, "", "close the duplicate again", ARG_NONE, 0, 0 },
	{ "sndbuf", FD_SNDBUF, "N", "SO_SNDBUF, bytes", ARG_N, 0, 0 },
	{ "rcvbuf", FD_RCVBUF, "N", "SO_RCVBUF, bytes", ARG_N, 0, 0 },
	{ "user-timeout", FD_USER_TIMEOUT, "N", "TCP_USER_TIMEOUT, milliseconds", ARG_N, 0, 0 },
	{ "keepalive", FD_KEEPALIVE, "N", "SO_KEEPALIVE, a probe after N idle seconds", ARG_N, 0, 0 },
	{ "interrupt", FD_INTERRUPT, "", "a signal to the process, which it catches: waiting calls see EINTR", ARG_NONE, 0, 0 },
	{ 0 }
};

const struct word path_words[] = {
	{ "forge fin", PATH_FORGE_FIN, "[off N] to iut", "a FIN in the peer's name; off: N beside its right number", ARG_FORGE, 0, 0 },
	{ "forge rst", PATH_FORGE_RST, "[off N] to iut", "a RST in the peer's name", ARG_FORGE, 0, 0 },
	{ "forge syn", PATH_FORGE_SYN, "[off N] to iut", "a SYN in the peer's name", ARG_FORGE, 0, 0 },
	{ "forge ack", PATH_FORGE_ACK, "[off N] to iut", "a bare ACK in the peer's name", ARG_FORGE, 0, 0 },
	{ "icmp", PATH_ICMP, "NAME to iut", "an ICMP error about the connection", ARG_ICMP, 0, 0 },
	{ "lose data", PATH_LOSE_DATA, "to iut", "what has no FIN is lost on its way to the iut, until `mend`", ARG_TO_IUT, 0, 0 },
	{ "cut", PATH_CUT, "", "nothing passes any more", ARG_NONE, 0, 0 },
	{ "mend", PATH_MEND, "", "all passes again", ARG_NONE, 0, 0 },
	{ 0 }
};

const struct word actor_words[] = {
	{ .word = "handshake", .id = ACTOR_HANDSHAKE },
	{ .word = "connect", .id = ACTOR_CONNECT },
	{ .word = "switch", .id = ACTOR_SWITCH },
	{ .word = "peer", .id = ACTOR_PEER },
	{ .word = "iut", .id = ACTOR_IUT },
	{ .word = "fd", .id = ACTOR_FD },
	{ .word = "path", .id = ACTOR_PATH },
	{ .word = "wire", .id = ACTOR_WIRE },
	{ .word = "tcp", .id = ACTOR_TCP },
	{ .word = "also", .id = -1 },
	{ 0 }
};

const struct word selector_words[] = {
	{ .word = "client", .id = FOR_CLIENT },
	{ .word = "server", .id = FOR_SERVER },
	{ .word = "1.2", .id = FOR_TLS12 },
	{ .word = "1.3", .id = FOR_TLS13 },
	{ .word = "blocking", .id = FOR_BLOCKING },
	{ .word = "nonblocking", .id = FOR_NONBLOCKING },
	{ .word = "memory", .id = FOR_MEMORY },
	{ 0 }
};

const struct word mod_words[] = {
	{ .word = "level", .id = MOD_LEVEL, .args = "fatal|warning|N", .help = "the alert's level" },
	{ .word = "keys", .id = MOD_KEYS, .args = "none|handshake|old|next|early", .help = "protected by other keys than those in force" },
	{ .word = "corrupt", .id = MOD_CORRUPT, .args = "[header]", .help = "one bit of the protected record flipped; header: its length" },
	{ .word = "fragmented", .id = MOD_FRAGMENTED, .args = "", .help = "its content over two records" },
	{ .word = "padded", .id = MOD_PADDED, .args = "N", .help = "N zero bytes (1.3)" },
	{ .word = "empty", .id = MOD_EMPTY, .args = "", .help = "no content" },
	{ .word = "cut", .id = MOD_CUT, .args = "K", .help = "only its first K bytes leave; 0: none; -1: all but one" },
	{ 0 }
};

const struct word key_mod_words[] = {
	{ .word = "none", .id = KEYS_NONE },
	{ .word = "handshake", .id = KEYS_HANDSHAKE },
	{ .word = "old", .id = KEYS_OLD },
	{ .word = "next", .id = KEYS_NEXT },
	{ .word = "early", .id = KEYS_EARLY },
	{ 0 }
};

const struct word level_mod_words[] = {
	{ .word = "warning", .id = ALERT_WARNING },
	{ .word = "fatal", .id = ALERT_FATAL },
	{ 0 }
};

/* RFC 792: type << 8 | code. */
const struct word icmp_words[] = {
	{ .word = "net-unreachable", .id = 3 << 8 | 0 },
	{ .word = "host-unreachable", .id = 3 << 8 | 1 },
	{ .word = "protocol-unreachable", .id = 3 << 8 | 2 },
	{ .word = "port-unreachable", .id = 3 << 8 | 3 },
	{ .word = "fragmentation-needed", .id = 3 << 8 | 4 },
	{ .word = "source-route-failed", .id = 3 << 8 | 5 },
	{ .word = "time-exceeded", .id = 11 << 8 | 0 },
	{ .word = "parameter-problem", .id = 12 << 8 | 0 },
	{ 0 }
};

const struct word handshake_words[] = {
	{ .word = "nothing", .id = -2, .bits = FOR_TLS },
	{ .word = "client_hello", .id = HS_CLIENT_HELLO, .bits = FOR_TLS },
	{ .word = "server_hello", .id = HS_SERVER_HELLO, .bits = FOR_TLS },
	{ .word = "encrypted_extensions", .id = HS_ENCRYPTED_EXTENSIONS, .bits = FOR_TLS13 },
	{ .word = "certificate", .id = HS_CERTIFICATE, .bits = FOR_TLS },
	{ .word = "certificate_verify", .id = HS_CERTIFICATE_VERIFY, .bits = FOR_TLS13 },       /* 1.2: only a client with a certificate */
	{ .word = "server_key_exchange", .id = HS_SERVER_KEY_EXCHANGE, .bits = FOR_TLS12 },
	{ .word = "server_hello_done", .id = HS_SERVER_HELLO_DONE, .bits = FOR_TLS12 },
	{ .word = "client_key_exchange", .id = HS_CLIENT_KEY_EXCHANGE, .bits = FOR_TLS12 },
	{ .word = "finished", .id = HS_FINISHED, .bits = FOR_TLS },
	{ 0 }
};

/* What an adapter can announce (adapters/README.md), besides option:NAME. A slip of the pen in `needs` would make a case
 * unsupported everywhere, and nobody would see it. */
const struct word need_words[] = {
	{ .word = "resumption" }, { .word = "concurrent" }, { .word = "key-update" }, { .word = "plain" },
	{ .word = "fork" }, { .word = "interrupt" }, { .word = "renew" }, { .word = "siblings" }, { .word = "reuse" },
	{ .word = "shutdown-write" }, { .word = "shutdown-both" }, { .word = "close" }, { .word = "abandon" },
	{ 0 }
};

const struct word *word_find(const struct word *table, struct bytes word)
{
	for (; table->word; table++)
		if (bytes_is(word, table->word))
			return table;
	return NULL;
}

static unsigned iut_bits(int verb)
{
	const struct word *w = word_by_id(iut_words, verb);

	assert(w);
	return w->bits;
}

bool iut_reads(int verb)
{
	return iut_bits(verb) & IS_READ;
}

bool iut_writes(int verb)
{
	return iut_bits(verb) & IS_WRITE;
}

const struct word *word_by_id(const struct word *table, int id)
{
	for (; table->word; table++)
		if (table->id == id)
			return table;
	return NULL;
}

/* --- outcomes --- */

static const char *const outcomes[OUTCOME_COUNT] = {
	[OUTCOME_OK] = "ok", [OUTCOME_RESUMED] = "resumed", [OUTCOME_FULL] = "full", [OUTCOME_DATA] = "data",
	[OUTCOME_CLOSED] = "closed", [OUTCOME_TRUNCATED] = "truncated", [OUTCOME_RESET] = "reset", [OUTCOME_PIPE] = "pipe",
	[OUTCOME_ALERT] = "alert", [OUTCOME_SENT] = "sent", [OUTCOME_COMPLETE] = "complete", [OUTCOME_BLOCKED] = "blocked",
	[OUTCOME_SPINS] = "spins", [OUTCOME_REFUSED] = "refused", [OUTCOME_ERROR] = "error", [OUTCOME_CRASH] = "crash",
	[OUTCOME_UNSUPPORTED] = "unsupported", [OUTCOME_FAILS] = "fails",
};

const char *outcome_word(enum outcome o)
{
	return outcomes[o];
}

int outcome_find(struct bytes word)
{
	for (int o = 0; o < OUTCOME_COUNT; o++)
		if (bytes_is(word, outcomes[o]))
			return o;
	return -1;
}

bool outcome_is(enum outcome allowed, enum outcome seen)
{
	const unsigned fails = BIT(OUTCOME_TRUNCATED) | BIT(OUTCOME_RESET) | BIT(OUTCOME_PIPE) | BIT(OUTCOME_ALERT) |
	                       BIT(OUTCOME_REFUSED) | BIT(OUTCOME_ERROR);

	return allowed == seen || (allowed == OUTCOME_FAILS && (BIT(seen) & fails));
}

bool outcome_tells_error(enum outcome o)
{
	return outcome_is(OUTCOME_FAILS, o) && o != OUTCOME_REFUSED;
}

/* --- states of TCP --- */

static const char *const states[] = {
	[TCP_ESTABLISHED] = "established", [TCP_SYN_SENT] = "syn-sent", [TCP_SYN_RECV] = "syn-recv",
	[TCP_FIN_WAIT1] = "fin-wait-1", [TCP_FIN_WAIT2] = "fin-wait-2", [TCP_TIME_WAIT] = "time-wait", [TCP_CLOSE] = "closed",
	[TCP_CLOSE_WAIT] = "close-wait", [TCP_LAST_ACK] = "last-ack", [TCP_LISTEN] = "listen", [TCP_CLOSING] = "closing",
};

const char *tcp_state_word(int state)
{
	return state > 0 && state < (int)countof(states) ? states[state] : NULL;
}

int tcp_state_find(struct bytes word)
{
	for (int s = 1; s < (int)countof(states); s++)
		if (bytes_is(word, states[s]))
			return s;
	return -1;
}
