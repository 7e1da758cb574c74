/* bytes: slices that own nothing, and a buffer that grows. */
#include "peer/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);  /* memcmp must not see NULL, even for 0 bytes */
}

bool bytes_is(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_of(text));
}

char *bytes_dup(struct bytes text)
{
	char *s = text.n ? strndup((const char *)text.p, text.n) : strdup("");

	assert(s);
	return s;
}

char *text_dup(const char *text)
{
	return bytes_dup(bytes_of(text));
}

bool bytes_take(struct bytes *in, size_t n, struct bytes *out)
{
	if (in->n < n)
		return false;
	*out = (struct bytes){ in->p, n };
	if (n > 0)
		*in = (struct bytes){ in->p + n, in->n - n };
	return true;
}

static bool take_number(struct bytes *in, size_t n, uint32_t *v)
{
	struct bytes x;

	if (!bytes_take(in, n, &x))
		return false;
	*v = 0;
	for (size_t i = 0; i < n; i++)
		*v = *v << 8 | x.p[i];
	return true;
}

bool bytes_u8(struct bytes *in, uint8_t *v)
{
	uint32_t x;

	if (!take_number(in, 1, &x))
		return false;
	*v = (uint8_t)x;
	return true;
}

bool bytes_u16(struct bytes *in, uint16_t *v)
{
	uint32_t x;

	if (!take_number(in, 2, &x))
		return false;
	*v = (uint16_t)x;
	return true;
}

bool bytes_u24(struct bytes *in, uint32_t *v)
{
	return take_number(in, 3, v);
}

uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

uint8_t *buf_grow(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	uint8_t *end;

	if (n > SIZE_MAX / 2 - b->n)
		abort();
	while (cap < b->n + n)
		cap *= 2;
	if (cap > b->cap) {
		b->p = realloc(b->p, cap);
		if (!b->p)
			abort();
		b->cap = cap;
	}
	end = b->p + b->n;
	b->n += n;
	return end;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n > 0)
		memcpy(buf_grow(b, n), p, n);
}

void buf_add_bytes(struct buf *b, struct bytes x)
{
	buf_add(b, x.p, x.n);
}

void buf_u8(struct buf *b, unsigned v)
{
	*buf_grow(b, 1) = (uint8_t)v;
}

void buf_u16(struct buf *b, unsigned v)
{
	buf_u8(b, v >> 8);
	buf_u8(b, v);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();

	va_start(ap, fmt);
	vsnprintf((char *)buf_grow(b, (size_t)n + 1), (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n--;         /* the NUL that vsnprintf insists on */
}

void buf_drop(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->n -= n;
	if (n > 0)
		memmove(b->p, b->p + n, b->n);
}

struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->p, b->n };
}

struct bytes buf_from(const struct buf *b, size_t at)
{
	struct bytes x = buf_bytes(b);

	assert(at <= x.n);
	bytes_take(&x, at, &(struct bytes){ 0 });
	return x;
}

const char *buf_str(struct buf *b)
{
	buf_u8(b, 0);
	b->n--;
	return (const char *)b->p;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

static const struct { uint8_t letter, byte; } escapes[] = {
	{ 'n', '\n' }, { 'r', '\r' }, { 't', '\t' }, { '\\', '\\' }, { '"', '"' },
};

static void quote_byte(struct buf *b, uint8_t c)
{
	for (size_t i = 0; i < countof(escapes); i++) {
		if (c == escapes[i].byte) {
			buf_u8(b, '\\');
			buf_u8(b, escapes[i].letter);
			return;
		}
	}
	if (c < ' ' || c > '~')
		buf_printf(b, "\\x%02x", c);
	else
		buf_u8(b, c);
}

void buf_quote(struct buf *b, struct bytes text)
{
	buf_u8(b, '"');
	for (size_t i = 0; i < text.n; i++)
		quote_byte(b, text.p[i]);
	buf_u8(b, '"');
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Two digits off the front. */
static bool take_hex(struct bytes *in, uint8_t *v)
{
	struct bytes x;
	int high, low;

	if (!bytes_take(in, 2, &x))
		return false;
	high = hex_digit(x.p[0]);
	low = hex_digit(x.p[1]);
	*v = (uint8_t)(high * 16 + low);
	return high >= 0 && low >= 0;
}

/* What stands behind a backslash. */
static bool take_escape(struct bytes *in, uint8_t *v)
{
	uint8_t c;

	if (!bytes_u8(in, &c))
		return false;
	for (size_t i = 0; i < countof(escapes); i++) {
		if (c == escapes[i].letter) {
			*v = escapes[i].byte;
			return true;
		}
	}
	return c == 'x' && take_hex(in, v);
}

bool bytes_unquote(struct bytes *in, struct buf *out)
{
	struct bytes rest = *in;
	size_t before = out->n;
	uint8_t c;

	if (!bytes_u8(&rest, &c) || c != '"')
		return false;
	while (bytes_u8(&rest, &c) && c != '\n') {      /* a text ends on the line that it began on */
		if (c == '"') {
			*in = rest;
			return true;
		}
		if (c == '\\' && !take_escape(&rest, &c))
			break;
		buf_u8(out, c);
	}
	out->n = before;
	return false;
}

bool bytes_unhex(struct bytes hex, struct buf *out)
{
	size_t before = out->n;
	uint8_t c;

	while (hex.n > 0) {
		if (hex.p[0] == ' ') {
			bytes_u8(&hex, &c);
		} else if (take_hex(&hex, &c)) {
			buf_u8(out, c);
		} else {
			out->n = before;
			return false;
		}
	}
	return true;
}

void buf_pattern(struct buf *b, size_t n)
{
	uint8_t *p = buf_grow(b, n);

	/* 23 letters: a prime, so that no power of two falls on the same letter again and a lost block shows. */
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)('a' + i % 23);
}
