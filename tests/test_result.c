/* Results: a run as the object that results.json holds, field by field, and the names of its files. */
#include "runner/result.h"

#include "tests/check_rows.h"

static const char plain_case[] = "# What is at stake,\n# in two lines.\n#\n# More of it.\ntitle t\nhandshake\niut close\n";
static const char with_case[] = "title t\nabout host\nwith k in 5 \"a b\" -1\nhandshake\niut write $k\n";

static char clause12[] = "RFC 5246 7.2.1", clause13[] = "RFC 8446 6.1", name[] = "must", reason[] = "because", says[] = "An end is told.";

static const struct requirement rule = {
	.name = name, .says = says, .level = { LEVEL_SHOULD, LEVEL_MUST }, .clause = { clause12, clause13 }, .disputed = { NULL, reason }
};

static void read_case(struct script *s, const char *text, size_t with)
{
	struct fault f = { 0 };

	ck_assert_msg(script_parse(s, "cases/theme/name.case", text, strlen(text), with, NULL, &f), "%d:%d: %s", f.line, f.col, f.msg);
}

/* What only the fields of a schema may be: of a type, there or not. */
enum kind { TEXT, TEXT_OR_NULL, NUMBER, BOOLEAN, FINDINGS };
struct field { const char *name; enum kind kind; bool optional; };

static const struct field run_fields[] = {
	{ "implementation", TEXT, false }, { "library", TEXT_OR_NULL, false }, { "case", TEXT, false }, { "role", TEXT, false }, { "tls", TEXT, false },
	{ "io", TEXT, false }, { "with", TEXT_OR_NULL, false }, { "with_name", TEXT, true }, { "about", TEXT, false }, { "verdict", TEXT, false },
	{ "ms", NUMBER, false }, { "findings", FINDINGS, false }, { "why", TEXT, true }, { "reason", TEXT, true },
	{ "expected", TEXT_OR_NULL, false }, { "expected_of", TEXT_OR_NULL, false }, { "diff", TEXT, true },
};

static const struct field finding_fields[] = {
	{ "requirement", TEXT_OR_NULL, false }, { "level", TEXT_OR_NULL, false }, { "disputed", BOOLEAN, false }, { "clause", TEXT_OR_NULL, false },
	{ "says", TEXT_OR_NULL, false },
	{ "promised", BOOLEAN, false }, { "weight", TEXT, false }, { "line", NUMBER, false }, { "allowed", TEXT, false }, { "observed", TEXT, false },
	{ "native", TEXT_OR_NULL, false }, { "known", BOOLEAN, false }, { "known_reason", TEXT, true }, { "known_link", TEXT, true },
};

static bool is_kind(const json_t *v, enum kind kind)
{
	switch (kind) {
	case TEXT:
		return json_is_string(v);
	case TEXT_OR_NULL:
		return json_is_string(v) || json_is_null(v);
	case NUMBER:
		return json_is_number(v);
	case BOOLEAN:
		return json_is_boolean(v);
	case FINDINGS:
		return json_is_array(v);
	}
	abort();
}

static void has_fields(const json_t *o, const struct field *fields, size_t n)
{
	size_t there = 0;

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(o, fields[i].name);

		ck_assert_msg(v ? is_kind(v, fields[i].kind) : fields[i].optional, "%s", fields[i].name);
		there += v != NULL;
	}
	ck_assert_uint_eq(json_object_size(o), there);
}

/* The whole object, printed and read again: that is what others see. */
static json_t *shown_beside(const struct run_name *r, const struct judgement *j, const struct comparison *c, int64_t took_us)
{
	json_t *o = result_json(r, j, c, took_us), *back;
	char *text;

	ck_assert_ptr_nonnull(o);
	text = json_dumps(o, JSON_COMPACT);
	ck_assert_ptr_nonnull(text);
	back = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(back);
	ck_assert(json_equal(o, back));
	has_fields(back, run_fields, countof(run_fields));
	for (size_t i = 0; i < json_array_size(json_object_get(back, "findings")); i++)
		has_fields(json_array_get(json_object_get(back, "findings"), i), finding_fields, countof(finding_fields));
	free(text);
	json_decref(o);
	return back;
}

