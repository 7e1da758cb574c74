/* version: the version in the line by which a library names itself. */
#include "runner/version.h"

#include <ctype.h>
#include <stdlib.h>

static size_t number_len(const char *p)
{
	size_t n = 0;

	while (isdigit((unsigned char)p[n]))
		n++;
	return n;
}

struct version version_in(const char *line)
{
	struct version v = { 0 };
	const char *p = line, *end;

	while (*p && !(isdigit((unsigned char)*p) && (p == line || !isalnum((unsigned char)p[-1]))))
		p++;
	if (!*p)
		return v;
	end = p + number_len(p);
	v.major = strtol(p, NULL, 10);
	v.minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	while (*end == '.' && number_len(end + 1))
		end += 1 + number_len(end + 1);
	v.text = (struct bytes){ (const uint8_t *)p, (size_t)(end - p) };
	return v;
}
