/* ladder_svg: a ladder drawn. The picture is narrow, so that it can be read on a telephone; it has a ground of its own, and colours for
 * light and dark. What tells things apart by colour tells them apart by shape as well. */
#include "runner/ladder.h"

#include "peer/plain.h"
#include "runner/markup.h"
#include "runner/trace.h"

/* All in units of the picture. MONO and SANS: about the width of a character; a monospace one is 0.6 of its size. */
enum { WIDTH = 400, LINE = 14, ARROW = 25, GAP = 7 };
enum { X_LINE = 21, X_PEER = 40, X_IUT = 214, X_PATH = 127, X_CALL = 224, X_FOOT = 10 };
enum { CHARS_CALL = 25, CHARS_PEER = 24, CHARS_LABEL = 24, CHARS_FORGED = 13, CHARS_HEAD = 47, CHARS_FOOT = 62, CHARS_FOOT_MONO = 55 };
enum { LINES_MAX = 8 };

static const char style[] =
	"<style>"
	".ladder{--bg:#fff;--fg:#1f2328;--soft:#59636e;--line:#818b98;--block:#eef1f4;--data:#0550ae;--notify:#116329;--alert:#9a3d00;"
	"--keys:#6639ba;--odd:#6b5300;--rst:#c4101f;--fail:#ffebe9;--warn:#fff5d1;max-width:100%;height:auto;background:var(--bg)}"
	"@media(prefers-color-scheme:dark){.ladder{--bg:#0d1117;--fg:#e6edf3;--soft:#9aa4af;--line:#6e7681;--block:#1c232c;--data:#79c0ff;"
	"--notify:#56d364;--alert:#ffa657;--keys:#d2a8ff;--odd:#e3b341;--rst:#ff7b72;--fail:#3d1417;--warn:#332a08}}"
	".ladder text{font:11.5px monospace;fill:var(--fg)}"
	".ladder .p{font-family:sans-serif}.ladder .h{font:bold 14px sans-serif}.ladder .b{font-weight:bold}.ladder .i{font-style:italic}"
	".ladder .s{fill:var(--soft);font-size:11px}.ladder .m{text-anchor:middle}.ladder .e{text-anchor:end}"
	".ladder .g{fill:var(--bg)}.ladder .k{fill:var(--block);stroke:var(--line)}.ladder .l{stroke:var(--line);fill:none}"
	".ladder .fail{fill:var(--fail)}.ladder .warn{fill:var(--warn)}.ladder .rt{fill:var(--rst)}.ladder .at{fill:var(--alert)}"
	".ladder .a{stroke:currentColor;fill:none}.ladder .a .f{fill:currentColor}.ladder .a .o{fill:var(--bg)}"
	".ladder .c text{fill:currentColor}"
	".ladder .data{color:var(--data)}.ladder .notify{color:var(--notify)}.ladder .alert{color:var(--alert)}"
	".ladder .keys{color:var(--keys)}"
	".ladder .w text,.ladder text.w{paint-order:stroke;stroke:var(--bg);stroke-width:4px}"
	".ladder .n .w text,.ladder .n text.w{stroke:none}"
	".ladder .hs{color:var(--soft)}.ladder .odd{color:var(--odd)}.ladder .fin{color:var(--fg)}.ladder .rst{color:var(--rst)}"
	"</style>";

/* How each kind is drawn, towards the right; the tail stands 9 units behind the sender's line, the head ends at 0. */
static const struct stroke { const char *class; double width; const char *dash, *tail, *head; bool bold; } strokes[] = {
	[ARROW_DATA]      = { "data",   1.4, NULL,  "", "<path class='f' d='M0 0l-9-4v8z'/>", false },
	[ARROW_NOTIFY]    = { "notify", 2.2, NULL,  "<path class='f' d='M3 0l6-5 6 5-6 5z'/>", "<path class='f' d='M0 0l-9-4v8z'/>", true },
	[ARROW_ALERT]     = { "alert",  2.0, "8 3", "<path class='f' d='M3 4.5l6-10 6 10z'/>", "<path class='f' d='M0 0l-9-4v8z'/>", true },
	[ARROW_KEYS]      = { "keys",   1.6, "3 2", "<circle class='o' cx='9' cy='0' r='4.5'/>", "<path d='M-9-4l9 4-9 4'/>", false },
	[ARROW_HANDSHAKE] = { "hs",     1.0, NULL,  "", "<path d='M-8-3.5l8 3.5-8 3.5'/>", false },
	[ARROW_ODD]       = { "odd",    1.6, "1.5 3", "<path class='o' d='M4-4.5h9v9h-9z'/>", "<path d='M-9-4l9 4-9 4'/>", false },
	[ARROW_FIN]       = { "fin",    1.8, NULL,  "", "<path class='f' d='M-4 0l-9-4v8z'/><path d='M-1.5-6.5v13' stroke-width='3'/>",
	                      true },
	[ARROW_RST]       = { "rst",    2.6, NULL,  "", "<path d='M-11-5.5l11 11m0-11l-11 11'/>", true },
};

