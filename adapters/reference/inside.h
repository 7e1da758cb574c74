/* inside: what the parts of the engine have from one another. */
#ifndef REFERENCE_INSIDE_H
#define REFERENCE_INSIDE_H

#include "adapters/reference/engine.h"

/* send.c: seals, into e->out. Only flush and failed have to do with the transport. */

void send_alert(struct engine *e, unsigned level, unsigned code);
void send_update(struct engine *e, bool requested);
size_t send_data(struct engine *e, const void *p, size_t n);    /* one record; returns how many bytes are in it */
void send_held(struct engine *e);                               /* what waited for company */
void send_notify(struct engine *e);                             /* the close_notify, behind all that was written */
/* ENGINE_OK: all that was sealed is with the transport. ENGINE_WANT_WRITE: not yet, and nothing is lost. */
enum result send_flush(struct engine *e, bool wait);
enum result send_failed(struct engine *e, int err);             /* what a failure of the transport is to the caller, in either direction */

/* receive.c */

/* One record, which stays in e->rec, and nothing of what follows it. */
enum result receive_record(struct engine *e, struct record *rec);
/* Takes in one record behind the handshake. ENGINE_OK: go on and look whether it brought data or the end. */
enum result receive_step(struct engine *e);
enum result receive_alert(struct engine *e, struct bytes body); /* its content, authentic or of the handshake */
bool receives_early(const struct engine *e);                    /* the server's flight is out, and records come under early keys */

/* engine.c */

enum result engine_refused(struct engine *e, const char *why);
/* What a read gives of what has come in. Always ENGINE_OK. */
enum result engine_give(struct engine *e, void *p, size_t n, size_t *got);

#endif
