/* site_page: what the pages of the report share. */
#include "runner/site_page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/kept.h"
#include "runner/markup.h"
#include "runner/outfile.h"
#include "runner/run_json.h"
#include "runner/variant_list.h"
#include "runner/variants.h"

/* --- text ------------------------------------------------------------------------------------------------------------ */

void put_raw(struct page *p, const char *markup)
{
	buf_add(&p->b, markup, strlen(markup));
}

void put_text(struct page *p, const char *text)
{
	if (text)
		markup_text(&p->b, bytes_of(text));
}

void put_element(struct page *p, const char *element, const char *text)
{
	buf_printf(&p->b, "<%s>", element);
	put_text(p, text);
	buf_printf(&p->b, "</%.*s>", (int)strcspn(element, " "), element);
}

void put_count(struct page *p, size_t n, const char *one, const char *many)
{
	buf_printf(&p->b, "%zu %s", n, n == 1 ? one : many);
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

static bool is_letter_or_digit(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void put_path(struct page *p, const char *attribute, const char *path, const char *anchor)
{
	buf_printf(&p->b, " %s=\"%s", attribute, p->up);
	for (; *path; path++)
		if (is_letter_or_digit((uint8_t)*path) || strchr("-._~/", *path))
			buf_u8(&p->b, (uint8_t)*path);
		else
			buf_printf(&p->b, "%%%02X", (uint8_t)*path);
	buf_printf(&p->b, "%s%s\"", anchor ? "#" : "", anchor ? anchor : "");
}

void put_href(struct page *p, const char *path, const char *anchor)
{
	put_path(p, "href", path, anchor);
}

/* Letters, digits, '-' and dots that do not lead; all else as _XX. A name that is too long for a file system ends with its number. */
static void put_name(struct buf *out, const char *name, size_t len, size_t number)
{
	enum { NAME_MAX_LEN = 150 };
	size_t start = out->n;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)name[i];

		if (is_letter_or_digit(c) || c == '-' || (c == '.' && i))
			buf_u8(out, c);
		else
			buf_printf(out, "_%02x", c);
	}
	if (out->n - start <= NAME_MAX_LEN)
		return;
	out->n = start + NAME_MAX_LEN;
	buf_printf(out, "~%zu", number);
}

/* How many implementations of the same name come before it. */
static size_t namesakes(const struct survey *s, size_t implementation)
{
	size_t n = 0;

	for (size_t i = 0; i < implementation; i++)
		n += s->implementations[i].name == s->implementations[implementation].name;
	return n;
}

void cell_path(struct buf *out, const struct survey *s, size_t kase, size_t implementation)
{
	const char *name = s->implementations[implementation].name, *c = s->cases[kase].name, *slash = strchr(c, '/');
	size_t before = namesakes(s, implementation);

	buf_printf(out, "report/cells/");
	put_name(out, name, strlen(name), implementation);
	if (before)
		buf_printf(out, "~~%zu", before + 1);
	buf_u8(out, '/');
	put_name(out, c, (size_t)(slash - c), kase);
	buf_u8(out, '/');
	put_name(out, slash + 1, strlen(slash + 1), kase);
	buf_printf(out, ".html");
}

void rule_path(struct buf *out, const struct survey *s, uint32_t rule)
{
	buf_printf(out, "report/requirements/");
	put_name(out, s->rules[rule].name, strlen(s->rules[rule].name), rule);
	buf_printf(out, ".html");
}

void evidence_folder(struct buf *out, const struct survey *s, size_t kase, size_t implementation)
{
	buf_printf(out, "%s/%s", s->implementations[implementation].name, s->cases[kase].name);
}

void put_cell_href(struct page *p, const struct survey *s, size_t kase, size_t implementation, const char *anchor)
{
	struct buf path = { 0 };

	cell_path(&path, s, kase, implementation);
	put_href(p, buf_str(&path), anchor);
	buf_free(&path);
}

void put_rule_link(struct page *p, const struct survey *s, uint32_t rule)
{
	struct buf path = { 0 };

	rule_path(&path, s, rule);
	put_raw(p, "<a");
	put_href(p, buf_str(&path), NULL);
	put_raw(p, ">");
	put_text(p, s->rules[rule].name);
	put_raw(p, "</a>");
	buf_free(&path);
}

const char *case_title(const struct survey *s, size_t kase, struct buf *b)
{
	const struct survey_case *c = &s->cases[kase];

	b->n = 0;
	buf_add_bytes(b, c->script ? c->script->title : bytes_of(c->name));
	return buf_str(b);
}

const char *implementation_title(const struct survey *s, size_t implementation, struct buf *b)
{
	const struct survey_implementation *im = &s->implementations[implementation];
	bool alone = true;

	for (size_t i = 0; i < s->nimplementations; i++)
		alone &= i == implementation || s->implementations[i].name != im->name;
	b->n = 0;
	buf_printf(b, "%s", im->name);
	if (!alone && im->library)
		buf_printf(b, " (%s)", im->library);
	return buf_str(b);
}

