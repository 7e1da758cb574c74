/* The greeting of an adapter, line by line. */
#include "runner/adapter.h"

#include "tests/check_rows.h"

static const struct {
	const char *name, *line;
	size_t n;                               /* 0: to the NUL */
	bool ok, ready;
	size_t can;
} rows[] = {
	{ "library",               "library OpenSSL 3.0.22",          0,  true,  false, 0 },
	{ "no library",            "library",                         0,  true,  false, 0 },
	{ "words, many spaces",    "can  client   server ",           0,  true,  false, 2 },
	{ "no words",              "can",                             0,  true,  false, 0 },
	{ "a NUL among the words", "can \0client",                    11, false, false, 0 },
	{ "a NUL at the end",      "library x\0",                     10, false, false, 0 },
	{ "forbids",               "forbids after-error after-end",   0,  true,  false, 0 },
	{ "forbids what is not",   "forbids after-lunch",             0,  false, false, 0 },
	{ "wants another",         "wants dsa",                       0,  true,  false, 0 },
	{ "ready",                 "ready",                           0,  true,  true,  0 },
	{ "a key that goes on",    "readyy",                          0,  false, false, 0 },
	{ "empty",                 "",                                0,  false, false, 0 },
};

START_TEST(greeting_row)
{
	struct bytes line = exact((struct bytes){ (const uint8_t *)rows[_i].line, rows[_i].n ? rows[_i].n : strlen(rows[_i].line) });
	struct adapter a;
	bool ready = false;

	adapter_init(&a, "some/where/name", ".", NULL);
	ck_assert_msg(adapter_greeting_line(&a, line, &ready) == rows[_i].ok, "%s", rows[_i].name);
	ck_assert_msg(ready == rows[_i].ready && a.ncan == rows[_i].can, "%s", rows[_i].name);
	adapter_free(&a);
	free((void *)line.p);
}
END_TEST

ROWS_MAIN("adapter", { greeting_row, countof(rows) })
