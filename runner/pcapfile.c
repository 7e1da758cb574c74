/* pcapfile: a run as a capture file. */
#include "runner/pcapfile.h"

#include "runner/endpoints.h"
#include "runner/notes.h"
#include "runner/pcapng.h"

static void put_packets(struct pcapng *p, const struct evidence *e)
{
	struct buf frame = { 0 };
	struct notes n;

	notes_make(&n, e);
	for (size_t i = 0; i < e->nframes; i++) {
		frame.n = 0;
		endpoints_write(&frame, e, i);
		pcapng_packet(p, e->frames[i].at_ns, buf_bytes(&frame), buf_str(&n.of_frame[i]));
	}
	buf_free(&frame);
	notes_free(&n);
}

void evidence_pcapng(const struct evidence *e, const char *iut, const char *comment, struct buf *out)
{
	struct pcapng p = { *out };

	pcapng_start(&p, comment);
	pcapng_name(&p, endpoint_iut, iut);
	pcapng_name(&p, endpoint_peer, "peer");
	for (int i = 0; i < e->nconns; i++)
		if (e->conns[i].keylog.n)
			pcapng_secrets(&p, buf_bytes(&e->conns[i].keylog));
	put_packets(&p, e);
	*out = p.out;
}
