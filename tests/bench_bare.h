/* bench_bare: the connection that a run is compared with, between two processes, OpenSSL at both ends, and nothing beside it. Part of
 * tests/bench alone. */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <sys/prctl.h>

#include "peer/cert.h"
#include "peer/tcp.h"
#include "runner/wait.h"
#include "tests/bench_util.h"

enum { BARE_CONNECTIONS = 800, BARE_WARM_UP = 40 };

struct bare { double us, cpu_us; };             /* of one connection: from one to the next; of the processor, both ends together */

/* The two processes are called as in the suite: the IUT opens connections as client, and has OpenSSL's defaults; the peer sends
 * no ticket. */
struct side {
	bool iut;
	SSL_CTX *ctx[2][2];                     /* [the IUT is the server][1.3] */
	int listener;
	struct sockaddr_in other;               /* where the other side listens */
};

static SSL_CTX *bare_context(bool iut, bool server, int version, const struct cert *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, version) || !SSL_CTX_set_max_proto_version(ctx, version) ||
	    !SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"closedrill", 10))
		give_up("no TLS context");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (!iut) {
		SSL_CTX_set_num_tickets(ctx, 0);
		if (version == TLS1_2_VERSION)
			SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	}
	if (server && (!SSL_CTX_use_certificate(ctx, cert->x509) || !SSL_CTX_use_PrivateKey(ctx, cert->key)))
		give_up("the certificate is not taken");
	return ctx;
}

static void side_start(struct side *s, bool iut, const struct cert *cert)
{
	struct fault f;

	*s = (struct side){ .iut = iut, .listener = tcp_listen(0, &f) };
	if (s->listener < 0)
		give_up("%s", f.msg);
	fcntl(s->listener, F_SETFL, 0);
	for (int iut_server = 0; iut_server < 2; iut_server++)
		for (int v13 = 0; v13 < 2; v13++)
			s->ctx[iut_server][v13] = bare_context(iut, iut == iut_server, v13 ? TLS1_3_VERSION : TLS1_2_VERSION, cert);
}

static int bare_socket(const struct side *s, bool server)
{
	int one = 1, fd = server ? accept4(s->listener, NULL, NULL, SOCK_CLOEXEC) : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
	    (!server && connect(fd, (const struct sockaddr *)&s->other, sizeof(s->other)) != 0))
		give_up("no bare connection: %s", strerror(errno));
	return fd;
}

/* The peer writes and ends first, as in orderly/peer-first-both. */
static bool bare_talk(SSL *ssl, bool iut)
{
	char text[16];

	if (!iut)
		return SSL_write(ssl, "hello", 5) == 5 && SSL_shutdown(ssl) == 0 && SSL_shutdown(ssl) == 1;
	return SSL_read(ssl, text, 5) == 5 && SSL_read(ssl, text, 5) == 0 && SSL_shutdown(ssl) == 1;
}

static void bare_connection(const struct side *s, unsigned i)
{
	bool iut_server = i & 1, server = s->iut == iut_server;
	SSL *ssl = SSL_new(s->ctx[iut_server][i >> 1 & 1]);
	int fd = bare_socket(s, server);

	if (!ssl || !SSL_set_fd(ssl, fd) || (server ? SSL_accept(ssl) : SSL_connect(ssl)) != 1 || !bare_talk(ssl, s->iut))
		give_up("a bare connection failed as %s", server ? "server" : "client");
	SSL_free(ssl);
	close(fd);
}

static void bare_connections(const struct side *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bare_connection(s, i);
}

/* The processor time is that of both, from the first connection of the warm-up on. */
static struct bare bare_both(const struct side *iut, const struct side *peer)
{
	struct rusage before, own, others;
	int64_t began, took;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bare_connections(peer, BARE_WARM_UP + BARE_CONNECTIONS);
		_exit(0);
	}
	getrusage(RUSAGE_SELF, &before);
	bare_connections(iut, BARE_WARM_UP);
	began = now_us();
	bare_connections(iut, BARE_CONNECTIONS);
	took = now_us() - began;
	getrusage(RUSAGE_SELF, &own);
	if (wait4(pid, NULL, 0, &others) != pid)
		give_up("the bare loop's other end is gone");
	return (struct bare){ (double)took / BARE_CONNECTIONS,
	                      (cpu_us(&own) - cpu_us(&before) + cpu_us(&others)) / (BARE_WARM_UP + BARE_CONNECTIONS) };
}

static struct bare bare_loop(void)
{
	struct side iut, peer;
	struct cert cert;
	struct fault f;
	socklen_t n = sizeof(iut.other);

	if (!cert_make_ecdsa(&cert, &f))
		give_up("%s", f.msg);
	side_start(&iut, true, &cert);
	side_start(&peer, false, &cert);
	getsockname(peer.listener, (struct sockaddr *)&iut.other, &n);
	getsockname(iut.listener, (struct sockaddr *)&peer.other, &n);
	return bare_both(&iut, &peer);
}

static void bare_free_work(double *to)
{
	*(struct bare *)to = bare_loop();
}

/* Both ends on one processor: they take turns anyway, and the one wakes the other for less. */
static void bare_one_processor_work(double *to)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		give_up("sched_setaffinity: %s", strerror(errno));
	*(struct bare *)to = bare_loop();
}

#endif