struct drawing { const struct ladder *l; const struct judgement *j; const struct run_name *r; struct buf *out; int y; };

/* --- text -------------------------------------------------------------------------------------------------------------- */

static size_t char_length(struct bytes text)
{
	size_t n = plain_length(text);

	return n ? n : 1;
}

/* The first `max` characters; *text goes on behind them. */
static struct bytes chars_take(struct bytes *text, int max)
{
	struct bytes taken;
	size_t n = 0;

	for (int chars = 0; n < text->n && chars < max; chars++)
		n += char_length((struct bytes){ text->p + n, text->n - n });
	bytes_take(text, n, &taken);
	return taken;
}

/* The same, but broken at a space if there is one late enough. */
static struct bytes line_take(struct bytes *text, int max)
{
	struct bytes all = *text, line = chars_take(text, max);
	size_t space = line.n;

	if (text->n && text->p[0] != ' ') {
		while (space > line.n / 3 && line.p[space - 1] != ' ')
			space--;
		if (space > line.n / 3) {
			*text = all;
			bytes_take(text, space, &line);
		}
	}
	while (text->n && text->p[0] == ' ')
		*text = (struct bytes){ text->p + 1, text->n - 1 };
	return line;
}

struct label_lines { struct bytes at[LINES_MAX]; int n; bool more; };

static void wrap(struct label_lines *l, struct bytes text, int max, int lines_max)
{
	*l = (struct label_lines){ 0 };
	while (text.n && l->n < lines_max) {
		struct bytes from = text;

		l->at[l->n++] = line_take(&text, max);
		if (text.n && l->n == lines_max)
			l->at[l->n - 1] = chars_take(&from, max - 1);
	}
	l->more = text.n > 0;
}

/* What of a text is drawn where: the column's width in characters, and how many lines it may take there. */
struct place { int x; const char *class; int chars, lines; };

static int text_height(struct bytes text, const struct place *at)
{
	struct buf plain = { 0 };
	struct label_lines l;

	plain_text(&plain, text);
	wrap(&l, buf_bytes(&plain), at->chars, at->lines);
	buf_free(&plain);
	return l.n * LINE;
}

/* From the baseline y on. What is too long ends in an ellipsis and has its whole as title. Returns its height. */
static int text_put(struct buf *out, int y, struct bytes text, const struct place *at)
{
	struct buf plain = { 0 };
	struct label_lines l;

	plain_text(&plain, text);
	wrap(&l, buf_bytes(&plain), at->chars, at->lines);
	buf_printf(out, "<text class='%s'>", at->class);
	if (l.more) {
		buf_printf(out, "<title>");
		markup_text(out, buf_bytes(&plain));
		buf_printf(out, "</title>");
	}
	for (int i = 0; i < l.n; i++) {
		buf_printf(out, "<tspan x='%d' y='%d'>", at->x, y + i * LINE);
		markup_text(out, l.at[i]);
		buf_printf(out, "%s</tspan>", l.more && i == l.n - 1 ? "…" : "");
	}
	buf_printf(out, "</text>\n");
	buf_free(&plain);
	return l.n * LINE;
}

/* --- arrows ------------------------------------------------------------------------------------------------------------ */

static struct place label_place(const struct arrow *a)
{
	bool half = a->from_path || a->lost;
	int from = a->from_path ? X_PATH : a->from_peer ? X_PEER : X_IUT, to = a->lost ? X_PATH : a->from_peer ? X_IUT : X_PEER;

