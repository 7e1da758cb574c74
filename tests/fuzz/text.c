/* The small readers, and what makes foreign text harmless: quoting, plain text, markup, versions, numbers, shards. */
#include "peer/record.h"
#include "runner/expectations.h"
#include "runner/lex.h"
#include "runner/markup.h"
#include "runner/shard.h"
#include "runner/variants.h"
#include "runner/version.h"
#include "tests/fuzz/fuzz.h"

static void quoting(struct bytes in)
{
	struct buf quoted = { 0 }, back = { 0 };
	struct bytes rest;

	buf_quote(&quoted, in);
	rest = buf_bytes(&quoted);
	assert(bytes_unquote(&rest, &back) && !rest.n);
	assert(bytes_equal(buf_bytes(&back), in));
	for (size_t i = 0; i < quoted.n; i++)
		assert(quoted.p[i] >= ' ' && quoted.p[i] <= '~');
	back.n = 0;
	rest = in;
	assert(bytes_unquote(&rest, &back) ? rest.n < in.n : rest.n == in.n && !back.n);
	back.n = 0;
	assert(bytes_unhex(in, &back) ? back.n <= in.n / 2 : !back.n);
	buf_free(&quoted);
	buf_free(&back);
}

static void harmless(struct bytes in)
{
	struct buf out = { 0 };

	plain_text(&out, in);
	assert(!out.n || !memchr(out.p, '\n', out.n));
	fuzz_is_plain(buf_bytes(&out));
	assert(out.n >= in.n && out.n <= 4 * in.n);
	out.n = 0;
	markup_text(&out, in);
	assert(!out.n || (!memchr(out.p, '<', out.n) && !memchr(out.p, '"', out.n)));
	fuzz_is_plain(buf_bytes(&out));
	buf_free(&out);
}

/* The line by which a library names itself becomes a part of a folder's name. */
static void names(const char *line)
{
	struct version v = version_in(line);
	char name[96];

	for (size_t i = 0; i < v.text.n; i++)
		assert(strchr("0123456789.", v.text.p[i]));
	assert(!v.text.n || (v.major >= 0 && v.minor >= 0));
	expectations_name(name, sizeof(name), line, line);
	assert(!strchr(name, '/') && name[0] != '.');
}

static void numbers(struct bytes in, const char *line)
{
	struct shard s = { 0 };
	int64_t v;

	if (number_parse(in, -5, INT64_MAX, &v))
		assert(v >= -5);
	assert(alert_code(in) >= -1 && alert_code(in) <= 255);
	assert(handshake_code(in) >= -1 && handshake_code(in) <= 255);
	assert(content_code(in) >= -1 && content_code(in) <= 255);
	if (!shard_parse(line, &s))
		return;
	assert(s.index >= 1 && s.index <= s.total && s.total <= SHARDS_MAX);
	for (size_t nth = 0; nth < 20; nth++)
		assert(shard_takes(&s, shard_place(&s, nth)));
}

static void stems(struct bytes in)
{
	struct buf out = { 0 };
	variant_stem(&out, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, in, in);
	assert(!memchr(out.p, '/', out.n) && !memchr(out.p, '\0', out.n));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = { data, n };
	struct buf line = { 0 };

	buf_add_bytes(&line, in);
	quoting(in);
	harmless(in);
	names(buf_str(&line));
	numbers(in, buf_str(&line));
	stems(in);
	buf_free(&line);
	return 0;
}