static json_t *shown(const struct run_name *r, const struct judgement *j, int64_t took_us)
{
	return shown_beside(r, j, NULL, took_us);
}

static const char *text_at(const json_t *o, const char *field)
{
	const json_t *v = json_object_get(o, field);

	return json_is_null(v) ? "(null)" : json_string_value(v);
}

/* --- the run --- */

static const struct { unsigned variant; const char *role, *tls, *io, *file; } variants[] = {
	{ FOR_CLIENT | FOR_TLS12 | FOR_BLOCKING,    "client", "1.2", "blocking",    "client-1.2-blocking" },
	{ FOR_SERVER | FOR_TLS12 | FOR_NONBLOCKING, "server", "1.2", "nonblocking", "server-1.2-nonblocking" },
	{ FOR_CLIENT | FOR_TLS13 | FOR_MEMORY,      "client", "1.3", "memory",      "client-1.3-memory" },
	{ FOR_SERVER | FOR_TLS13 | FOR_BLOCKING,    "server", "1.3", "blocking",    "server-1.3-blocking" },
};

START_TEST(variant_row)
{
	struct judgement j = { .verdict = VERDICT_PASS };
	struct buf file = { 0 };
	struct run_name r;
	struct script s;
	json_t *o;

	read_case(&s, plain_case, 0);
	r = (struct run_name){ "openssl", "OpenSSL 3.5", &s, variants[_i].variant, 0, NULL, NULL };
	o = shown(&r, &j, 1234567);
	ck_assert_str_eq(text_at(o, "implementation"), "openssl");
	ck_assert_str_eq(text_at(o, "library"), "OpenSSL 3.5");
	ck_assert_str_eq(text_at(o, "case"), "theme/name");
	ck_assert_str_eq(text_at(o, "role"), variants[_i].role);
	ck_assert_str_eq(text_at(o, "tls"), variants[_i].tls);
	ck_assert_str_eq(text_at(o, "io"), variants[_i].io);
	ck_assert_str_eq(text_at(o, "with"), "(null)");
	ck_assert_ptr_null(json_object_get(o, "with_name"));
	ck_assert_str_eq(text_at(o, "about"), "library");
	ck_assert_double_eq(json_number_value(json_object_get(o, "ms")), 1234.567);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "findings")), 0);
	ck_assert_ptr_null(json_object_get(o, "reason"));
	run_file_name(&file, &r);
	ck_assert_str_eq(buf_str(&file), variants[_i].file);
	buf_free(&file);
	json_decref(o);
	script_free(&s);
}
END_TEST

START_TEST(verdict_row)
{
	static const char *const words[VERDICT_COUNT] = { "pass", "warn", "fail", "inconclusive", "unsupported", "broken" };
	bool has_reason = _i == VERDICT_UNSUPPORTED || _i == VERDICT_BROKEN;
	struct judgement j = { .verdict = (enum verdict)_i, .reason = has_reason ? reason : NULL };
	struct script s;
	json_t *o;

	read_case(&s, plain_case, 0);
	o = shown(&(struct run_name){ "x", NULL, &s, variants[0].variant, 0, NULL, NULL }, &j, 0);
	ck_assert_str_eq(text_at(o, "verdict"), words[_i]);
	ck_assert_str_eq(text_at(o, "library"), "(null)");
	ck_assert(has_reason ? strcmp(text_at(o, "reason"), reason) == 0 : !json_object_get(o, "reason"));
	json_decref(o);
	script_free(&s);
}
END_TEST

static const struct { const char *value, *file; } values[] = {
	{ "5", "client-1.3-blocking-k=5" }, { "\"a b\"", "client-1.3-blocking-k=\"a b\"" }, { "-1", "client-1.3-blocking-k=-1" }
};

START_TEST(with_row)
{
	struct judgement j = { .verdict = VERDICT_PASS };
	unsigned variant = FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING;
	struct buf file = { 0 };
	struct run_name r;
	struct script s;
	json_t *o;

	read_case(&s, with_case, 0);
	r = (struct run_name){ "x", "l", &s, variant, (size_t)_i, NULL, NULL };
	o = shown(&r, &j, 0);
	ck_assert_str_eq(text_at(o, "with"), values[_i].value);
	ck_assert_str_eq(text_at(o, "with_name"), "k");
	ck_assert_str_eq(text_at(o, "about"), "host");
	run_file_name(&file, &r);
	ck_assert_str_eq(buf_str(&file), values[_i].file);
	buf_free(&file);
	json_decref(o);
	script_free(&s);
}
END_TEST

