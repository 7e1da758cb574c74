/* format_json: results.json: a head, a run on each line, and what they come to. README.md and results.schema.json tell the fields. */
#include <stdlib.h>
#include <sys/resource.h>

#include "runner/format.h"

static void put_json(struct buf *out, json_t *o)
{
	char *s = json_dumps(o, JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);

	buf_printf(out, "%s", s ? s : "null");
	free(s);
	json_decref(o);
}

static void begin(struct formatting *g, struct buf *out)
{
	const struct shard *s = &g->about.shard;

	buf_printf(out, "{\"closedrill\": \"%s\", \"planned\": %zu, ", CLOSEDRILL_VERSION, g->about.planned);
	if (s->total)
		buf_printf(out, "\"shard\": {\"index\": %zu, \"total\": %zu, \"runs\": %zu}, ", s->index, s->total, s->runs);
	buf_printf(out, "\"runs\": [");
}

static void put_run(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out)
{
	(void)run;
	buf_printf(out, g->runs > 1 ? ",\n" : "\n");
	buf_add(out, text, len);
}

static long peak_kib(void)
{
	struct rusage u;

	return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss : 0;
}

static void end(struct formatting *g, const struct format_last *last, struct buf *out)
{
	const struct totals *t = &last->summary->totals;
	json_t *o = json_object();

	(void)g;
	json_object_set_new(o, "runs", json_integer((json_int_t)t->runs));
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_object_set_new(o, verdict_word((enum verdict)v), json_integer((json_int_t)t->verdicts[v]));
	json_object_set_new(o, "about_host", json_integer((json_int_t)t->about_host));
	json_object_set_new(o, "seconds", json_real((double)t->took_us / 1e6));
	json_object_set_new(o, "run_seconds", json_real((double)t->runs_us / 1e6));
	json_object_set_new(o, "runner_rss_kib", json_integer(peak_kib()));
	buf_printf(out, "\n],\n\"partial\": %s,\n\"totals\": ", last->partial ? "true" : "false");
	put_json(out, o);
	buf_printf(out, "}\n");
}

const struct format format_json = { "json", "results.json", begin, put_run, end };
