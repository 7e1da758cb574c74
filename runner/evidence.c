/* evidence: all that one run showed. */
#include "runner/evidence.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/variants.h"

bool variant_client(unsigned variant)
{
	return (variant & FOR_CLIENT) != 0;
}

bool variant_13(unsigned variant)
{
	return (variant & FOR_TLS13) != 0;
}

int iut_dir(unsigned variant)
{
	return variant_client(variant) ? 0 : 1;
}

size_t packet_step(const struct evidence *e, int conn, size_t packet)
{
	const struct conn_seen *c = &e->conns[conn];

	return packet < c->npackets ? e->frames[c->packet_frame[packet]].step : e->script->nsteps;
}

size_t item_step(const struct evidence *e, int conn, const struct seen_item *it)
{
	return packet_step(e, conn, it->packet);
}

bool step_answered(const struct evidence *e, int conn, size_t step)
{
	const struct step_seen *seen = &e->steps[step];

	return seen->ran && seen->answered && seen->conn == conn;
}

bool step_is_others(const struct evidence *e, int conn, size_t step)
{
	return e->steps[step].conn != conn;
}

void evidence_start(struct evidence *e, const struct script *s, unsigned variant)
{
	*e = (struct evidence){ .script = s, .variant = variant, .ended_at = s->nsteps };
	e->steps = calloc(s->nsteps + 1, sizeof(*e->steps));
	assert(e->steps);
}

static void conn_free(struct conn_seen *c)
{
	stream_free(&c->stream);
	decoded_free(&c->decoded);
	buf_free(&c->keylog);
	free(c->packet_frame);
	buf_free(&c->sent);
	free(c->claims);
	free(c->flights);
	buf_free(&c->read_text);
	buf_free(&c->written);
}

void evidence_free(struct evidence *e)
{
	for (size_t i = 0; e->steps && i <= e->script->nsteps; i++)
		answer_free(&e->steps[i].answer);
	free(e->steps);
	for (int i = 0; i < e->nconns; i++)
		conn_free(&e->conns[i]);
	free(e->frames);
	buf_free(&e->frames_data);
	*e = (struct evidence){ 0 };
}

void variant_print(struct buf *out, unsigned variant, const struct script *s, size_t with)
{
	buf_printf(out, "%s %s %s", variant_role(variant), variant_tls(variant), variant_io(variant));
	if (s && s->with_name.n && with < s->nwith)
		buf_printf(out, " %.*s=%.*s", (int)s->with_name.n, (const char *)s->with_name.p,
		           (int)s->with[with].n, (const char *)s->with[with].p);
}
