/* Which frames of the capture passed behind a point in it. */
#include "runner/capture.h"

#include "tests/check_rows.h"

static const struct {
	const char *name;
	struct capture_point at;
	struct captured frame;
	bool behind;
} behind_rows[] = {
	{ "the last that had passed",                { 7, 0 }, { .number = 7, .seen = 2 },                  false },
	{ "the next",                                { 7, 0 }, { .number = 8, .seen = 2 },                  true },
	{ "nothing had passed",                      { 0, 0 }, { .number = 1 },                             true },
	{ "not counted yet, but before the marker",  { 7, 3 }, { .number = 8, .seen = 2 },                  false },
	{ "the marker before it",                    { 7, 3 }, { .number = 8, .seen = 2, .marker = true },  false },
	{ "the marker itself",                       { 7, 3 }, { .number = 9, .seen = 3, .marker = true },  true },
	{ "behind the marker",                       { 7, 3 }, { .number = 10, .seen = 3 },                 true },
	{ "behind a later marker",                   { 7, 3 }, { .number = 11, .seen = 4 },                 true },
};

START_TEST(behind_row)
{
	ck_assert_msg(capture_behind(&behind_rows[_i].at, &behind_rows[_i].frame) == behind_rows[_i].behind, "%s", behind_rows[_i].name);
}
END_TEST

ROWS_MAIN("capture", { behind_row, countof(behind_rows) })
