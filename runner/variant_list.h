/* variant_list: the variants that some runs were of, taken from their objects, and in few words. Pure. */
#ifndef RUNNER_VARIANT_LIST_H
#define RUNNER_VARIANT_LIST_H

#include "runner/run_json.h"

enum { DIMENSIONS = 4 };

struct variant_list {                               /* role, tls, io, with; owned: variant_list_free */
	struct variant { char *word[DIMENSIONS]; } *rows; size_t n;
};
void variant_list_add(struct variant_list *v, const json_t *run);
/* "client|server 1.3 blocking|memory  (4 runs)" if they are a whole product of their values; otherwise all of them, in lines of about
 * 90 columns, those behind the first begun with `indent`. No newline at the end. */
void variant_list_print(struct buf *out, const struct variant_list *v, const char *indent);
void variant_list_free(struct variant_list *v);

#endif