	return (struct place){ (from + to) / 2, strokes[a->kind].bold ? "m b" : "m", half ? CHARS_FORGED : CHARS_LABEL, 2 };
}

/* A label of two lines makes room for itself. */
static int arrow_height(const struct arrow *a)
{
	struct place at = label_place(a);

	return ARROW - LINE + text_height(buf_bytes(&a->text), &at);
}

/* A cross where something is lost. */
static void arrow_put(struct drawing *d, const struct arrow *a, int y)
{
	static const char lost[] = "<path d='M-5-5l10 10m0-10l-10 10'/>";
	const struct stroke *k = &strokes[a->kind];
	int from = a->from_path ? X_PATH : a->from_peer ? X_PEER : X_IUT, to = a->lost ? X_PATH : a->from_peer ? X_IUT : X_PEER;
	int toward = a->from_peer ? 1 : -1;
	struct place at = label_place(a);

	buf_printf(d->out, "<g class='c w %s'>", k->class);
	text_put(d->out, y - 6 - (arrow_height(a) - ARROW), buf_bytes(&a->text), &at);
	buf_printf(d->out, "<g class='a' stroke-width='%g'><path d='M%d %dH%d'", k->width, from, y, a->lost ? to : to - toward * 3);
	if (k->dash)
		buf_printf(d->out, " stroke-dasharray='%s'", k->dash);
	buf_printf(d->out, "/><g transform='translate(%d %d) scale(%d 1)'>%s</g>", from, y, toward, k->tail);
	buf_printf(d->out, "<g transform='translate(%d %d) scale(%d 1)'>%s</g></g></g>\n", to, y, toward, a->lost ? lost : k->head);
}

/* What left in one segment is held together at the sender's line. */
static void segment_put(struct drawing *d, bool from_peer, int top, int bottom)
{
	int x = from_peer ? X_PEER + 2 : X_IUT - 2, out = from_peer ? -8 : 8;

	buf_printf(d->out, "<path class='l' stroke-width='2' d='M%d %dh%dV%dh%d'><title>one segment</title></path>\n", x, top - 4, out,
	           bottom + 4, -out);
}

static int arrows_height(const struct row *r)
{
	int h = 0;

	for (size_t i = 0; i < r->narrows; i++)
		h += arrow_height(&r->arrows[i]);
	return h;
}

static void arrows_put(struct drawing *d, const struct row *r, int top)
{
	int y = top - 6, first = y;

	for (size_t i = 0; i < r->narrows; i++) {
		const struct arrow *a = &r->arrows[i];

		y += arrow_height(a);
		if (!a->joined)
			first = y;
		arrow_put(d, a, y);
		if (a->joined && (i + 1 == r->narrows || !a[1].joined))
			segment_put(d, a->from_peer, first, y);
	}
}

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static const struct place
	at_call = { X_CALL, "b", CHARS_CALL, 3 }, at_answer = { X_CALL, "", CHARS_CALL, 4 }, at_native = { X_CALL, "s", CHARS_CALL, 6 },
	at_socket = { X_CALL, "i", CHARS_CALL, 3 }, at_peer = { X_PEER + 7, "i w", CHARS_PEER, 4 };

/* Where the words of each kind of row stand. */
static const struct { bool right; const struct place *words; } columns[] = {
	[ROW_HANDSHAKE] = { true, &at_call }, [ROW_CALL] = { true, &at_call }, [ROW_SOCKET] = { true, &at_socket },
	[ROW_PEER] = { false, &at_peer }, [ROW_PATH] = { false, &at_peer }, [ROW_CHECK] = { true, &at_socket },
	[ROW_END] = { false, &at_peer },
};

static void answer_text(struct buf *out, const struct row *r)
{
	out->n = 0;
	if (r->answer.n)
		buf_printf(out, "→ ");
	buf_add_bytes(out, buf_bytes(&r->answer));
}

/* The height of what stands in the column of the row's words. */
static int words_height(const struct row *r)
{
	struct buf answer = { 0 };
	const struct place *a = columns[r->kind].right ? &at_answer : &at_peer;
	int h;

	answer_text(&answer, r);
	h = text_height(buf_bytes(&r->words), columns[r->kind].words) + text_height(buf_bytes(&answer), a);
	h += text_height(buf_bytes(&r->native), &at_native);
	buf_free(&answer);
	return h;
}