/* --- findings --- */

static char allowed[] = "iut read -> closed", observed[] = "iut read -> error";
static char latin1[] = "r=-1 \"caf\xe9\"", utf8[] = "r=-1 \"caf\xc3\xa9\"", cut_utf8[] = "\xc3";

static const struct {
	const char *name;
	bool v13, has_req;
	enum verdict weight;
	bool promised;
	char *native;
	const char *level, *clause, *word, *shows;      /* shows: of the native return */
	bool disputed;
} findings[] = {
	{ "a MUST of 1.3",             true,  true,  VERDICT_FAIL,         true,  NULL,     "MUST",   clause13, "fail",         "(null)",          true },
	{ "a SHOULD in 1.2",           false, true,  VERDICT_WARN,         false, utf8,     "SHOULD", clause12, "warn",         utf8,              false },
	{ "noted",                     true,  true,  VERDICT_PASS,         false, latin1,   "MUST",   clause13, "noted",        "\"r=-1 \\\"caf\\xe9\\\"\"", true },
	{ "a precondition",            true,  false, VERDICT_INCONCLUSIVE, false, cut_utf8, "(null)", "(null)", "inconclusive", "\"\\xc3\"",       false },
};

START_TEST(finding_row)
{
	struct finding f = { .req = findings[_i].has_req ? &rule : NULL, .weight = findings[_i].weight, .promised = findings[_i].promised, .at = { .line = 7 },
	                     .allowed = allowed, .observed = observed, .native = findings[_i].native };
	struct finding two[2] = { f, f };
	struct judgement j = { .verdict = VERDICT_FAIL, .findings = two, .n = 2 };
	struct script s;
	json_t *o, *got;

	read_case(&s, plain_case, 0);
	two[1].at.line = 8;
	o = shown(&(struct run_name){ "x", "l", &s, FOR_CLIENT | FOR_BLOCKING | (findings[_i].v13 ? FOR_TLS13 : FOR_TLS12), 0, NULL, NULL }, &j, 0);
	got = json_array_get(json_object_get(o, "findings"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "findings")), 2);
	ck_assert_str_eq(text_at(got, "requirement"), findings[_i].has_req ? "must" : "(null)");
	ck_assert_str_eq(text_at(got, "level"), findings[_i].level);
	ck_assert_str_eq(text_at(got, "clause"), findings[_i].clause);
	ck_assert_str_eq(text_at(got, "says"), findings[_i].has_req ? says : "(null)");
	ck_assert_str_eq(text_at(o, "why"), "What is at stake, in two lines.");
	ck_assert_str_eq(text_at(got, "weight"), findings[_i].word);
	ck_assert(json_is_true(json_object_get(got, "disputed")) == findings[_i].disputed);
	ck_assert(json_is_true(json_object_get(got, "promised")) == findings[_i].promised);
	ck_assert_int_eq(json_integer_value(json_object_get(got, "line")), 7);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(json_object_get(o, "findings"), 1), "line")), 8);
	ck_assert_str_eq(text_at(got, "allowed"), allowed);
	ck_assert_str_eq(text_at(got, "observed"), observed);
	ck_assert_str_eq(text_at(got, "native"), findings[_i].shows);
	json_decref(o);
	script_free(&s);
}
END_TEST

