/* worker: what all runs of a worker share, set up once. */
#include <stdlib.h>
#include <unistd.h>

#include "runner/drive.h"
#include "runner/sandbox.h"

bool worker_start(struct worker *w, const struct cert *ecdsa, const struct cert *rsa, const char *cert_path, const char *rsa_path,
                  struct fault *f)
{
	*w = (struct worker){ .listener = -1, .resend_ms = RESEND_MS, .diag = { -1 }, .ecdsa = *ecdsa, .rsa = *rsa,
	                      .cert_path = cert_path, .rsa_path = rsa_path };
	w->live = w->lives;
	for (int i = 0; i < LIVES_MAX; i++) {
		peer_init(&w->lives[i].peer);
		w->lives[i].conn = w->lives[i].held_fd = -1;
	}
	for (int server = 0; server < 2; server++)
		for (int v13 = 0; v13 < 2; v13++)
			if (!context_make(&w->contexts[server][v13], server, v13 ? TLS13 : TLS12, server ? ecdsa : NULL,
			                  server ? rsa : NULL, f))
				return false;
	w->listener = tcp_listen(0, f);
	if (w->listener < 0 || !sockdiag_open(&w->diag, f))
		return false;
	w->peer_port = tcp_local_port(w->listener);
	return capture_start(&w->capture, f);
}

void worker_end(struct worker *w)
{
	capture_end(&w->capture);
	sockdiag_close(&w->diag);
	for (int i = 0; i < LIVES_MAX; i++)
		peer_drop(&w->lives[i].peer);
	if (w->listener >= 0)
		close(w->listener);
	w->listener = -1;
	for (int i = 0; i < 4; i++)
		context_free(&w->contexts[i / 2][i % 2]);
	buf_free(&w->again);
	free(w->marks);
	w->marks = NULL;
}
