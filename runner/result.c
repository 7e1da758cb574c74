/* result: one run's outcome as a JSON object. */
#include "runner/result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/lex.h"
#include "runner/variants.h"

/* The words of an adapter or a case may be no UTF-8; then they are shown byte for byte. */
static json_t *text_json(struct bytes text)
{
	json_t *v = json_stringn((const char *)text.p, text.n);
	struct buf b = { 0 };

	if (v)
		return v;
	buf_quote(&b, text);
	v = json_stringn((const char *)b.p, b.n);
	buf_free(&b);
	return v;
}

static json_t *text_or_null(const char *s)
{
	return s ? text_json(bytes_of(s)) : json_null();
}

/* That it is known, and what people noted of it. */
static void put_known(json_t *o, const struct comparison *c, const struct finding *f)
{
	const struct deviation *known = c ? comparison_known(c, f) : NULL;

	json_object_set_new(o, "known", json_boolean(known));
	if (known && known->reason[0])
		json_object_set_new(o, "known_reason", text_json(bytes_of(known->reason)));
	if (known && known->link)
		json_object_set_new(o, "known_link", text_json(bytes_of(known->link)));
}

static json_t *finding_json(const struct finding *f, const struct comparison *c, unsigned variant)
{
	int v = variant & FOR_TLS13 ? IN_TLS13 : IN_TLS12;
	json_t *o = json_object();

	json_object_set_new(o, "requirement", text_or_null(f->req ? f->req->name : NULL));
	json_object_set_new(o, "level", text_or_null(f->req ? level_word(f->req->level[v]) : NULL));
	json_object_set_new(o, "disputed", json_boolean(f->req && f->req->disputed[v]));
	json_object_set_new(o, "clause", text_or_null(f->req ? f->req->clause[v] : NULL));
	json_object_set_new(o, "promised", json_boolean(f->promised));
	json_object_set_new(o, "says", text_or_null(f->req ? f->req->says : NULL));
	json_object_set_new(o, "weight", json_string(f->req && f->weight == VERDICT_PASS ? "noted" : verdict_word(f->weight)));
	json_object_set_new(o, "line", json_integer(f->at.line));
	json_object_set_new(o, "allowed", text_or_null(f->allowed));
	json_object_set_new(o, "observed", text_or_null(f->observed));
	json_object_set_new(o, "native", text_or_null(f->native));
	put_known(o, c, f);
	return o;
}

/* Why the case is there: the first paragraph of its prose, in one line. */
static json_t *why_json(const struct script *s)
{
	struct lines in = lines_of(s->name, (const char *)s->prose.p, s->prose.n);
	struct buf b = { 0 };
	struct line ln;
	json_t *v;

	while (lines_next(&in, &ln) && ln.text.n) {
		buf_printf(&b, "%s", b.n ? " " : "");
		buf_add_bytes(&b, ln.text);
	}
	v = text_json(buf_bytes(&b));
	buf_free(&b);
	return v;
}

static void put_compared(json_t *o, const struct comparison *c)
{
	json_object_set_new(o, "expected", text_or_null(c ? compared_word(c->how) : NULL));
	json_object_set_new(o, "expected_of", text_or_null(c ? c->of : NULL));
	if (c && c->diff.n)
		json_object_set_new(o, "diff", text_json(buf_bytes(&c->diff)));
}

/* Whole ones apart, so that what is read and written again stays the same text. */
static double ms_of(int64_t us)
{
	int64_t whole = us / 1000;

	return (double)whole + (double)(us % 1000) / 1000;
}

json_t *result_json(const struct run_name *r, const struct judgement *j, const struct comparison *c, int64_t took_us)
{
	const struct script *s = r->script;
	json_t *o = json_object(), *findings = json_array();

	assert(o && findings);
	json_object_set_new(o, "implementation", text_or_null(r->implementation));
	json_object_set_new(o, "library", text_or_null(r->library));
	if (r->command && strcmp(r->command, r->implementation) != 0)
		json_object_set_new(o, "command", text_or_null(r->command));
	if (r->root)
		json_object_set_new(o, "root", text_or_null(r->root));
	json_object_set_new(o, "case", json_string(s->name));
	json_object_set_new(o, "role", json_string(variant_role(r->variant)));
	json_object_set_new(o, "tls", json_string(variant_tls(r->variant)));
	json_object_set_new(o, "io", json_string(variant_io(r->variant)));
	json_object_set_new(o, "with", s->with_name.n ? text_json(s->with[r->with]) : json_null());
	if (s->with_name.n)
		json_object_set_new(o, "with_name", text_json(s->with_name));
	json_object_set_new(o, "about", json_string(s->about_host ? "host" : "library"));
	json_object_set_new(o, "verdict", json_string(verdict_word(j->verdict)));
	json_object_set_new(o, "ms", json_real(ms_of(took_us)));
	if (j->reading != READING_NONE)
		json_object_set_new(o, "reading", json_string(j->reading == READING_AS_WRITTEN ? "as-written" : "as-practised"));
	put_compared(o, c);
	for (size_t i = 0; i < j->n; i++)
		json_array_append_new(findings, finding_json(&j->findings[i], c, r->variant));
	json_object_set_new(o, "findings", findings);
	if (j->n)
		json_object_set_new(o, "why", why_json(s));
	if (j->reason)
		json_object_set_new(o, "reason", text_or_null(j->reason));
	return o;
}

char *result_text(const json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	struct buf out = { 0 };

	assert(text);
	/* To jansson DEL is a character like others. It stands in strings alone. */
	for (const char *p = text; *p; p++)
		if (*p == 0x7f)
			buf_printf(&out, "\\u007f");
		else
			buf_u8(&out, (unsigned char)*p);
	buf_str(&out);
	free(text);
	return (char *)out.p;
}

void run_file_name(struct buf *out, const struct run_name *r)
{
	const struct script *s = r->script;

	variant_stem(out, r->variant, s->with_name, s->with_name.n ? s->with[r->with] : s->with_name);
}