/* Whatever an adapter or a case says that is no UTF-8 loses no field. */
START_TEST(no_utf8)
{
	struct finding f = { .req = &rule, .weight = VERDICT_FAIL, .allowed = latin1, .observed = cut_utf8, .native = cut_utf8 };
	struct judgement j = { .verdict = VERDICT_BROKEN, .findings = &f, .n = 1, .reason = latin1 };
	static const char text[] = "title t\nwith k in \"\xe9\"\nhandshake\niut write $k\n";
	struct script s;
	json_t *o;

	read_case(&s, text, 0);
	o = shown(&(struct run_name){ "x", latin1, &s, variants[0].variant, 0, NULL, NULL }, &j, 0);
	ck_assert_str_eq(text_at(o, "library"), "\"r=-1 \\\"caf\\xe9\\\"\"");
	ck_assert_str_eq(text_at(o, "reason"), text_at(o, "library"));
	ck_assert_str_eq(text_at(o, "with"), "\"\\\"\\xe9\\\"\"");
	json_decref(o);
	script_free(&s);
}
END_TEST

/* As text it is ASCII and one line: what clears a terminal's screen is none of it. */
START_TEST(as_text)
{
	static char escapes[] = "\177\033[2J\xc2\x9b\n\xe2\x80\xae";
	struct judgement j = { .verdict = VERDICT_BROKEN, .reason = escapes };
	struct script s;
	json_t *o, *back;
	char *text;

	read_case(&s, plain_case, 0);
	o = result_json(&(struct run_name){ "x", NULL, &s, variants[0].variant, 0, NULL, NULL }, &j, NULL, 0);
	text = result_text(o);
	for (const char *p = text; *p; p++)
		ck_assert_msg(*p >= ' ' && *p <= '~', "%s", text);
	back = json_loads(text, 0, NULL);
	ck_assert(json_equal(o, back));
	free(text);
	json_decref(back);
	json_decref(o);
	script_free(&s);
}
END_TEST

/* --- beside what is expected --- */

static const struct { enum compared how; bool known; char *reason, *link; const char *expected, *diff; } compared[] = {
	{ COMPARED_NONE,    false, NULL,              NULL,        "(null)",  NULL },
	{ COMPARED_SAME,    true,  "so \x1b[31mit is", "https://x", "same",    NULL },
	{ COMPARED_CHANGED, true,  "",                NULL,        "changed", "-iut   read -> closed\n+iut   read -> data \"caf\\xe9\"\n" },
	{ COMPARED_NEW,     false, NULL,              NULL,        "new",     NULL },
	{ COMPARED_OTHER,   false, NULL,              NULL,        "other",   "+wire  iut -> fin\n" },
};

START_TEST(compared_row)
{
	struct finding f = { .req = &rule, .weight = VERDICT_FAIL, .allowed = allowed, .observed = observed };
	struct judgement j = { .verdict = VERDICT_FAIL, .findings = &f, .n = 1 };
	struct deviation entry = { name, compared[_i].reason, compared[_i].link };
	struct account known = { .deviations = { &entry, 1 } };
	struct comparison c = { .how = compared[_i].how, .of = _i ? "x-1.2" : NULL, .known = compared[_i].known ? &known : NULL };
	struct script s;
	json_t *o, *got;

	read_case(&s, plain_case, 0);
	if (compared[_i].diff)
		buf_printf(&c.diff, "%s", compared[_i].diff);
	o = shown_beside(&(struct run_name){ "x", "l", &s, variants[0].variant, 0, NULL, NULL }, &j, &c, 0);
	got = json_array_get(json_object_get(o, "findings"), 0);
	ck_assert_str_eq(text_at(o, "expected"), compared[_i].expected);
	ck_assert_str_eq(text_at(o, "expected_of"), _i ? "x-1.2" : "(null)");
	ck_assert_str_eq(compared[_i].diff ? text_at(o, "diff") : "", compared[_i].diff ? compared[_i].diff : "");
	ck_assert(!json_object_get(o, "diff") == !compared[_i].diff);
	ck_assert(json_is_true(json_object_get(got, "known")) == compared[_i].known);
	ck_assert(!json_object_get(got, "known_reason") == !(entry.reason && *entry.reason));
	if (entry.link)
		ck_assert_str_eq(text_at(got, "known_link"), entry.link);
	json_decref(o);
	comparison_free(&c);
	script_free(&s);
}
END_TEST

ROWS_MAIN("result", { variant_row, countof(variants) }, { verdict_row, VERDICT_COUNT }, { with_row, countof(values) },
          { finding_row, countof(findings) }, { no_utf8, 1 }, { as_text, 1 }, { compared_row, countof(compared) })
