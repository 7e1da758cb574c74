/* script: a case file as steps. Pure: takes memory, gives values. A script owns its text; every word, where and
 * argument in it points into that text and lives as long as the script. */
#ifndef RUNNER_SCRIPT_H
#define RUNNER_SCRIPT_H

#include "peer/bytes.h"
#include "peer/fault.h"
#include "runner/item.h"
#include "runner/require.h"

enum actor { ACTOR_HANDSHAKE, ACTOR_PEER, ACTOR_IUT, ACTOR_FD, ACTOR_PATH, ACTOR_WIRE, ACTOR_TCP, ACTOR_SWITCH, ACTOR_CONNECT };

/* Which variants a case or a step is for: bits, all of them when nothing is said. */
enum {
	FOR_CLIENT = 1, FOR_SERVER = 2, FOR_TLS12 = 4, FOR_TLS13 = 8, FOR_BLOCKING = 16, FOR_NONBLOCKING = 32, FOR_MEMORY = 64,
	FOR_ROLES = 3, FOR_TLS = 12, FOR_IO = 112, FOR_ALL = 127
};

enum peer_verb {
	PEER_WRITE, PEER_CLOSE_NOTIFY, PEER_ALERT, PEER_KEY_UPDATE, PEER_TICKET, PEER_RECORD, PEER_RAW, PEER_AGAIN, PEER_REST,
	PEER_REPLAY,
	PEER_FIN, PEER_RST, PEER_CLOSE, PEER_VANISH, PEER_FORGET, PEER_STOP_READING, PEER_START_READING, PEER_WINDOW, PEER_HANDSHAKE
};
enum iut_verb {
	IUT_HANDSHAKE, IUT_READ, IUT_READ_ALL, IUT_WRITE, IUT_SHUTDOWN_WRITE, IUT_SHUTDOWN_BOTH, IUT_SHUTDOWN, IUT_CLOSE,
	IUT_ABANDON, IUT_KEY_UPDATE, IUT_PLAIN_READ, IUT_PLAIN_WRITE, IUT_CHILD_SHUTDOWN, IUT_AWAIT, IUT_REUSE_NUMBER, IUT_REUSE_LOOK,
	IUT_EARLY_READ, IUT_EARLY_WRITE
};
enum fd_verb { FD_SHUTDOWN_READ, FD_SHUTDOWN_WRITE, FD_SHUTDOWN_BOTH, FD_LINGER, FD_HOLD, FD_DROP, FD_SNDBUF, FD_RCVBUF, FD_USER_TIMEOUT,
               FD_KEEPALIVE,
	FD_INTERRUPT
};
enum path_verb { PATH_FORGE_FIN, PATH_FORGE_RST, PATH_FORGE_SYN, PATH_FORGE_ACK, PATH_ICMP, PATH_LOSE_DATA, PATH_CUT, PATH_MEND };
enum handshake_verb { HANDSHAKE_NEW, HANDSHAKE_RESUME, HANDSHAKE_AGAIN };        /* of `connect`, too; AGAIN: on the same transport */

enum outcome {
	OUTCOME_OK, OUTCOME_RESUMED, OUTCOME_FULL, OUTCOME_DATA, OUTCOME_CLOSED, OUTCOME_TRUNCATED, OUTCOME_RESET, OUTCOME_PIPE,
	OUTCOME_ALERT,
	OUTCOME_SENT, OUTCOME_COMPLETE, OUTCOME_BLOCKED, OUTCOME_SPINS, OUTCOME_REFUSED, OUTCOME_ERROR, OUTCOME_CRASH, OUTCOME_UNSUPPORTED,
	OUTCOME_FAILS,          /* only in a case: any of truncated, reset, pipe, alert, refused, error */
	OUTCOME_COUNT
};
const char *outcome_word(enum outcome o);
int outcome_find(struct bytes word);            /* -1: no outcome */
bool outcome_is(enum outcome allowed, enum outcome seen);       /* FAILS stands for its set */
bool outcome_tells_error(enum outcome o);       /* of the connection: any of FAILS but refused, which a call says of itself */