/* In the middle the arrows stand below what the peer did, or below the block of a handshake; a call has its arrows beside it. */
static int arrows_top(const struct row *r)
{
	return r->kind == ROW_HANDSHAKE ? LINE + 8 : columns[r->kind].right ? 0 : words_height(r);
}

static int row_height(const struct row *r)
{
	int left = arrows_top(r) + arrows_height(r), right = columns[r->kind].right ? words_height(r) : 0;

	return (left > right ? left : right) + GAP;
}

static int weight_of(const struct drawing *d, uint32_t marks)
{
	static const int grave[VERDICT_COUNT] = { [VERDICT_WARN] = 1, [VERDICT_INCONCLUSIVE] = 2, [VERDICT_FAIL] = 3 };
	int worst = VERDICT_PASS;

	for (size_t i = 0; i < d->j->n && i < 32; i++)
		if (marks >> i & 1 && grave[d->j->findings[i].weight] > grave[worst])
			worst = d->j->findings[i].weight;
	return worst;
}

/* A ground, a bar, a sign of its own shape, and the number under which the finding stands below. */
static void mark_put(struct drawing *d, const struct row *r, int height)
{
	static const struct { const char *ground, *sign, *text; } signs[VERDICT_COUNT] = {
		[VERDICT_FAIL] = { "fail", "<path class='a rst' stroke-width='2.4' d='M0 0l8 8m0-8l-8 8'/>", "rt" },
		[VERDICT_INCONCLUSIVE] = { "fail", "<circle class='a rst' stroke-width='2' cx='4' cy='4' r='4'/>", "rt" },
		[VERDICT_WARN] = { "warn", "<path class='a alert' stroke-width='2' d='M-1 8l5-8 5 8z'/>", "at" },
		[VERDICT_PASS] = { "k", "<path class='a hs' stroke-width='2' d='M0 4h8'/>", "s" },
	};
	int weight = weight_of(d, r->marks);

	buf_printf(d->out, "<path class='%s' stroke='none' d='M0 %dh%dv%dh-%dz'/>", signs[weight].ground, d->y, WIDTH, height, WIDTH);
	buf_printf(d->out, "<path class='%s' stroke='none' d='M0 %dh4v%dh-4z'/>", signs[weight].text, d->y, height);
	buf_printf(d->out, "<g transform='translate(12 %d)'>%s</g>\n", d->y + LINE + 4, signs[weight].sign);
}

static void marks_text(struct buf *out, uint32_t marks)
{
	for (int i = 0; i < 32; i++)
		if (marks >> i & 1)
			buf_printf(out, "%s%d", out->n ? "," : "", i + 1);
}

static void lines_put(struct drawing *d, const struct row *r, int height)
{
	buf_printf(d->out, "<path class='l'%s d='M%d %dv%d'/>", r->peer_gone ? " stroke-dasharray='1 5'" : "", X_PEER, d->y, height);
	buf_printf(d->out, "<path class='l' d='M%d %dv%d'/>", X_IUT, d->y, height);
	if (d->l->path)
		buf_printf(d->out, "<path class='l' stroke-dasharray='5 4' d='M%d %dv%d'/>", X_PATH, d->y, height);
}

/* While a call is outstanding the implementation's line is a bar. */
static void activity_put(struct drawing *d, const struct row *r, int height, bool was_open)
{
	int above = was_open ? 0 : 2, below = r->open ? 0 : 4;

	if (r->kind == ROW_CALL || r->kind == ROW_HANDSHAKE || was_open)
		buf_printf(d->out, "<path class='k' d='M%d %dh6v%dh-6z'/>\n", X_IUT - 3, d->y + above, height - above - below);
}

static void words_put(struct drawing *d, const struct row *r)
{
	struct buf answer = { 0 };
	int y = d->y + LINE - 3;

	answer_text(&answer, r);
	if (r->words.n)
		y += text_put(d->out, y, buf_bytes(&r->words), columns[r->kind].words);
	if (answer.n)
		y += text_put(d->out, y, buf_bytes(&answer), columns[r->kind].right ? &at_answer : &at_peer);
	if (r->native.n)
		text_put(d->out, y, buf_bytes(&r->native), &at_native);
	buf_free(&answer);
}

