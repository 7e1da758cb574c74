/* bytes: slices that own nothing, and a buffer that grows. */
#ifndef PEER_BYTES_H
#define PEER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

struct bytes { const uint8_t *p; size_t n; };           /* borrowed: lives as long as what it points into */
struct buf { uint8_t *p; size_t n, cap; };              /* owned: buf_free; safe on zero and safe twice */

struct bytes bytes_of(const char *text);                /* without the final NUL */
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_is(struct bytes a, const char *text);
char *bytes_dup(struct bytes text);                     /* a string, up to the first NUL; free(). Aborts when memory runs out */
char *text_dup(const char *text);                       /* the same of a string */

/* Takes n bytes off the front of *in. False, and nothing moved, when there are fewer. */
bool bytes_take(struct bytes *in, size_t n, struct bytes *out);
bool bytes_u8(struct bytes *in, uint8_t *v);
bool bytes_u16(struct bytes *in, uint16_t *v);          /* big-endian, as on the wire */
bool bytes_u24(struct bytes *in, uint32_t *v);
uint16_t be16(const uint8_t *p);
uint32_t be32(const uint8_t *p);

/* All of these grow as needed and abort when memory runs out. */
uint8_t *buf_grow(struct buf *b, size_t n);             /* n more bytes at the end, not initialised; valid until the next call that grows */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_bytes(struct buf *b, struct bytes x);
void buf_u8(struct buf *b, unsigned v);
void buf_u16(struct buf *b, unsigned v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));     /* no NUL is added */
void buf_drop(struct buf *b, size_t n);                 /* takes n bytes off the front */
struct bytes buf_bytes(const struct buf *b);            /* valid until the buffer changes */
struct bytes buf_from(const struct buf *b, size_t at);  /* what stands behind the first `at` bytes; the same */
const char *buf_str(struct buf *b);                     /* NUL behind the text, not counted; valid until the buffer changes */
void buf_free(struct buf *b);

/* Quoted text in the notation of the cases: "..." with \n \r \t \\ \" and \xNN. */
void buf_quote(struct buf *b, struct bytes text);
/* Reads one such text, opening quote included, off the front of *in; appends to *out.
 * False, *in unmoved, when it is not one or has no end. */
bool bytes_unquote(struct bytes *in, struct buf *out);
/* Hex digits in pairs, spaces between pairs allowed. False when they are not. */
bool bytes_unhex(struct bytes hex, struct buf *out);

/* The n bytes of the pattern that `write N` means: a, b ... w, a, ... */
void buf_pattern(struct buf *b, size_t n);

#endif