struct mods {                                   /* of a peer step that makes a record; a field of -1: not given */
	int level;
	int keys;                               /* enum item_keys */
	bool corrupt, corrupt_header, fragmented, empty;
	int64_t pad, cut;
	bool has_cut;                           /* cut may be -1: all but the last byte (and -2: all but two) */
	struct where keys_at, pad_at;           /* of the words, for faults */
};

struct allowed {                                /* one alternative behind `->` of a call */
	enum outcome outcome;
	int64_t len;                            /* DATA: its length, ITEM_ANY for bare data; read*: the sum, 0 if no data is named */
	struct bytes text;                      /* DATA "..." unescaped; p NULL when a number or nothing was given */
	int alert;                              /* ALERT: code, ITEM_ANY for a bare one */
	struct bytes native;                    /* behind `as`: words separated by single spaces; n 0: none asked */
	struct where at;                        /* of the outcome's word */
};

enum node_kind { NODE_SEQ, NODE_ALT, NODE_OPT, NODE_ITEM };
struct node {                                   /* a pattern of wire items */
	enum node_kind kind;
	struct node *kids;                      /* owned by the script */
	size_t nkids;
	struct item item;
};

struct check {
	struct where at;
	unsigned only;                          /* FOR_ bits: those of its step, narrowed by selectors in front of `also` */
	struct allowed *allowed;                /* calls and handshakes */
	size_t nallowed;
	struct node *pattern;                   /* wire: NULL means `nothing` */
	unsigned states;                        /* tcp: bits 1 << TCP_ESTABLISHED ... of the kernel */
	const struct requirement *req;          /* NULL: a precondition. Filled in where none is written: data-intact when all that
	                                         * is allowed is data, nothing-else for wire (if there are such requirements) */
	struct bytes text;                      /* what is allowed, as written, for reports */
};

struct step {
	struct where at;
	enum actor actor;
	int verb;                               /* of the actor's enum; WIRE, TCP: 0 iut, 1 peer; HANDSHAKE, CONNECT: handshake_verb */
	unsigned only;                          /* FOR_ bits from the selectors in front */
	int64_t n;                              /* write N, read N, rest N, window N, linger N, forge off N ...; ITEM_ANY: not given */
	struct bytes text;                      /* write "..." and raw, unescaped or from hex; record: the content; icmp: its name */
	                                        /* p NULL: none (`write empty`: n 0) */
	int code;                               /* alert code, record type, handshake message; key_update: 1 if requested; */
	                                        /* icmp: type << 8 | code; -1: none (`handshake to nothing`: -2) */
	struct mods mods;
	bool joined;                            /* the next step leaves in the same segment */
	bool optional;                          /* `?` */
	bool outstanding;                       /* `&` */
	bool later;                             /* `later`: waits for a timer of the kernel */
	struct check *checks;                   /* its own `->` first, then those of `also` lines */
	size_t nchecks;
	struct bytes words;                     /* actor and words as written, single-spaced, without check, `?` and `&`, with $K's value */
};

struct setting { struct bytes key, value; };    /* host KEY VALUE; except REQUIREMENT REASON */

struct script {
	char *text;                             /* the whole file, owned */
	char name[96];                          /* THEME/NAME, from the path */
	struct bytes prose, title;              /* prose: without the `# `, lines kept, owned through `strings` */
	unsigned runs_for;                      /* FOR_ bits */
	struct bytes *needs; size_t nneeds;
	struct bytes *options; size_t noptions;
	struct bytes api;                       /* n 0: any */
	bool about_host;
	struct setting *host; size_t nhost;
	struct setting *except; size_t nexcept;
	struct bytes with_name;                 /* n 0: no `with` */
	struct bytes *with; size_t nwith;
	struct step *steps; size_t nsteps;
	char **strings; size_t nstrings;        /* owned: unescaped texts */
};

