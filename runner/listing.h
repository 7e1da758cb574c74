/* listing: what `closedrill list`, `show` and `steps` print. */
#ifndef RUNNER_LISTING_H
#define RUNNER_LISTING_H

#include "runner/plan.h"

void list_cases(const struct catalogue *s, bool json);
/* The index of cases/README.md: themes as headings, a line for each case. */
void list_index(const struct catalogue *s);
/* uncovered: only those that no case tests. */
void list_requirements(const struct catalogue *s, bool json, bool uncovered);
/* Those of a folder, in the root of another system if that is not NULL, then those that were left out, with the reason. greet: reads an
 * adapter's greeting. */
void list_implementations(const char *dir, const char *root, bool json, bool (*greet)(struct adapter *, struct fault *));
void show_case(const struct script *s);
void list_steps(void);

#endif
