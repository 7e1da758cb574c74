/* What the runs of a session come to. A run is a line `WHO CASE ROLE TLS IO VERDICT` and what follows of these: `+REQ:LINE:OBSERVED:WEIGHT` a
 * finding, `*` in place of `+` one that an expected trace holds, `because X` the reason of a broken one, `reads X` how it reads TLS 1.2,
 * `host` one about the host. What comes of them is told likewise. */
#include "runner/summary.h"

#include <stdio.h>

#include "tests/check_rows.h"

static void set(json_t *o, const char *key, const char *text)
{
	ck_assert_int_eq(json_object_set_new(o, key, json_string(text)), 0);
}

static json_t *finding_of(char *text)
{
	static const char *const keys[] = { "requirement", "line", "observed", "weight" };
	json_t *fd = json_object();

	ck_assert_int_eq(json_object_set_new(fd, "known", json_boolean(*text == '*')), 0);
	text++;
	for (size_t i = 0; i < countof(keys); i++) {
		const char *word = strsep(&text, ":");

		ck_assert_ptr_nonnull(word);
		if (i == 1)
			ck_assert_int_eq(json_object_set_new(fd, keys[i], json_integer(atoi(word))), 0);
		else
			set(fd, keys[i], word);
	}
	return fd;
}

static json_t *run_of(char *line)
{
	static const char *const keys[] = { "implementation", "case", "role", "tls", "io", "verdict" };
	json_t *run = json_object(), *findings = json_array();
	size_t n = 0;
	char *word;

	set(run, "about", "library");
	ck_assert_int_eq(json_object_set_new(run, "findings", findings), 0);
	while ((word = strsep(&line, " "))) {
		if (n < countof(keys))
			set(run, keys[n++], word);
		else if (*word == '+' || *word == '*')
			ck_assert_int_eq(json_array_append_new(findings, finding_of(word)), 0);
		else if (strcmp(word, "host") == 0)
			set(run, "about", "host");
		else
			set(run, strcmp(word, "because") == 0 ? "reason" : "reading", strsep(&line, " "));
	}
	ck_assert_uint_eq(n, countof(keys));
	return run;
}

static void put_group(struct buf *out, const struct group *g)
{
	buf_printf(out, "%s %s %s", run_text(g->run, "implementation"), run_text(g->run, "case"), g->noted ? "noted" : verdict_word(g->weight));
	if (g->finding)
		buf_printf(out, " %c%s:%lld:%s", g->known ? '*' : '+', run_text(g->finding, "requirement"),
		           (long long)json_integer_value(json_object_get(g->finding, "line")), run_text(g->finding, "observed"));
	else
		buf_printf(out, " because %s", run_text(g->run, "reason"));
	buf_printf(out, " in ");
	variant_list_text(out, &g->in);
	if (g->other_version)
		buf_printf(out, ", first %s, then %s", run_text(g->run, "tls"), g->other_tls);
	buf_u8(out, '\n');
}

static void put_summary(struct buf *out, const struct summary *s)
{
	buf_printf(out, "%zu", s->totals.runs);
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (s->totals.verdicts[v])
			buf_printf(out, " %s %zu", verdict_word((enum verdict)v), s->totals.verdicts[v]);
	if (s->totals.about_host)
		buf_printf(out, " host %zu", s->totals.about_host);
	buf_u8(out, '\n');
	for (size_t i = 0; i < s->ngroups; i++)
		put_group(out, &s->groups[i]);
	for (size_t i = 0; i < s->nreaders; i++)
		buf_printf(out, "%s written %zu practised %zu\n", s->readers[i].implementation, s->readers[i].written, s->readers[i].practised);
}

