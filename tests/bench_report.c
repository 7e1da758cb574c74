/* bench_report: what it takes to write the report of a large session: 40 implementations, the whole catalogue, all variants.
 *
 * The session is made up: its runs are those of the catalogue, and one cell in ten deviates, with findings, differences and traces as long
 * as real ones. `closedrill report` is started as people start it. Prints a few lines; exit status 1 when a goal is missed, 3 when
 * something could not be measured. With a folder as its word it keeps the session there (and a number: that many implementations). */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runner/outfile.h"
#include "runner/plan.h"
#include "runner/variants.h"

static const struct { double seconds, mib, index_mib; } goal = { 10, 256, 2 };

static const char trace[] =
	"handshake -> ok as SSL_do_handshake=1\nwire  iut -> handshake client_hello\n"
	"wire  peer -> handshake server_hello change_cipher_spec handshake encrypted_extensions handshake certificate handshake finished\n"
	"wire  iut -> change_cipher_spec handshake finished\npeer  write \"hello\"\nwire  peer -> data 5\niut   read -> data \"hello\" as SSL_read=5\n"
	"peer  fin\nwire  peer -> fin\niut   read -> closed as SSL_read=0 SSL_ERROR_ZERO_RETURN\niut   close -> ok as SSL_free\nwire  iut -> close_notify fin\n";

__attribute__((noreturn, format(printf, 1, 2)))
static void give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "bench_report: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(3);
}

/* --- the session ----------------------------------------------------------------------------------------------------- */

struct session { const char *dir; FILE *json; size_t nruns, nimplementations; };

static void put_finding(FILE *out, size_t i)
{
	fprintf(out, "{\"requirement\":\"%s\",\"level\":\"MUST\",\"disputed\":false,\"clause\":\"RFC 8446 6.1; RFC 9846 6.1\",\"promised\":false,\"weight\":\"%s\","
	        "\"line\":12,\"allowed\":\"iut read -> fails\",\"observed\":\"iut read -> closed\",\"native\":\"SSL_read=0 SSL_ERROR_ZERO_RETURN\","
	        "\"says\":\"An end of the transport without close_notify is told apart from a finished stream.\","
	        "\"why\":\"The peer's FIN arrives where its close_notify should be. Anyone on the path can forge a FIN.\"}",
	        i % 3 ? "truncation-visible" : "notify-once", i % 2 ? "fail" : "warn");
}

static void put_diff(FILE *out)
{
	fprintf(out, "\"diff\":\"");
	for (const char *p = trace; *p;) {
		size_t n = strcspn(p, "\n");

		fputc(strncmp(p, "iut   read -> closed", 20) == 0 ? '-' : ' ', out);
		for (size_t i = 0; i < n; i++)
			fprintf(out, p[i] == '"' ? "\\%c" : "%c", p[i]);
		fprintf(out, "\\n");
		p += n + 1;
	}
	fprintf(out, "\",");
}

static void put_trace(const struct session *s, size_t who, const struct script *sc, unsigned variant, size_t with)
{
	struct buf path = { 0 };
	struct fault f;

	buf_printf(&path, "%s/library-%zu/%s/", s->dir, who, sc->name);
	variant_stem(&path, variant, sc->with_name, sc->nwith ? sc->with[with] : sc->with_name);
	buf_printf(&path, ".trace");
	if (!outfile_put(buf_str(&path), bytes_of(trace), &f))
		give_up("%s", f.msg);
	buf_free(&path);
}

static void put_run(struct session *s, size_t who, size_t number, const struct script *sc, size_t with, unsigned variant)
{
	size_t mix = (number * 7919 + who * 104729) % 40;
	bool deviates = mix < 4, unsupported = mix == 4;

	fprintf(s->json, "%s\n{\"implementation\":\"library-%zu\",\"library\":\"Library %zu.0\",\"case\":\"%s\",\"role\":\"%s\",\"tls\":\"%s\",\"io\":\"%s\",", s->nruns++ ? "," : "",
	        who, who, sc->name, variant_role(variant), variant_tls(variant), variant_io(variant));
	if (sc->nwith)
		fprintf(s->json, "\"with_name\":\"%.*s\",\"with\":\"%zu\",", (int)sc->with_name.n, (const char *)sc->with_name.p, with);
	fprintf(s->json, "\"about\":\"%s\",\"verdict\":\"%s\",\"ms\":1.5,\"expected\":\"%s\",\"expected_of\":\"library-%zu.0\",", sc->about_host ? "host" : "library",
	        deviates ? mix % 2 ? "fail" : "warn" : unsupported ? "unsupported" : "pass", deviates && mix < 2 ? "changed" : "same", who);
	if (deviates && mix < 2)
		put_diff(s->json);
	fprintf(s->json, "\"findings\":[");
	if (deviates)
		put_finding(s->json, mix);
	fprintf(s->json, unsupported ? "],\"reason\":\"the library has no such call\"}" : "]}");
	if (deviates)
		put_trace(s, who, sc, variant, with);
}

static void put_values(struct buf *b, const struct script *sc)
{
	if (sc->nwith)
		buf_printf(b, " %.*s=", (int)sc->with_name.n, (const char *)sc->with_name.p);
	for (size_t i = 0; i < sc->nwith; i++)
		buf_printf(b, i ? "|%zu" : "%zu", i);
}

