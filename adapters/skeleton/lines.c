/* lines: see the header. */
#include "adapters/skeleton/lines.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_CAP = 1 << 17,             /* a `write` of 16,384 bytes that are all \xNN, and room to spare */
	ANSWER_CAP = 4 * READ_MAX + 4096
};

/* ---- In ---- */

static struct { char p[LINE_CAP]; size_t at, n; } input;

/* Ends the line at nl. One that holds a NUL is none of ours and becomes "", which is as unknown as they come. */
static char *line_end(char *line, char *nl)
{
	size_t len = (size_t)(nl - line);

	*nl = '\0';
	input.at += len + 1;
	input.n -= len + 1;
	return strlen(line) == len ? line : nl;
}

char *line_next(void)
{
	for (bool skip = false;;) {
		char *line = input.p + input.at, *nl = memchr(line, '\n', input.n);
		ssize_t got;

		if (nl) {
			line = line_end(line, nl);
			return skip ? nl : line;
		}
		if (input.n == LINE_CAP) {
			skip = true;
			input.n = 0;
		}
		memmove(input.p, line, input.n);
		input.at = 0;
		do
			got = read(STDIN_FILENO, input.p + input.n, LINE_CAP - input.n);
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return NULL;
		input.n += (size_t)got;
	}
}

bool line_pending(void)
{
	return input.n > 0;
}

char *line_word(char **line)
{
	char *word;

	*line += strspn(*line, " ");
	word = *line;
	*line += strcspn(word, " ");
	if (**line)
		*(*line)++ = '\0';
	return *word ? word : NULL;
}

bool line_number(const char *word, size_t max, size_t *n)
{
	char *end;

	errno = 0;
	*n = strtoul(word, &end, 10);
	return *word >= '0' && *word <= '9' && !*end && !errno && *n <= max;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character of a quoted text at *s, unescaped; -1 if it is none. */
static int unescape(const char **s)
{
	static const char from[] = "nrt\\\"", to[] = "\n\r\t\\\"";
	const char *p = *s, *hit;

	if (*p != '\\') {
		*s += 1;
		return (unsigned char)*p;
	}
	*s += 2;
	if (p[1] && (hit = strchr(from, p[1])))
		return to[hit - from];
	if (p[1] != 'x' || hex_digit(p[2]) < 0 || hex_digit(p[3]) < 0)
		return -1;
	*s += 2;
	return hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

/* Reads "text" into to, which has room for strlen(s) bytes. */
bool line_unquote(const char *s, uint8_t *to, size_t *n)
{
	int c;

	*n = 0;
	if (*s++ != '"')
		return false;
	while (*s && *s != '"') {
		if ((c = unescape(&s)) < 0)
			return false;
		to[(*n)++] = (uint8_t)c;
	}
	return s[0] == '"' && !s[1];
}

/* ---- Out: built here, sent by one write(2). Two threads may answer, each in one piece ---- */

static struct { char p[ANSWER_CAP]; size_t n; } out;
static pthread_mutex_t out_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void line_put(const char *word)
{
	size_t len = strlen(word);

	if (!len || out.n + len + 2 > sizeof(out.p))
		return;
	if (out.n)
		out.p[out.n++] = ' ';
	memcpy(out.p + out.n, word, len);
	out.n += len;
}

size_t line_escape(char *to, uint8_t c)
{
	static const char from[] = "\n\r\t\\\"", as[] = "nrt\\\"", hex[] = "0123456789abcdef";
	const char *hit = c ? strchr(from, c) : NULL;

	if (!hit && c >= ' ' && c <= '~') {
		to[0] = (char)c;
		return 1;
	}
	to[0] = '\\';
	to[1] = (char)(hit ? as[hit - from] : 'x');
	if (hit)
		return 2;
	to[2] = hex[c >> 4];
	to[3] = hex[c & 15];
	return 4;
}

void line_put_quoted(const uint8_t *p, size_t n)
{
	out.p[out.n++] = ' ';
	out.p[out.n++] = '"';
	for (size_t i = 0; i < n; i++)
		out.n += line_escape(out.p + out.n, p[i]);
	out.p[out.n++] = '"';
}

static void line_send(void)
{
	const char *p = out.p;

	out.p[out.n++] = '\n';
	while (out.n) {
		ssize_t sent = write(STDOUT_FILENO, p, out.n);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			exit(0);                /* the runner is gone */
		p += sent;
		out.n -= (size_t)sent;
	}
}

void line_begin(void)
{
	pthread_mutex_lock(&out_lock);
}

void line_done(void)
{
	pthread_mutex_unlock(&out_lock);
}

void line_answer(const char *word, const char *rest)
{
	line_begin();
	line_put(word);
	line_put(rest);
	line_send();
	line_done();
}