/* Parses text (n bytes, copied) as the file `path`. `with`: which value of the `with` line stands for $K (0 when there is none).
 * False: *f tells where and why, with a suggestion for an unknown word; *s is zero. reqs must outlive the script. */
bool script_parse(struct script *s, const char *path, const char *text, size_t n, size_t with,
                  const struct requirements *reqs, struct fault *f);
/* The same from a file. A file that cannot be read is a fault without a line. */
bool script_load(struct script *s, const char *path, size_t with, const struct requirements *reqs, struct fault *f);
void script_free(struct script *s);

/* What cannot be meant, per variant (FOR_ bits of one role, version, mode): a call after close, a second call while one is outstanding
 * in blocking mode, an outcome that the step cannot have, `ticket` by a client, a 1.3 step in 1.2 ...
 * Called by script_parse for every variant of the case. */
bool script_check(const struct script *s, unsigned variant, struct fault *f);

/* Does this step, or this check of it, belong to the variant? */
bool step_in(const struct step *st, unsigned variant);
bool check_in(const struct check *c, unsigned variant);
const struct setting *script_excepts(const struct script *s, const char *requirement);     /* NULL: no */

/* What may stand behind a verb, one kind for each way to read it. */
enum arg {
	ARG_NONE, ARG_N, ARG_N_OPTIONAL, ARG_TEXT, ARG_TEXT_OR_N, ARG_ALERT, ARG_REQUESTED, ARG_RECORD, ARG_RAW, ARG_MESSAGE, ARG_TO_IUT,
	ARG_ICMP,
	ARG_FORGE, ARG_LATER
};
enum {                                          /* bits of struct word */
	MOD_LEVEL = 1, MOD_KEYS = 2, MOD_CORRUPT = 4, MOD_FRAGMENTED = 8, MOD_PADDED = 16, MOD_EMPTY = 32, MOD_CUT = 64,
	MOD_RECORD = MOD_KEYS | MOD_CORRUPT | MOD_FRAGMENTED | MOD_PADDED | MOD_EMPTY | MOD_CUT,
	IS_RECORD = 128,                        /* makes a record, so that `again` has one */
	IS_SENDING = 256,                       /* puts something into the stream: not after `fin` */
	IS_JOINABLE = 512,                      /* can share a segment */
	IS_READ = 1024, IS_WRITE = 2048,        /* iut: through TLS */
	IS_EARLY = 4096                         /* iut: 0-RTT, written by a client and read by a server */
};

/* The rows of the language: help, suggestions, and what the parser and script_check go by. */
struct word {
	const char *word;                       /* one or two: "shutdown write" */
	int id;                                 /* of the actor's enum; in the other tables the value of the word */
	const char *args, *help;
	enum arg arg;
	unsigned bits;                          /* MOD_ and IS_; handshake_words: the FOR_ bits of the versions that have the message */
	unsigned outcomes;                      /* iut: bits 1 << OUTCOME_ that the call can have */
};
extern const struct word peer_words[], iut_words[], fd_words[], path_words[];  /* end with a NULL word; no row of the verbs is missing */
extern const struct word actor_words[], selector_words[], mod_words[], key_mod_words[], level_mod_words[];
extern const struct word icmp_words[], handshake_words[], need_words[];
extern const struct word handshake_step;                /* of the step `handshake` */
const struct word *word_find(const struct word *table, struct bytes word);      /* NULL: none */
const struct word *word_by_id(const struct word *table, int id);                /* the first of it; NULL: none */
bool iut_reads(int verb);                       /* a call that can give application data */
bool iut_writes(int verb);
bool script_option(const struct script *s, const char *name);   /* is it opened with this option? */
const char *tcp_state_word(int state);          /* kernel's TCP_* number -> "close-wait" */
int tcp_state_find(struct bytes word);          /* -1 */

#endif