static void number_put(struct drawing *d, const struct row *r)
{
	struct buf marks = { 0 };

	marks_text(&marks, r->marks);
	if (r->line)
		buf_printf(d->out, "<text class='s e%s' x='%d' y='%d'>%d</text>", r->marks ? " b" : "", X_LINE + 4, d->y + LINE - 3,
		           r->line);
	if (r->last_line > r->line)
		buf_printf(d->out, "<text class='s e' x='%d' y='%d'>-%d</text>", X_LINE + 4, d->y + 2 * LINE - 3, r->last_line);
	if (r->marks)
		buf_printf(d->out, "<text class='s e b' x='%d' y='%d'>%s</text>", X_LINE + 4, d->y + 3 * LINE - 2, buf_str(&marks));
	buf_free(&marks);
}

static void block_put(struct drawing *d, const struct row *r)
{
	int left = X_PEER - 4, width = X_IUT - X_PEER + 8;

	buf_printf(d->out, "<path class='k' d='M%d %dh%dv%dh-%dz'/>", left, d->y + 1, width, LINE + 4, width);
	buf_printf(d->out, "<text class='m p' x='%d' y='%d'>%sTLS %s handshake</text>\n", left + width / 2, d->y + LINE,
	           r->again ? "" : "TCP, ",
	           variant_13(d->r->variant) ? "1.3" : "1.2");
}

static void row_put(struct drawing *d, const struct row *r, bool was_open)
{
	int height = row_height(r);

	if (r->marks && height < 3 * LINE + 4)
		height = 3 * LINE + 4;
	if (r->marks)
		mark_put(d, r, height);
	lines_put(d, r, height);
	activity_put(d, r, height, was_open);
	if (r->kind == ROW_HANDSHAKE)
		block_put(d, r);
	buf_printf(d->out, "<g%s>", r->marks ? " class='n'" : "");
	number_put(d, r);
	words_put(d, r);
	arrows_put(d, r, d->y + arrows_top(r));
	buf_printf(d->out, "</g>\n");
	d->y += height;
}

/* --- head and foot ----------------------------------------------------------------------------------------------------- */

static void end_put(struct drawing *d, int x, int width, const char *name)
{
	const struct place at = { x, "m b p", width / 7, 1 };

	buf_printf(d->out, "<path class='k' d='M%d %dh%dv22h-%dz'/>", x - width / 2, d->y, width, width);
	text_put(d->out, d->y + 15, bytes_of(name), &at);
}

static void head_put(struct drawing *d)
{
	static const struct place title = { X_FOOT, "h", CHARS_HEAD, 3 }, sub = { X_FOOT, "s p", CHARS_FOOT, 2 };
	struct buf b = { 0 };

	d->y += LINE + 8;
	d->y += text_put(d->out, d->y, d->r->script->title, &title) + 2;
	buf_printf(&b, "%s, ", d->r->library ? d->r->library : d->r->implementation);
	variant_print(&b, d->r->variant, d->r->script, d->r->with);
	buf_printf(&b, ": %s", verdict_word(d->j->verdict));
	d->y += text_put(d->out, d->y, buf_bytes(&b), &sub);
	end_put(d, X_PEER, 60, "peer");
	end_put(d, X_IUT, 116, d->r->implementation);
	if (d->l->path)
		end_put(d, X_PATH, 44, "path");
	d->y += 22;
	buf_printf(d->out, "<path class='l' d='M%d %dv8M%d %dv8'/>\n", X_PEER, d->y, X_IUT, d->y);
	d->y += 8;
	buf_free(&b);
}

static const struct place foot_rule = { X_FOOT, "b", CHARS_FOOT_MONO, 2 }, foot_text = { X_FOOT, "p s", CHARS_FOOT, 5 },
                          foot_seen = { X_FOOT, "", CHARS_FOOT_MONO, 4 };

static void foot_line(struct drawing *d, const struct place *at, const char *before, struct bytes text)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s", before);
	buf_add_bytes(&b, text);
	d->y += text_put(d->out, d->y, buf_bytes(&b), at);
	buf_free(&b);
}

static void rule_put(struct drawing *d, const struct requirement *req)
{
	int v = variant_13(d->r->variant) ? IN_TLS13 : IN_TLS12;
	struct buf b = { 0 };

	buf_printf(&b, "%s, %s%s: %s", level_word(req->level[v]), req->clause[v], req->disputed[v] ? " (disputed)" : "", req->says);
	d->y += text_put(d->out, d->y, buf_bytes(&b), &foot_text);
	buf_free(&b);
}

