/* run_json: what a run's object in results.json tells. */
#include "runner/run_json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/plain.h"
#include "runner/variants.h"

const char *run_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

bool run_flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

unsigned run_bits(const json_t *run)
{
	return variant_of_words(run_text(run, "role"), run_text(run, "tls"), run_text(run, "io"));
}

/* --- is it one? -------------------------------------------------------------------------------------------------------- */

static bool is_verdict(const char *word)
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (strcmp(word, verdict_word((enum verdict)v)) == 0)
			return true;
	return false;
}

bool run_check(const json_t *run, struct fault *f)
{
	static const char *const texts[] = { "implementation", "case", "role", "tls", "io", "about", "verdict" };
	static const struct where nowhere = { 0 };
	const json_t *findings = json_object_get(run, "findings"), *finding;
	size_t i;

	for (i = 0; i < countof(texts); i++)
		if (!run_text(run, texts[i])[0])
			return fault_set(f, &nowhere, "a run without \"%s\"", texts[i]);
	if (!run_bits(run))
		return fault_set(f, &nowhere, "a run whose \"role\", \"tls\" and \"io\" (%.20s %.20s %.20s) are none that there are",
		                 run_text(run, "role"),
		                 run_text(run, "tls"), run_text(run, "io"));
	if (!is_verdict(run_text(run, "verdict")))
		return fault_set(f, &nowhere, "a run with the verdict \"%.40s\", which there is not", run_text(run, "verdict"));
	if (!json_is_array(findings))
		return fault_set(f, &nowhere, "a run without \"findings\"");
	json_array_foreach((json_t *)findings, i, finding)
		if (!run_text(finding, "weight")[0] || !json_is_integer(json_object_get(finding, "line")))
			return fault_set(f, &nowhere, "a finding without \"weight\" or \"line\"");
	return true;
}

/* --- what it says ------------------------------------------------------------------------------------------------------ */

enum verdict run_verdict(const json_t *run)
{
	const char *word = run_text(run, "verdict");
	int v = 0;

	while (v < VERDICT_BROKEN && strcmp(word, verdict_word((enum verdict)v)) != 0)
		v++;
	return (enum verdict)v;
}

/* Of the findings that make it fail or inconclusive: does an expected trace hold all of them? */
static bool all_known(const json_t *run)
{
	const json_t *finding;
	bool all = true, any = false;
	size_t i;

	json_array_foreach(json_object_get(run, "findings"), i, finding)
		if (strcmp(run_text(finding, "weight"), "fail") == 0 || strcmp(run_text(finding, "weight"), "inconclusive") == 0) {
			any = true;
			all &= run_flag(finding, "known");
		}
	return any && all;
}

enum standing run_standing(const json_t *run)
{
	static const enum standing by_verdict[VERDICT_COUNT] = {
		[VERDICT_PASS] = STANDING_GOOD, [VERDICT_WARN] = STANDING_GOOD, [VERDICT_FAIL] = STANDING_DEVIATES,
		[VERDICT_INCONCLUSIVE] = STANDING_ERROR, [VERDICT_UNSUPPORTED] = STANDING_SKIPPED, [VERDICT_BROKEN] = STANDING_ERROR,
	};
	const char *expected = run_text(run, "expected");
	enum verdict v = run_verdict(run);
	enum standing st = by_verdict[v];

	if (v == VERDICT_BROKEN)
		return st;
	if (strcmp(expected, "changed") == 0)
		return STANDING_CHANGED;
	return (st == STANDING_DEVIATES || st == STANDING_ERROR) && (strcmp(expected, "same") == 0 || all_known(run)) ? STANDING_KNOWN : st;
}

void run_variant(struct buf *out, const json_t *run)
{
	buf_printf(out, "%s %s %s", run_text(run, "role"), run_text(run, "tls"), run_text(run, "io"));
	if (run_text(run, "with_name")[0])
		buf_printf(out, " %s=%s", run_text(run, "with_name"), run_text(run, "with"));
}