/* The traces of all variants, each role and version with its own. */
static void put_case_traces(const struct session *s, size_t who, const struct script *sc)
{
	static const char *const ends[] = { "client 1.2", "client 1.3", "server 1.2", "server 1.3" };
	struct buf path = { 0 }, text = { 0 };
	struct fault f;

	buf_printf(&text, "case %s\n\n", sc->name);
	for (size_t i = 0; i < countof(ends); i++) {
		buf_printf(&text, "variants %s blocking|nonblocking|memory", ends[i]);
		put_values(&text, sc);
		buf_printf(&text, "\n%siut   write \"%s, %zu\" -> ok\n\n", trace, ends[i], who % 7);
	}
	buf_printf(&text, "end\n");
	buf_printf(&path, "%s/library-%zu/%s.trace", s->dir, who, sc->name);
	if (!outfile_put(buf_str(&path), buf_bytes(&text), &f))
		give_up("%s", f.msg);
	buf_free(&path);
	buf_free(&text);
}

static void put_runs(struct session *s, const struct catalogue *c, size_t who)
{
	size_t number = 0;

	for (size_t i = 0; i < c->nscripts; i++) {
		if (script_is_first(c, i)) {
			number++;
			put_case_traces(s, who, &c->scripts[i]);
		}
		for (unsigned v = 0; v < 12; v++) {
			unsigned variant = (v % 2 ? FOR_CLIENT : FOR_SERVER) | (v / 2 % 2 ? FOR_TLS12 : FOR_TLS13) | (unsigned)FOR_BLOCKING << v / 4;

			if ((variant & c->scripts[i].runs_for) == variant)
				put_run(s, who, number, &c->scripts[i], c->with[i], variant);
		}
	}
}

static void make_session(struct session *s, const struct catalogue *c)
{
	char path[700];

	snprintf(path, sizeof(path), "%s/results.json", s->dir);
	s->json = fopen(path, "we");
	if (!s->json)
		give_up("%s: %s", path, strerror(errno));
	fprintf(s->json, "{\"closedrill\": \"%s\", \"runs\": [", CLOSEDRILL_VERSION);
	for (size_t i = 0; i < s->nimplementations; i++)
		put_runs(s, c, i);
	fprintf(s->json, "\n],\n\"partial\": false,\n\"totals\": {}}\n");
	if (fclose(s->json) != 0)
		give_up("%s: %s", path, strerror(errno));
}

/* --- what it takes --------------------------------------------------------------------------------------------------- */

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double write_report(const char *program, const char *dir, double *mib, double *busy)
{
	double began = seconds_now();
	struct rusage used;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execl(program, program, "report", dir, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status != 0)
		give_up("%s report %s failed", program, dir);
	*mib = (double)used.ru_maxrss / 1024;
	*busy = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	return seconds_now() - began;
}

struct size { size_t files; double mib; };

static void add_sizes(const char *dir, struct size *to)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[4096];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path) || stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			add_sizes(path, to);
			continue;
		}
		to->files++;
		to->mib += (double)st.st_size / (1 << 20);
	}
	if (d)
		closedir(d);
}

static double file_mib(const char *dir, const char *name)
{
	char path[700];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (stat(path, &st) != 0)
		give_up("%s: %s", path, strerror(errno));
	return (double)st.st_size / (1 << 20);
}

static bool missed;

static void put_goal(const char *what, double value, const char *unit, double limit)
{
	printf("%-44s %8.1f %s   goal %.0f: %s\n", what, value, unit, limit, value < limit ? "met" : "MISSED");
	missed |= value >= limit;
}

static void remove_all(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	char own[] = "/tmp/closedrill-bench-report-XXXXXX", program[700], pages[700];
	struct session s = { .dir = argc > 1 ? argv[1] : mkdtemp(own), .nimplementations = argc > 2 ? (size_t)atoi(argv[2]) : 40 };
	struct catalogue c;
	struct places at;
	struct fault f;
	struct size size = { 0 };
	double seconds, mib, busy;

	if (!s.dir || (mkdir(s.dir, 0777) != 0 && errno != EEXIST))
		give_up("no folder: %s", strerror(errno));
	if (!places_find(&at, &f) || !catalogue_load(&c, at.cases, &f))
		give_up("%s", f.msg);
	/* build/tests/bench_report -> build/closedrill */
	if (snprintf(program, sizeof(program), "%.*s/../closedrill", (int)(strrchr(argv[0], '/') - argv[0]), argv[0]) >= (int)sizeof(program))
		give_up("the path is too long");
	make_session(&s, &c);
	seconds = write_report(program, s.dir, &mib, &busy);
	snprintf(pages, sizeof(pages), "%s/report", s.dir);
	add_sizes(pages, &size);
	printf("The report of %zu implementations: %zu cases, %zu runs, results.json of %.1f MiB; %zu files of %.1f MiB\n\n", s.nimplementations, catalogue_cases(&c), s.nruns,
	       file_mib(s.dir, "results.json"), size.files, size.mib);
	put_goal("writing it", seconds, "s  ", goal.seconds);
	printf("%-44s %8.1f s\n", "of that, on a processor", busy);
	put_goal("peak memory", mib, "MiB", goal.mib);
	put_goal("its index", file_mib(s.dir, "index.html"), "MiB", goal.index_mib);
	catalogue_free(&c);
	if (argc < 2)
		remove_all(s.dir);
	return missed ? 1 : 0;
}
