/* format_tap: the Test Anything Protocol, version 14. A known deviation is a TODO, an unsupported run a SKIP; what is told of a finding
 * stands in the YAML block below its test point. */
#include <string.h>

#include "peer/plain.h"
#include "runner/format.h"

/* A description: `#` would begin a directive, and `\` escapes. */
static void put_escaped(struct buf *out, const char *text)
{
	struct buf plain = { 0 };

	plain_text(&plain, bytes_of(text));
	for (size_t i = 0; i < plain.n; i++) {
		if (plain.p[i] == '#' || plain.p[i] == '\\')
			buf_u8(out, '\\');
		buf_u8(out, plain.p[i]);
	}
	buf_free(&plain);
}

static void begin(struct formatting *g, struct buf *out)
{
	(void)g;
	buf_printf(out, "TAP version 14\n");
}

/* A YAML block scalar: whatever the lines hold, they are text. */
static void put_block(struct buf *out, const char *key, const char *text)
{
	buf_printf(out, "  %s: |\n", key);
	while (*text) {
		size_t n = strcspn(text, "\n");

		buf_printf(out, "    ");
		plain_text(out, (struct bytes){ (const uint8_t *)text, n });
		buf_printf(out, "\n");
		text += n + (text[n] == '\n');
	}
}

static void put_diagnostics(struct formatting *g, const json_t *run, struct buf *out)
{
	struct buf text = { 0 }, trace = { 0 };
	json_t *finding;
	size_t i;

	buf_printf(out, "  ---\n  verdict: %s\n", run_text(run, "verdict"));
	if (run_text(run, "reason")[0])
		put_block(out, "reason", run_text(run, "reason"));
	json_array_foreach(json_object_get(run, "findings"), i, finding)
		format_finding(&text, finding);
	if (text.n)
		put_block(out, "findings", buf_str(&text));
	if (run_text(run, "diff")[0])
		put_block(out, "changed", run_text(run, "diff"));
	if (run_standing(run) != STANDING_GOOD && format_trace(g, run, &trace))
		put_block(out, "trace", buf_str(&trace));
	text.n = 0;
	run_again(&text, run);
	put_block(out, "again", buf_str(&text));
	buf_printf(out, "  ...\n");
	buf_free(&text);
	buf_free(&trace);
}

static void put_run(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out)
{
	static const struct { const char *result, *directive; } rows[STANDING_COUNT] = {
		[STANDING_GOOD] = { "ok", NULL }, [STANDING_SKIPPED] = { "ok", "SKIP" }, [STANDING_KNOWN] = { "not ok", "TODO" },
		[STANDING_CHANGED] = { "not ok", NULL }, [STANDING_DEVIATES] = { "not ok", NULL }, [STANDING_ERROR] = { "not ok", NULL },
	};
	enum standing st = run_standing(run);
	struct buf name = { 0 };

	(void)text;
	(void)len;
	run_name(&name, run);
	buf_printf(out, "%s %zu - ", rows[st].result, g->runs);
	put_escaped(out, buf_str(&name));
	buf_free(&name);
	if (rows[st].directive)
		buf_printf(out, " # %s ", rows[st].directive);
	if (st == STANDING_SKIPPED)
		put_escaped(out, run_text(run, "reason"));
	else if (st == STANDING_KNOWN)
		buf_printf(out, "a known deviation");
	buf_printf(out, "\n");
	if (st != STANDING_SKIPPED && (st != STANDING_GOOD || json_array_size(json_object_get(run, "findings"))))
		put_diagnostics(g, run, out);
}

static void end(struct formatting *g, const struct format_last *last, struct buf *out)
{
	if (last->partial)
		buf_printf(out, "Bail out! The session is not complete: %zu of %zu runs were done\n", g->runs, g->about.planned);
	else
		buf_printf(out, "1..%zu\n", g->runs);
}

const struct format format_tap = { "tap", "TAP 14: a test point for each run", begin, put_run, end };
