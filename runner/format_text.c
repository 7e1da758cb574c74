/* format_text: a session for people. Each deviation once; each answers what the rule is, what happened instead, why it matters, where to
 * see it, and how to run only this again. What it prints comes from a summary, whose texts are harmless. */
#include <stdlib.h>
#include <string.h>

#include "peer/plain.h"
#include "runner/format.h"

enum { COLUMNS = 100 };

static const char indent[] = "            ";

static const char *paint(const struct formatting *g, enum verdict v)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m", "\033[35m", "\033[2m", "\033[1;31m" };

	return g->about.color ? colors[v] : "";
}

static const char *paint_off(const struct formatting *g)
{
	return g->about.color ? "\033[0m" : "";
}

/* --- while it runs ----------------------------------------------------------------------------------------------------- */

static void put_run(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out)
{
	struct buf name = { 0 };

	(void)text;
	(void)len;
	if (!g->about.verbose)
		return;
	run_name(&name, run);
	buf_printf(out, "%-12s ", verdict_word(run_verdict(run)));
	plain_text(out, buf_bytes(&name));
	buf_printf(out, " (%.1f ms)\n", json_real_value(json_object_get(run, "ms")));
	buf_free(&name);
}

/* --- a deviation ------------------------------------------------------------------------------------------------------- */

/* "  key       value", wrapped between words. */
static void put_wrapped(struct buf *out, const char *key, const char *text)
{
	size_t column = sizeof(indent) - 1, n;

	buf_printf(out, "  %-9s ", key);
	for (; *text; text += n + strspn(text + n, " ")) {
		bool first = column == sizeof(indent) - 1;

		n = strcspn(text, " ");
		if (!first && column + 1 + n > COLUMNS) {
			buf_printf(out, "\n%s", indent);
			column = sizeof(indent) - 1;
			first = true;
		}
		buf_printf(out, "%s%.*s", first ? "" : " ", (int)n, text);
		column += n + !first;
	}
	buf_printf(out, "\n");
}

/* Level and clause, for each version that the finding holds in if they differ. */
static void put_levels(struct buf *out, const struct group *g)
{
	const json_t *first = g->finding, *other = g->other_version;
	bool differ = other && (strcmp(run_text(first, "clause"), run_text(other, "clause")) != 0 ||
	                        strcmp(run_text(first, "level"), run_text(other, "level")) != 0);

	for (const json_t *fd = first; fd; fd = fd == first && differ ? other : NULL)
		buf_printf(out, "%s%s%s%s%s%s, %s\n", indent, differ ? (fd == first ? run_text(g->run, "tls") : g->other_tls) : "",
		           differ ? ": " : "",
		           run_text(fd, "level"), run_flag(fd, "disputed") ? ", disputed" : "",
		           run_flag(fd, "promised") ? ", promised by the manual" : "",
		           run_text(fd, "clause"));
}

static void put_finding(struct formatting *g, const struct group *gr, struct buf *out)
{
	const json_t *fd = gr->finding;
	const char *req = run_text(fd, "requirement");

	buf_printf(out, "%s%s%s  %s  %s  ", paint(g, gr->weight), gr->noted ? "noted" : verdict_word(gr->weight), paint_off(g),
	           run_text(gr->run, "implementation"), run_text(gr->run, "case"));
	buf_printf(out, req[0] ? "[%s]\n" : "a precondition did not hold\n", req);
	put_wrapped(out, "rule", req[0] ? run_text(fd, "says") :
	            "none of its own: the case builds on this step, and its subject was not reached");
	if (req[0])
		put_levels(out, gr);
	buf_printf(out, "  allowed   %s\n  observed  %s\n", run_text(fd, "allowed"), run_text(fd, "observed"));
	if (run_text(fd, "native")[0])
		buf_printf(out, "  native    %s\n", run_text(fd, "native"));
}

static void put_broken(struct formatting *g, const struct group *gr, struct buf *out)
{
	buf_printf(out, "%sbroken%s  %s  %s\n  reason    %s\n", paint(g, VERDICT_BROKEN), paint_off(g), run_text(gr->run, "implementation"),
	           run_text(gr->run, "case"), run_text(gr->run, "reason"));
}

/* The case's line, and the files of the first run that are there. */
static void put_places(struct formatting *g, const struct group *gr, struct buf *out)
{
	static const struct { const char *key, *suffix; } files[] = { { "trace", ".trace" }, { "capture", ".pcapng" },
	                                                              { "ladder", ".svg" } };

	buf_printf(out, "  case      %s/%s.case", g->about.cases, run_text(gr->run, "case"));
	if (gr->finding)
		buf_printf(out, ":%lld", (long long)json_integer_value(json_object_get(gr->finding, "line")));
	buf_printf(out, "\n");
	for (size_t i = 0; i < countof(files); i++) {
		struct buf path = { 0 };

		if (format_file(g, gr->run, files[i].suffix, &path))
			buf_printf(out, "  %-9s %s\n", files[i].key, buf_str(&path));
		buf_free(&path);
	}
}

/* What people noted of a deviation that an expected trace holds. */
static void put_known(const json_t *finding, struct buf *out)
{
	const char *reason = run_text(finding, "known_reason"), *link = run_text(finding, "known_link");

	put_wrapped(out, "known", reason[0] ? reason : "(no reason is given yet)");
	if (link[0])
		buf_printf(out, "%s%s\n", indent, link);
}

static void put_again(struct formatting *g, const json_t *run, struct buf *out)
{
	static const char play[] = "closedrill run";
	struct buf again = { 0 };

	run_again(&again, run);
	if (g->about.command)
		buf_printf(out, "  again     closedrill %s%s", g->about.command, buf_str(&again) + sizeof(play) - 1);
	else
		buf_printf(out, "  again     %s", buf_str(&again));
	buf_printf(out, " -o DIR --keep all\n\n");
	buf_free(&again);
}

static void put_group(struct formatting *g, const struct group *gr, struct buf *out)
{
	if (gr->finding)
		put_finding(g, gr, out);
	else
		put_broken(g, gr, out);
	buf_printf(out, "  in        ");
	variant_list_print(out, &gr->in, indent);
	buf_printf(out, "\n");
	if (gr->known)
		put_known(gr->finding, out);
	if (run_text(gr->run, "why")[0])
		put_wrapped(out, "why", run_text(gr->run, "why"));
	put_places(g, gr, out);
	put_again(g, gr->run, out);
}

static void put_groups(struct formatting *g, const struct summary *s, struct buf *out)
{
	/* The weightiest last: that is what stands above the prompt. */
	static const enum verdict order[] = { VERDICT_WARN, VERDICT_INCONCLUSIVE, VERDICT_FAIL, VERDICT_BROKEN };

	for (size_t i = 0; g->about.verbose && i < s->ngroups; i++)
		if (s->groups[i].noted)
			put_group(g, &s->groups[i], out);
	for (size_t k = 0; k < countof(order); k++)
		for (size_t i = 0; i < s->ngroups; i++)
			if (s->groups[i].weight == order[k] && !s->groups[i].noted && (g->about.verbose || !s->groups[i].known))
				put_group(g, &s->groups[i], out);
}

/* --- all of it --------------------------------------------------------------------------------------------------------- */

static void put_readings(const struct summary *s, struct buf *out)
{
	for (size_t i = 0; i < s->nreaders; i++) {
		const struct reader *rd = &s->readers[i];
		size_t all = rd->written + rd->practised;
		bool practised = rd->practised * 2 > all;

		buf_printf(out, "%s reads TLS 1.2 %s: it %s (%zu of %zu runs that tell)\n", rd->implementation,
		           practised ? "as everyone does since" : "as RFC 5246 7.2.1 is written",
		           practised ? "leaves the answer to close_notify to the application, and may write on" :
		                       "answers close_notify at once and writes no more",
		           practised ? rd->practised : rd->written, all);
	}
}

static void put_totals(struct formatting *g, const struct format_last *last, struct buf *out)
{
	const struct totals *t = &last->summary->totals;
	const char *sep = ": ";

	buf_printf(out, "%zu runs in %.1f s", t->runs, (double)t->took_us / 1e6);
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (t->verdicts[v]) {
			buf_printf(out, "%s%s%zu %s%s", sep, paint(g, (enum verdict)v), t->verdicts[v], verdict_word((enum verdict)v),
			           paint_off(g));
			sep = ", ";
		}
	if (t->about_host)
		buf_printf(out, " (%zu of them about this host's TCP)", t->about_host);
	buf_printf(out, "\n");
	if (last->partial)
		buf_printf(out, "PARTIAL: %zu of %zu runs were done\n", t->runs, g->about.planned);
}

static void end(struct formatting *g, const struct format_last *last, struct buf *out)
{
	if (!g->about.quiet) {
		put_groups(g, last->summary, out);
		changes_print(&last->summary->changes, out, g->about.verbose, g->about.color);
		put_readings(last->summary, out);
	}
	put_totals(g, last, out);
	changes_totals(&last->summary->changes, out);
}

const struct format format_text = { "text", "for people: each deviation once, then totals", NULL, put_run, end };
