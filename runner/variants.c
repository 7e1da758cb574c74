/* variants: a set of a case's variants, and its words. */
#include "runner/variants.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES = 2, MODES = 3 };

static const struct word_row { unsigned bit; const char *word; } roles[SIDES] = { { FOR_CLIENT, "client" }, { FOR_SERVER, "server" } },
	versions[SIDES] = { { FOR_TLS12, "1.2" }, { FOR_TLS13, "1.3" } },
	modes[MODES] = { { FOR_BLOCKING, "blocking" }, { FOR_NONBLOCKING, "nonblocking" }, { FOR_MEMORY, "memory" } };

/* A product: bits of the rows above, and one bool for each value. */
struct product { unsigned role, version, mode; bool *with; size_t n; };

static size_t number_of(size_t value, size_t role, size_t version, size_t mode)
{
	return value * VARIANTS + (role * SIDES + version) * MODES + mode;
}

size_t variant_number(unsigned variant)
{
	return number_of(0, !(variant & FOR_CLIENT), !(variant & FOR_TLS12),
	                 variant & FOR_BLOCKING ? 0 : variant & FOR_NONBLOCKING ? 1 : 2);
}

unsigned variant_of_number(size_t number)
{
	number %= VARIANTS;
	return roles[number / (SIDES * MODES)].bit | versions[number / MODES % SIDES].bit | modes[number % MODES].bit;
}

static const char *word_of(const struct word_row *row, unsigned variant)
{
	while (!(row->bit & variant))
		row++;
	return row->word;
}

const char *variant_role(unsigned variant)
{
	return word_of(roles, variant);
}

const char *variant_tls(unsigned variant)
{
	return word_of(versions, variant);
}

const char *variant_io(unsigned variant)
{
	return word_of(modes, variant);
}

unsigned variant_of_words(const char *role, const char *tls, const char *io)
{
	for (size_t i = 0; i < VARIANTS; i++) {
		unsigned v = variant_of_number(i);

		if (strcmp(variant_role(v), role) == 0 && strcmp(variant_tls(v), tls) == 0 && strcmp(variant_io(v), io) == 0)
			return v;
	}
	return 0;
}

/* A part of a file's name: what would make it a path, or end it, is told by its number. */
static void put_part(struct buf *out, struct bytes part)
{
	for (size_t i = 0; i < part.n; i++)
		if (part.p[i] == '/' || part.p[i] == '%' || part.p[i] < ' ')
			buf_printf(out, "%%%02x", part.p[i]);
		else
			buf_u8(out, part.p[i]);
}

void variant_stem(struct buf *out, unsigned variant, struct bytes with_name, struct bytes with)
{
	buf_printf(out, "%s-%s-%s", variant_role(variant), variant_tls(variant), variant_io(variant));
	if (!with_name.n)
		return;
	buf_u8(out, '-');
	put_part(out, with_name);
	buf_u8(out, '=');
	put_part(out, with);
}

static bool has(const struct product *p, size_t number)
{
	return p->role >> (number / (SIDES * MODES)) & 1 && p->version >> (number / MODES % SIDES) & 1 && p->mode >> (number % MODES) & 1;
}

/* Which values have all of it, and how many variants that makes. */
static void fill(struct product *p, const bool *in, size_t nwith)
{
	p->n = 0;
	for (size_t v = 0; v < nwith; v++) {
		size_t n = 0;

		p->with[v] = true;
		for (size_t i = 0; i < VARIANTS; i++) {
			p->with[v] &= !has(p, i) || in[v * VARIANTS + i];
			n += has(p, i);
		}
		p->n += p->with[v] ? n : 0;
	}
}

/* The largest with this variant; of several the one that takes more roles, then versions, then modes. */
static void largest(struct product *best, struct product *try, const bool *in, size_t nwith, size_t first)
{
	struct product one = { 1u << (first % VARIANTS / (SIDES * MODES)), 1u << (first / MODES % SIDES), 1u << (first % MODES), NULL, 0 };

	best->n = 0;
	for (unsigned bits = 1 << (SIDES + SIDES + MODES); bits-- > 0;) {
		try->role = bits >> (SIDES + MODES);
		try->version = bits >> MODES & ((1 << SIDES) - 1);
		try->mode = bits & ((1 << MODES) - 1);
		if (!(try->role & one.role) || !(try->version & one.version) || !(try->mode & one.mode))
			continue;
		fill(try, in, nwith);
		if (try->n > best->n && try->with[first / VARIANTS]) {
			struct product other = *best;

			*best = *try;
			*try = other;
		}
	}
}

static void put(struct buf *out, bool *first, const char *word)
{
	buf_printf(out, "%s%s", *first ? " " : "|", word);
	*first = false;
}

static void product_print(struct buf *out, const struct product *p, const char *with_name, char *const *with, size_t nwith)
{
	bool first = true;

	for (size_t i = 0; i < SIDES; i++)
		if (p->role >> i & 1)
			put(out, &first, roles[i].word);
	first = true;
	for (size_t i = 0; i < SIDES; i++)
		if (p->version >> i & 1)
			put(out, &first, versions[i].word);
	first = true;
	for (size_t i = 0; i < MODES; i++)
		if (p->mode >> i & 1)
			put(out, &first, modes[i].word);
	first = true;
	if (with_name)
		buf_printf(out, " %s=", with_name);
	for (size_t i = 0; with_name && i < nwith; i++)
		if (p->with[i]) {
			buf_printf(out, "%s%s", first ? "" : "|", with[i]);
			first = false;
		}
}

void variants_print(struct buf *out, const char *head, const bool *in, const char *with_name, char *const *with, size_t nwith)
{
	size_t n = nwith * VARIANTS;
	bool *left = calloc(n, 1);
	struct product best = { .with = calloc(nwith, 1) }, try = { .with = calloc(nwith, 1) };

	assert(left && best.with && try.with);
	memcpy(left, in, n);
	for (size_t i = 0; i < n; i++) {
		if (!left[i])
			continue;
		largest(&best, &try, left, nwith, i);
		buf_printf(out, "%s", head);
		product_print(out, &best, with_name, with, nwith);
		buf_u8(out, '\n');
		for (size_t k = 0; k < n; k++)
			left[k] &= !(best.with[k / VARIANTS] && has(&best, k % VARIANTS));
	}
	free(left);
	free(best.with);
	free(try.with);
}