static void finding_put(struct drawing *d, size_t i)
{
	const struct finding *f = &d->j->findings[i];
	struct buf b = { 0 };

	buf_printf(&b, "%zu %s ", i + 1, f->req && f->weight == VERDICT_PASS ? "noted" : verdict_word(f->weight));
	buf_printf(&b, "[%s]", f->req ? f->req->name : "precondition");
	foot_line(d, &foot_rule, "", buf_bytes(&b));
	if (f->req)
		rule_put(d, f->req);
	foot_line(d, &foot_seen, "allowed  ", bytes_of(f->allowed));
	foot_line(d, &foot_seen, "observed ", bytes_of(f->observed));
	d->y += GAP;
	buf_free(&b);
}

/* Each rule that a check of this variant names, once. */
static bool is_first_check(const struct evidence *e, size_t step, size_t check)
{
	const struct requirement *req = e->script->steps[step].checks[check].req;

	for (size_t s = 0; s <= step; s++)
		for (size_t c = 0; c < (s < step ? e->script->steps[s].nchecks : check); c++)
			if (e->steps[s].ran && e->script->steps[s].checks[c].req == req &&
			    check_in(&e->script->steps[s].checks[c], e->variant))
				return false;
	return true;
}

static void rules_put(struct drawing *d, const struct evidence *e)
{
	for (size_t s = 0; s < e->script->nsteps; s++)
		for (size_t c = 0; c < e->script->steps[s].nchecks && e->steps[s].ran; c++) {
			const struct check *ck = &e->script->steps[s].checks[c];

			if (!ck->req || !check_in(ck, e->variant) || !is_first_check(e, s, c))
				continue;
			foot_line(d, &foot_rule, "", bytes_of(ck->req->name));
			rule_put(d, ck->req);
			d->y += GAP;
		}
}

static void foot_put(struct drawing *d, const struct evidence *e)
{
	d->y += 8;
	buf_printf(d->out, "<path class='l' d='M%d %dH%d'/>\n", X_FOOT, d->y, WIDTH - X_FOOT);
	d->y += LINE + 3;
	for (size_t i = 0; i < d->j->n; i++)
		finding_put(d, i);
	if (!d->j->n)
		rules_put(d, e);
	foot_line(d, &foot_text, "closedrill, ", bytes_of(d->r->script->name));
}

/* For who does not see the picture: what it is, and the run as text. */
static void described(struct drawing *d, const struct evidence *e)
{
	struct buf text = { 0 };
	struct trace t;

	buf_printf(d->out, "<title id='ladder-title'>");
	markup_text(d->out, d->r->script->title);
	buf_printf(d->out, ": %s</title>\n<desc id='ladder-desc'>", verdict_word(d->j->verdict));
	trace_of(e, &t);
	trace_print(&text, &t);
	markup_text(d->out, buf_bytes(&text));
	buf_printf(d->out, "</desc>\n");
	trace_free(&t);
	buf_free(&text);
}

void evidence_svg(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out)
{
	struct buf body = { 0 };
	struct ladder l;
	struct drawing d = { &l, j, r, &body, 0 };

	ladder_of(e, j, &l);
	described(&d, e);
	buf_printf(&body, "%s\n", style);
	buf_printf(&body, "<path class='g' d='M0 0h%dv100000h-%dz'/>\n", WIDTH, WIDTH);
	head_put(&d);
	for (size_t i = 0; i < l.n; i++)
		row_put(&d, &l.rows[i], i > 0 && l.rows[i - 1].open);
	foot_put(&d, e);
	/* A unit is a little more than a pixel where there is room. */
	buf_printf(out, "<svg xmlns='http://www.w3.org/2000/svg' class='ladder' role='img' aria-labelledby='ladder-title ladder-desc' "
	                "viewBox='0 0 %d %d' width='%d' height='%d'>\n", WIDTH, d.y, WIDTH * 6 / 5, d.y * 6 / 5);
	buf_add_bytes(out, buf_bytes(&body));
	buf_printf(out, "</svg>\n");
	ladder_free(&l);
	buf_free(&body);
}