void run_name(struct buf *out, const json_t *run)
{
	buf_printf(out, "%s %s ", run_text(run, "implementation"), run_text(run, "case"));
	run_variant(out, run);
}

char *run_key(const json_t *run)
{
	static const char *const parts[] = { "implementation", "case", "role", "tls", "io", "with" };
	struct buf b = { 0 };

	for (size_t i = 0; i < countof(parts); i++)
		buf_printf(&b, "%s\n", run_text(run, parts[i]));
	return buf_str(&b), (char *)b.p;
}

bool run_stem(struct buf *out, const json_t *run)
{
	struct buf own = { 0 };
	bool inside;

	buf_printf(&own, "%s/%s/", run_text(run, "implementation"), run_text(run, "case"));
	variant_stem(&own, run_bits(run), bytes_of(run_text(run, "with_name")), bytes_of(run_text(run, "with")));
	inside = buf_str(&own)[0] != '/' && strncmp(buf_str(&own), "../", 3) != 0 && !strstr(buf_str(&own), "/../");
	if (inside)
		buf_add_bytes(out, buf_bytes(&own));
	buf_free(&own);
	return inside;
}

/* A word for the shell: as it is if nothing in it means something there. */
static void put_word(struct buf *out, const char *word)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-";

	if (*word && strspn(word, bare) == strlen(word)) {
		buf_printf(out, "%s", word);
		return;
	}
	buf_u8(out, '\'');
	for (; *word; word++)
		if (*word == '\'')
			buf_printf(out, "'\\''");
		else
			buf_u8(out, (unsigned char)*word);
	buf_u8(out, '\'');
}

void again_text(struct buf *out, const char *root, const char *command, const char *kase, const char *role, const char *tls, const char *io)
{
	const char *const options[][2] = { { "-c", kase }, { "--role", role }, { "--tls", tls }, { "--io", io } };

	buf_printf(out, "closedrill run ");
	if (root[0]) {
		buf_printf(out, "--root ");
		put_word(out, root);
		buf_u8(out, ' ');
	}
	put_word(out, command);
	for (size_t i = 0; i < countof(options); i++) {
		buf_printf(out, " %s ", options[i][0]);
		put_word(out, options[i][1]);
	}
}

void run_again(struct buf *out, const json_t *run)
{
	again_text(out, run_text(run, "root"), run_text(run, "command")[0] ? run_text(run, "command") : run_text(run, "implementation"),
	           run_text(run, "case"),
	           run_text(run, "role"), run_text(run, "tls"), run_text(run, "io"));
}

/* --- harmless ---------------------------------------------------------------------------------------------------------- */

static json_t *plain_of(const json_t *v, bool lines);

static json_t *plain_string(const char *text, bool lines)
{
	struct buf b = { 0 };
	json_t *v;

	for (size_t n; *text; text += n) {
		n = lines ? strcspn(text, "\n") : strlen(text);
		plain_text(&b, (struct bytes){ (const uint8_t *)text, n });
		if (text[n])
			buf_u8(&b, (unsigned char)text[n++]);
	}
	v = json_stringn((const char *)b.p, b.n);
	buf_free(&b);
	return v;
}

static json_t *plain_object(const json_t *o)
{
	json_t *copy = json_object(), *v;
	const char *key;

	json_object_foreach((json_t *)o, key, v)
		json_object_set_new(copy, key, plain_of(v, strcmp(key, "diff") == 0));
	return copy;
}

static json_t *plain_of(const json_t *v, bool lines)
{
	json_t *copy, *e;
	size_t i;

	if (json_is_string(v))
		return plain_string(json_string_value(v), lines);
	if (json_is_object(v))
		return plain_object(v);
	if (!json_is_array(v))
		return json_incref((json_t *)v);
	copy = json_array();
	json_array_foreach((json_t *)v, i, e)
		json_array_append_new(copy, plain_of(e, lines));
	return copy;
}

json_t *run_plain(const json_t *run)
{
	return plain_of(run, false);
}
