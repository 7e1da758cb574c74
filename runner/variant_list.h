/* variant_list: the variants that some runs were of, in few words. Pure. */
#ifndef RUNNER_VARIANT_LIST_H
#define RUNNER_VARIANT_LIST_H

#include "runner/run_json.h"

struct variant_list {                           /* owned: variant_list_free; zero is empty */
	struct variant { unsigned bits; char *with; } *rows; size_t n;  /* with: its value of the case's `with`; "" where there is none */
	char *with_name;                        /* the name of these values; "" or NULL: none */
};
/* bits: FOR_ bits of one role, version and mode. with_name and with: NULL or "" for none. All runs of a list are of one case. */
void variant_list_add(struct variant_list *v, unsigned bits, const char *with_name, const char *with);
void variant_list_add_run(struct variant_list *v, const json_t *run);

/* In few words: whole products of values, with a comma between them. "client|server 1.3 blocking|memory K=1|5, client 1.2 memory K=1" */
void variant_list_text(struct buf *out, const struct variant_list *v);
/* The same and the number of runs, "client|server 1.3 blocking|memory  (4 runs)", in lines of about 90 columns, those behind the first
 * begun with `indent`. No newline at the end. */
void variant_list_print(struct buf *out, const struct variant_list *v, const char *indent);
void variant_list_free(struct variant_list *v);

#endif
