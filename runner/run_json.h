/* run_json: what a run's object in results.json tells: the reader's side of runner/result. Pure. Text is the object's own, and may hold
 * anything that an adapter said: who prints it takes run_plain first, or escapes it. */
#ifndef RUNNER_RUN_JSON_H
#define RUNNER_RUN_JSON_H

#include <jansson.h>

#include "runner/judge.h"

/* What a run means to who only wants to know whether all is well. KNOWN: it deviates, and as its expected trace says. */
enum standing { STANDING_GOOD, STANDING_KNOWN, STANDING_SKIPPED, STANDING_CHANGED, STANDING_DEVIATES, STANDING_ERROR, STANDING_COUNT };

/* Has it all that makes a run, and of the right kind? False: *f says what is missing. What else stands here may be relied on then. */
bool run_check(const json_t *run, struct fault *f);

const char *run_text(const json_t *o, const char *key); /* "" where there is none; lives as long as the object */
bool run_flag(const json_t *o, const char *key);
enum verdict run_verdict(const json_t *run);
enum standing run_standing(const json_t *run);

unsigned run_bits(const json_t *run);                   /* the variant: FOR_ bits; 0: its words are none */
void run_variant(struct buf *out, const json_t *run);   /* "client 1.3 blocking K=5" */
void run_name(struct buf *out, const json_t *run);      /* "openssl theme/case client 1.3 blocking K=5" */
/* What tells it from the other runs of a session; owned by the caller. */
char *run_key(const json_t *run);
/* The path of its files below the folder of the results, without the suffix. False: its names would lead out of there. */
bool run_stem(struct buf *out, const json_t *run);
/* The command that does it again, without what says where the results go. */
void run_again(struct buf *out, const json_t *run);
/* The same of its words; root: "" for none; command: how the implementation was named. */
void again_text(struct buf *out, const char *root, const char *command, const char *kase, const char *role, const char *tls,
                const char *io);

/* A copy (owned) whose texts are harmless on a terminal; only `diff` keeps its lines. */
json_t *run_plain(const json_t *run);

#endif
