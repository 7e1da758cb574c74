/* The version in the line by which a library names itself. */
#include "runner/version.h"

#include "tests/check_rows.h"

static const struct { const char *name, *line, *text; long major, minor; } rows[] = {
	{ "three numbers", "OpenSSL 3.0.22", "3.0.22", 3, 0 },
	{ "two", "reference 0.1", "0.1", 0, 1 },
	{ "one", "schannel 10", "10", 10, 0 },
	{ "more behind it", "OpenSSL 3.5.4 30 Sep 2026", "3.5.4", 3, 5 },
	{ "a letter behind it", "OpenSSL 1.1.1w  11 Sep 2023", "1.1.1", 1, 1 },
	{ "the name has a number", "GnuTLS2 3.7.9", "3.7.9", 3, 7 },
	{ "the line begins with it", "3.8.4 of NSS", "3.8.4", 3, 8 },
	{ "a dot at the end", "BearSSL 0.6.", "0.6", 0, 6 },
	{ "a dash in front", "Python-ssl-3.11", "3.11", 3, 11 },
	{ "none", "a library", "", 0, 0 },
	{ "empty", "", "", 0, 0 },
};

START_TEST(version_row)
{
	struct version v = version_in(rows[_i].line);

	ck_assert_msg(v.major == rows[_i].major && v.minor == rows[_i].minor, "%s: %ld.%ld", rows[_i].name, v.major, v.minor);
	same_bytes(rows[_i].name, v.text, bytes_of(rows[_i].text));
}
END_TEST

ROWS_MAIN("version", { version_row, countof(rows) })
