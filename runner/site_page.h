/* site_page: what the pages of the report share: their frame, their names, and how verdicts, commands and variants look. */
#ifndef RUNNER_SITE_PAGE_H
#define RUNNER_SITE_PAGE_H

#include "runner/agreement.h"
#include "runner/survey.h"

struct site {
	const char *dir;
	const struct survey *survey;
	const char *version;                    /* of closedrill that wrote the results */
	bool partial;                           /* the session did not do all its runs */
	struct agreement *agreements;           /* of each case; NULL until the cells are written */
};

/* The page as text: what it holds is added to it, escaped by markup. up: from the page to DIR: "" or "../../". */
struct page { struct buf b; const char *up; };
enum section { SECTION_SUMMARY, SECTION_MATRIX, SECTION_REQUIREMENTS, SECTION_AGREEMENT, SECTION_NONE };

void page_begin(struct page *p, const char *up, const char *title, enum section in);
void page_end(struct page *p, const struct site *s);
/* Ends it, writes it to DIR/path and frees it. False: *f. */
bool page_write(struct page *p, const struct site *s, const char *path, struct fault *f);

void put_raw(struct page *p, const char *markup);
void put_text(struct page *p, const char *text);       /* NULL: nothing */
/* An element with text in it: put_element(p, "code", text); attributes may stand behind the name: "td class=x". */
void put_element(struct page *p, const char *element, const char *text);
/* ` attribute="..."`, ` href="..."`: to a path below DIR, percent-encoded. */
void put_path(struct page *p, const char *attribute, const char *path, const char *anchor);
void put_href(struct page *p, const char *path, const char *anchor);
void put_count(struct page *p, size_t n, const char *one, const char *many);   /* "1 run", "2 runs" */

/* Paths below DIR. Whatever a name holds, its page has a name that every file system and browser takes; different names have
 * different ones. */
void cell_path(struct buf *out, const struct survey *s, size_t kase, size_t implementation);
void rule_path(struct buf *out, const struct survey *s, uint32_t rule);
void evidence_folder(struct buf *out, const struct survey *s, size_t kase, size_t implementation);
void put_cell_href(struct page *p, const struct survey *s, size_t kase, size_t implementation, const char *anchor);
void put_rule_link(struct page *p, const struct survey *s, uint32_t rule);

char verdict_letter(enum verdict v);            /* P W F I U B */
void put_badge(struct page *p, enum verdict v, bool changed);  /* letter and word, in the verdict's colour */
/* The same of a finding, and whether it is new or known. */
void put_finding_badge(struct page *p, const struct survey *s, size_t run, size_t finding);
/* Its title; its name if it is none of ours; valid until b changes. */
const char *case_title(const struct survey *s, size_t kase, struct buf *b);
/* With its library if the name is there twice. */
const char *implementation_title(const struct survey *s, size_t implementation, struct buf *b);
void put_case_why(struct page *p, const struct survey *s, size_t kase);        /* the first paragraph of its prose, or nothing */

/* The command that plays one run again; for a shell, whatever the name holds. */
void again_command(struct buf *out, const struct survey *s, size_t run);
/* The variants of these runs of a cell (variant_list_text). */
void variants_text(struct buf *out, const struct survey *s, const size_t *runs, size_t n);

/* What is the rule, what happened instead, why it matters, where to see it, how to run only this again. */
void put_finding(struct page *p, const struct site *s, size_t run, size_t finding);

/* Does a step of the case name this rule? */
bool case_tests(const struct survey *s, size_t kase, uint32_t rule);

/* The kinds of pages. False: *f. */
bool site_cell(const struct site *s, size_t kase, size_t implementation, struct buf traces[], struct fault *f);
bool site_requirements(const struct site *s, struct fault *f);
bool site_agreement(const struct site *s, struct fault *f);
bool site_index(const struct site *s, struct fault *f);

#endif
