/* The Internet checksum, by the example of RFC 1071 and by what it is for: a packet with its sum in place adds up. */
#include "peer/checksum.h"

#include "tests/check_rows.h"

static const struct { const char *name, *hex; unsigned want; } rows[] = {
	{ "RFC 1071 3", "0001 f203 f4f5 f6f7", 0x220d },
	{ "nothing", "", 0xffff },
	{ "an odd byte is the high one", "01", 0xfeff },
	{ "three bytes", "0001 02", 0xfdfe },
	{ "a carry comes around", "ffff 0001", 0xfffe },
	{ "all ones", "ffff ffff ffff", 0 },
	{ "an IPv4 header", "4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7", 0xb861 },
	{ "the same with its sum", "4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7", 0 },
};

START_TEST(checksum_row)
{
	struct buf b = { 0 };
	struct bytes x = exact(unhex(rows[_i].hex, &b));
	unsigned got = checksum_fold(checksum_add(0, x));

	ck_assert_msg(got == rows[_i].want, "%s: %04x", rows[_i].name, got);
	free((void *)x.p);
	buf_free(&b);
}
END_TEST

/* Parts of even length add up to the whole. */
START_TEST(parts)
{
	struct buf b = { 0 };
	struct bytes x = unhex(rows[_i].hex, &b);

	for (size_t n = 0; n <= x.n; n += 2) {
		uint32_t sum = checksum_add(checksum_add(0, (struct bytes){ x.p, n }), (struct bytes){ x.p + n, x.n - n });

		ck_assert_msg(checksum_fold(sum) == rows[_i].want, "%s, parted at %zu", rows[_i].name, n);
	}
	buf_free(&b);
}
END_TEST

/* A sum that nobody has folded yet, with carries above 16 bits. */
START_TEST(fold)
{
	ck_assert_uint_eq(checksum_fold(0x1fffe), 0);
	ck_assert_uint_eq(checksum_fold(0x2ddf0), 0x220d);
}
END_TEST

ROWS_MAIN("checksum", { checksum_row, countof(rows) }, { parts, countof(rows) }, { fold, 1 })