/* --- the frame ------------------------------------------------------------------------------------------------------- */

static const struct { const char *path, *anchor, *name; } sections[] = {
	{ "index.html", NULL, "Summary" }, { "index.html", "matrix", "Matrix" }, { "report/requirements.html", NULL, "Requirements" },
	{ "report/agreement.html", NULL, "Agreement" }
};

/* Scripts and styles come from the report's own files alone, whatever gets into a page. */
static const char head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' file:; style-src 'self' file:; "
	"script-src 'self' file:\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n";

void page_begin(struct page *p, const char *up, const char *title, enum section in)
{
	*p = (struct page){ .up = up };
	put_raw(p, head);
	put_raw(p, "<title>");
	put_text(p, title);
	buf_printf(&p->b, " - closedrill</title>\n<link rel=\"stylesheet\" href=\"%sreport/report.css\">\n<script "
	                  "src=\"%sreport/report.js\" defer></script>\n", up, up);
	put_raw(p, "</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n<header>\n<nav aria-label=\"Report\">\n<span "
	           "class=\"name\">closedrill</span>\n");
	for (size_t i = 0; i < countof(sections); i++) {
		put_raw(p, "<a");
		put_href(p, sections[i].path, sections[i].anchor);
		buf_printf(&p->b, "%s>%s</a>\n", i == (size_t)in ? " aria-current=\"page\"" : "", sections[i].name);
	}
	put_raw(p, "</nav>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n");
}

void page_end(struct page *p, const struct site *s)
{
	put_raw(p, "</main>\n<footer><p>");
	if (s->partial)
		put_raw(p, "The session did not do all its runs. ");
	put_raw(p, "Written by closedrill ");
	put_text(p, s->version);
	put_raw(p, " from results.json.</p></footer>\n</body>\n</html>\n");
}

bool page_write(struct page *p, const struct site *s, const char *path, struct fault *f)
{
	struct buf full = { 0 };
	bool ok;

	page_end(p, s);
	buf_printf(&full, "%s/%s", s->dir, path);
	ok = outfile_put(buf_str(&full), buf_bytes(&p->b), f);
	buf_free(&full);
	buf_free(&p->b);
	return ok;
}

/* --- verdicts, runs -------------------------------------------------------------------------------------------------- */

char verdict_letter(enum verdict v)
{
	return (char)(verdict_word(v)[0] - 'a' + 'A');
}

void put_badge(struct page *p, enum verdict v, bool changed)
{
	buf_printf(&p->b, "<span class=\"badge v-%c\"><b>%c</b> %s</span>", verdict_letter(v), verdict_letter(v), verdict_word(v));
	if (changed)
		put_raw(p, " <span class=\"badge changed\"><b>*</b> changed</span>");
}

void put_finding_badge(struct page *p, const struct survey *s, size_t run, size_t finding)
{
	put_badge(p, s->findings[finding].weight, false);
	if (survey_fresh(s, run, finding))
		put_raw(p, " <span class=\"badge changed\"><b>*</b> new</span>");
	else if (s->findings[finding].known)
		put_raw(p, " <span class=\"badge known\">known</span>");
}

void put_case_why(struct page *p, const struct survey *s, size_t kase)
{
	const struct script *sc = s->cases[kase].script;
	const void *end = sc && sc->prose.n ? memmem(sc->prose.p, sc->prose.n, "\n\n", 2) : NULL;

	if (sc)
		markup_text(&p->b, (struct bytes){ sc->prose.p, end ? (size_t)((const uint8_t *)end - sc->prose.p) : sc->prose.n });
}

void again_command(struct buf *out, const struct survey *s, size_t run)
{
	const struct survey_run *r = &s->runs[run];
	const struct survey_implementation *im = &s->implementations[r->implementation];

	again_text(out, im->root ? im->root : "", im->command ? im->command : im->name, s->cases[r->kase].name, variant_role(r->variant),
	           variant_tls(r->variant), variant_io(r->variant));
	buf_printf(out, " -o DIR --keep all");
}

void variants_text(struct buf *out, const struct survey *s, const size_t *runs, size_t n)
{
	struct variant_list v = { 0 };

	for (size_t i = 0; i < n; i++)
		variant_list_add(&v, s->runs[runs[i]].variant, s->runs[runs[i]].with_name, s->runs[runs[i]].with);
	variant_list_text(out, &v);
	variant_list_free(&v);
}

/* --- a finding, in the order of its questions ------------------------------------------------------------------------ */