static const struct { const char *name, *runs, *want; } rows[] = {
	{ "no runs", "", "0\n" },
	{ "one that holds", "a t/x client 1.2 memory pass", "1 pass 1\n" },
	{ "each verdict is counted",
	  "a t/x client 1.2 memory pass\na t/y client 1.2 memory warn\na t/z client 1.2 memory unsupported\na t/z client 1.3 memory pass",
	  "4 pass 2 warn 1 unsupported 1\n" },
	{ "those about the host apart", "a t/x client 1.2 memory pass host\na t/y client 1.2 memory pass", "2 pass 2 host 1\n" },
	{ "one deviation, the variants it holds in",
	  "a t/x client 1.3 memory fail +r:3:o:fail\na t/x server 1.3 memory fail +r:3:o:fail",
	  "2 fail 2\na t/x fail +r:3:o in client|server 1.3 memory\n" },
	{ "two in one run", "a t/x client 1.3 memory fail +r:3:o:fail +q:4:o:warn",
	  "1 fail 1\na t/x fail +r:3:o in client 1.3 memory\na t/x warn +q:4:o in client 1.3 memory\n" },
	{ "something else observed is another", "a t/x client 1.3 memory fail +r:3:o:fail\na t/x server 1.3 memory fail +r:3:p:fail",
	  "2 fail 2\na t/x fail +r:3:o in client 1.3 memory\na t/x fail +r:3:p in server 1.3 memory\n" },
	{ "so is another line", "a t/x client 1.3 memory fail +r:3:o:fail\na t/x server 1.3 memory fail +r:4:o:fail",
	  "2 fail 2\na t/x fail +r:3:o in client 1.3 memory\na t/x fail +r:4:o in server 1.3 memory\n" },
	{ "another weight", "a t/x client 1.3 memory fail +r:3:o:fail\na t/x client 1.2 memory warn +r:3:o:warn",
	  "2 warn 1 fail 1\na t/x fail +r:3:o in client 1.3 memory\na t/x warn +r:3:o in client 1.2 memory\n" },
	{ "what is known in one variant is not in the other", "a t/x client 1.3 memory fail *r:3:o:fail\na t/x server 1.3 memory fail +r:3:o:fail",
	  "2 fail 2\na t/x fail *r:3:o in client 1.3 memory\na t/x fail +r:3:o in server 1.3 memory\n" },
	{ "another case", "a t/x client 1.3 memory fail +r:3:o:fail\na t/y client 1.3 memory fail +r:3:o:fail",
	  "2 fail 2\na t/x fail +r:3:o in client 1.3 memory\na t/y fail +r:3:o in client 1.3 memory\n" },
	{ "another implementation", "a t/x client 1.3 memory fail +r:3:o:fail\nb t/x client 1.3 memory fail +r:3:o:fail",
	  "2 fail 2\na t/x fail +r:3:o in client 1.3 memory\nb t/x fail +r:3:o in client 1.3 memory\n" },
	{ "the first again, after others",
	  "a t/x client 1.3 memory fail +r:3:o:fail +q:4:o:fail\na t/x server 1.3 memory fail +q:4:o:fail +r:3:o:fail",
	  "2 fail 2\na t/x fail +r:3:o in client|server 1.3 memory\na t/x fail +q:4:o in client|server 1.3 memory\n" },
	{ "in both versions", "a t/x client 1.2 memory fail +r:3:o:fail\na t/x client 1.3 memory fail +r:3:o:fail\na t/x server 1.3 memory fail +r:3:o:fail",
	  "3 fail 3\na t/x fail +r:3:o in client 1.2|1.3 memory, server 1.3 memory, first 1.2, then 1.3\n" },
	{ "the other way round", "a t/x client 1.3 memory fail +r:3:o:fail\na t/x client 1.2 memory fail +r:3:o:fail",
	  "2 fail 2\na t/x fail +r:3:o in client 1.2|1.3 memory, first 1.3, then 1.2\n" },
	{ "a precondition", "a t/x client 1.3 memory inconclusive +:2:o:inconclusive",
	  "1 inconclusive 1\na t/x inconclusive +:2:o in client 1.3 memory\n" },
	{ "a MAY is noted", "a t/x client 1.3 memory pass +r:3:o:noted", "1 pass 1\na t/x noted +r:3:o in client 1.3 memory\n" },
	{ "broken, by its reason", "a t/x client 1.3 memory broken because tcpdump\na t/x server 1.3 memory broken because tcpdump",
	  "2 broken 2\na t/x broken because tcpdump in client|server 1.3 memory\n" },
	{ "for another reason", "a t/x client 1.3 memory broken because tcpdump\na t/x server 1.3 memory broken because port",
	  "2 broken 2\na t/x broken because tcpdump in client 1.3 memory\na t/x broken because port in server 1.3 memory\n" },
	{ "how TLS 1.2 is read",
	  "a t/x client 1.2 memory pass reads as-written\na t/x client 1.3 memory pass\na t/y client 1.2 memory pass reads as-practised\n"
	  "a t/z client 1.2 memory pass reads as-practised\nb t/x client 1.2 memory pass reads as-written\nc t/x client 1.3 memory pass",
	  "6 pass 6\na written 1 practised 2\nb written 1 practised 0\n" },
};

static void take(struct summary *s, const char *runs)
{
	struct buf copy = { 0 };
	char *rest, *line;

	buf_printf(&copy, "%s", runs);
	buf_str(&copy);
	rest = (char *)copy.p;
	while ((line = strsep(&rest, "\n")))
		if (*line) {
			json_t *run = run_of(line);

			summary_take(s, run);
			json_decref(run);               /* what it needs of it, it keeps */
		}
	buf_free(&copy);
}

START_TEST(summary_row)
{
	struct summary s = { 0 };
	struct buf out = { 0 };

	take(&s, rows[_i].runs);
	put_summary(&out, &s);
	ck_assert_msg(strcmp(buf_str(&out), rows[_i].want) == 0, "%s:\n%s\nwant\n%s", rows[_i].name, buf_str(&out), rows[_i].want);
	summary_free(&s);
	summary_free(&s);
	buf_free(&out);
}
END_TEST

/* A run that deviates in more ways than anybody reads: none is lost, and each is there once. */
START_TEST(many_deviations)
{
	enum { MANY = 150 };
	struct summary s = { 0 };
	struct buf line = { 0 };

	for (int r = 0; r < 2; r++) {
		buf_printf(&line, "%sa t/x %s 1.3 memory fail", r ? "\n" : "", r ? "server" : "client");
		for (int i = 0; i < MANY; i++)
			buf_printf(&line, " +r:%d:o:fail", i + 1);
	}
	take(&s, buf_str(&line));
	ck_assert_uint_eq(s.ngroups, MANY);
	for (size_t i = 0; i < s.ngroups; i++)
		ck_assert_uint_eq(s.groups[i].in.n, 2);
	summary_free(&s);
	buf_free(&line);
}
END_TEST

ROWS_MAIN("summary", { summary_row, countof(rows) }, { many_deviations, 1 })
