/* format_github: what people read, and a workflow command for each deviation, which GitHub shows at the line of the case. */
#include <string.h>
#include <sys/random.h>

#include "runner/format.h"

/* A value of a workflow command: what would end it stands in percent. Values of properties end at a colon and a comma as well. */
static void put_value(struct buf *out, const char *text, const char *special)
{
	for (; *text; text++)
		if (strchr(special, *text))
			buf_printf(out, "%%%02X", (unsigned char)*text);
		else
			buf_u8(out, (unsigned char)*text);
}

static const char in_message[] = "%\r\n", in_property[] = "%\r\n:,";

/* Paths of annotations are those of the repository, wherever the cases lie here. */
static void put_place(struct buf *out, const struct group *g)
{
	buf_printf(out, "file=cases/");
	put_value(out, run_text(g->run, "case"), in_property);
	buf_printf(out, ".case");
	if (g->finding)
		buf_printf(out, ",line=%lld", (long long)json_integer_value(json_object_get(g->finding, "line")));
}

static void put_title(struct buf *out, const struct group *g)
{
	buf_printf(out, ",title=");
	put_value(out, run_text(g->run, "implementation"), in_property);
	buf_u8(out, ' ');
	put_value(out, run_text(g->run, "case"), in_property);
	if (g->finding && run_text(g->finding, "requirement")[0]) {
		buf_printf(out, " [");
		put_value(out, run_text(g->finding, "requirement"), in_property);
		buf_u8(out, ']');
	}
}

static void put_message(struct buf *out, const struct group *g)
{
	struct buf message = { 0 };

	if (g->finding)
		format_finding(&message, g->finding);
	else
		buf_printf(&message, "%s\n", run_text(g->run, "reason"));
	buf_printf(&message, "in        ");
	variant_list_print(&message, &g->in, "          ");
	if (run_text(g->run, "why")[0])
		buf_printf(&message, "\nwhy       %s", run_text(g->run, "why"));
	buf_printf(&message, "\nagain     ");
	run_again(&message, g->run);
	put_value(out, buf_str(&message), in_message);
	buf_free(&message);
}

static const char *command_of(const struct group *g)
{
	if (run_standing(g->run) == STANDING_KNOWN && run_flag(g->finding, "known"))
		return "notice";
	return g->noted ? "notice" : g->weight == VERDICT_WARN ? "warning" : "error";
}

static void put_annotation(struct buf *out, const struct group *g)
{
	buf_printf(out, "::%s ", command_of(g));
	put_place(out, g);
	put_title(out, g);
	buf_printf(out, "::");
	put_message(out, g);
	buf_printf(out, "\n");
}

/* What is printed for people may hold what an adapter said. GitHub takes commands from anywhere in a log, until it is told to stop, and a
 * word that nobody could guess makes it listen again. */
static void begin(struct formatting *g, struct buf *out)
{
	unsigned char random[16];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return;         /* then there is no word, and no text for people: see `put_run` and `end` */
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(g->stop_word + 2 * i, 3, "%02x", random[i]);
	buf_printf(out, "::stop-commands::%s\n", g->stop_word);
}

static void put_run(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out)
{
	if (g->stop_word[0])
		format_text.run(g, run, text, len, out);
}

static void end(struct formatting *g, const struct format_last *last, struct buf *out)
{
	const struct summary *s = last->summary;

	if (g->stop_word[0]) {
		format_text.end(g, last, out);
		buf_printf(out, "::%s::\n", g->stop_word);
	}
	for (size_t i = 0; i < s->ngroups; i++)
		if (!s->groups[i].noted || g->about.verbose)
			put_annotation(out, &s->groups[i]);
	if (last->partial)
		buf_printf(out, "::error title=closedrill::The session is not complete: %zu of %zu runs were done\n", s->totals.runs,
		           g->about.planned);
}

const struct format format_github = { "github", "for people, then an annotation of GitHub for each deviation", begin, put_run, end };