static void put_rule(struct page *p, const struct survey *s, const struct survey_finding *fd, unsigned variant)
{
	const struct requirement *req = fd->rule == NO_RULE ? NULL : s->rules[fd->rule].req;
	const char *disputed = req ? req->disputed[variant & FOR_TLS13 ? IN_TLS13 : IN_TLS12] : NULL;

	put_raw(p, "<dt>Rule</dt><dd>");
	if (fd->rule == NO_RULE) {
		put_raw(p, "A precondition of the case did not hold, so what it is about was never reached.</dd>");
		return;
	}
	put_text(p, s->rules[fd->rule].says);
	put_raw(p, "<br><span class=\"minor\">");
	put_element(p, "b", fd->level);
	put_raw(p, fd->disputed ? ", disputed" : "");
	put_raw(p, fd->promised ? ", promised by the library's manual" : "");
	put_raw(p, " &middot; ");
	put_text(p, fd->clause);
	if (req && strcmp(req->clause[IN_TLS12], req->clause[IN_TLS13]) != 0)
		buf_printf(&p->b, " (TLS %s)", variant_tls(variant));
	put_raw(p, " &middot; ");
	put_rule_link(p, s, fd->rule);
	if (fd->disputed && disputed) {
		put_raw(p, "<br>Disputed: ");
		put_text(p, disputed);
	}
	put_raw(p, "</span></dd>");
}

static void put_instead(struct page *p, const struct survey_finding *fd)
{
	put_raw(p, "<dt>Instead</dt><dd><div class=\"pair\"><span>observed</span> ");
	put_element(p, "code class=\"bad\"", fd->observed);
	if (fd->native) {
		put_raw(p, " <span>in its words</span> ");
		put_element(p, "code", fd->native);
	}
	put_raw(p, " <span>allowed</span> ");
	put_element(p, "code", fd->allowed);
	put_raw(p, "</div></dd>");
}

/* What people noted of a deviation that an expected trace holds. */
static void put_known(struct page *p, const struct survey_finding *fd)
{
	bool web = fd->link && (strncmp(fd->link, "https://", 8) == 0 || strncmp(fd->link, "http://", 7) == 0);

	put_raw(p, "<dt>Known</dt><dd>");
	put_text(p, fd->reason ? fd->reason : "The expected trace holds it; no reason is given yet.");
	if (web) {
		put_raw(p, " <a rel=\"noreferrer\" href=\"");
		put_text(p, fd->link);
		put_raw(p, "\">");
		put_text(p, fd->link);
		put_raw(p, "</a>");
	}
	put_raw(p, "</dd>");
}

static void put_file_link(struct page *p, const char *folder, const char *stem, const char *end, const char *what, bool download)
{
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s%s", folder, stem, end);
	put_raw(p, ", <a");
	put_href(p, buf_str(&path), NULL);
	put_raw(p, download ? " download>" : ">");
	put_text(p, what);
	put_raw(p, "</a>");
	buf_free(&path);
}

static void put_evidence(struct page *p, const struct site *site, const struct survey_run *r)
{
	struct buf folder = { 0 }, full = { 0 }, stem = { 0 };
	struct kept k;

	evidence_folder(&folder, site->survey, r->kase, r->implementation);
	buf_printf(&full, "%s/%s", site->dir, buf_str(&folder));
	variant_stem(&stem, r->variant, bytes_of(r->with_name ? r->with_name : ""), bytes_of(r->with ? r->with : ""));
	k = kept_find(buf_str(&full), buf_str(&stem));
	if (k.capture)
		put_file_link(p, buf_str(&folder), buf_str(&stem), ".pcapng", "capture", true);
	if (k.trace)
		put_file_link(p, buf_str(&folder), buf_str(&stem), ".trace", "trace", false);
	if (k.ladder)
		put_file_link(p, buf_str(&folder), buf_str(&stem), ".svg", "ladder", false);
	if (!k.capture)
		put_raw(p, " (no capture was kept; the command below makes one)");
	buf_free(&folder);
	buf_free(&full);
	buf_free(&stem);
}

void put_finding(struct page *p, const struct site *site, size_t run, size_t finding)
{
	const struct survey *s = site->survey;
	const struct survey_run *r = &s->runs[run];
	const struct survey_finding *fd = &s->findings[finding];
	struct buf b = { 0 };

	put_raw(p, "<dl class=\"finding\">");
	put_rule(p, s, fd, r->variant);
	put_instead(p, fd);
	if (s->cases[r->kase].script && s->cases[r->kase].script->prose.n) {
		put_raw(p, "<dt>Why it matters</dt><dd>");
		put_case_why(p, s, r->kase);
		put_raw(p, "</dd>");
	}
	if (fd->known)
		put_known(p, fd);
	put_raw(p, "<dt>See</dt><dd><a");
	buf_printf(&b, "line-%d", fd->line);
	put_cell_href(p, s, r->kase, r->implementation, s->cases[r->kase].script ? buf_str(&b) : NULL);
	buf_printf(&p->b, ">line %d of the case</a>", fd->line);
	put_evidence(p, site, r);
	put_raw(p, "</dd><dt>Again</dt><dd><pre class=\"command\" tabindex=\"0\"><code>");
	b.n = 0;
	again_command(&b, s, run);
	put_text(p, buf_str(&b));
	put_raw(p, "</code></pre></dd></dl>\n");
	buf_free(&b);
}
