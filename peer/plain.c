/* plain: text that others wrote, made harmless. */
#include "peer/plain.h"

#include <assert.h>
#include <string.h>

/* RFC 3629: by its first byte, how long a character is, and what the second may be: no overlong forms,
 * no surrogates, no more than U+10FFFF. */
static const struct { uint8_t low, high, n, second_low, second_high; } shapes[] = {
	{ 0x00, 0x7f, 1, 0, 0 },
	{ 0xc2, 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf }, { 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static size_t utf8_length(struct bytes text)
{
	for (size_t i = 0; i < countof(shapes) && text.n; i++) {
		if (text.p[0] < shapes[i].low || text.p[0] > shapes[i].high)
			continue;
		if (text.n < shapes[i].n || (shapes[i].n > 1 && (text.p[1] < shapes[i].second_low || text.p[1] > shapes[i].second_high)))
			return 0;
		for (size_t k = 2; k < shapes[i].n; k++)
			if ((text.p[k] & 0xc0) != 0x80)
				return 0;
		return shapes[i].n;
	}
	return 0;
}

static uint32_t code_point(const uint8_t *p, size_t n)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c;

	assert(n < countof(mask));
	c = p[0] & mask[n];
	for (size_t k = 1; k < n; k++)
		c = c << 6 | (p[k] & 0x3f);
	return c;
}

static bool is_harmful(uint32_t c)
{
	static const struct { uint32_t low, high; } ranges[] = {
		{ 0, '\t' - 1 }, { '\t' + 1, 0x1f }, { 0x7f, 0x9f },
		{ 0x061c, 0x061c }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
		{ 0xfffe, 0xffff },
	};

	for (size_t i = 0; i < countof(ranges); i++)
		if (c >= ranges[i].low && c <= ranges[i].high)
			return true;
	return false;
}

size_t plain_length(struct bytes text)
{
	size_t n = utf8_length(text);

	return n && !is_harmful(code_point(text.p, n)) ? n : 0;
}

void plain_text(struct buf *out, struct bytes text)
{
	while (text.n) {
		size_t n = plain_length(text);
		struct bytes c;

		bytes_take(&text, n ? n : 1, &c);
		if (n)
			buf_add_bytes(out, c);
		else
			buf_printf(out, "\\x%02x", c.p[0]);
	}
}

void plain_print(FILE *to, const char *text)
{
	struct buf b = { 0 };

	plain_text(&b, bytes_of(text));
	if (b.n)
		fwrite(b.p, 1, b.n, to);
	buf_free(&b);
}
