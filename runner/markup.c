/* markup: text as XML and HTML may hold it. */
#include "runner/markup.h"

#include "peer/plain.h"

struct entity { uint8_t byte; const char *text; };

static const struct entity always[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" },
                                        { 0, NULL } };
static const struct entity in_attribute[] = { { '\n', "&#10;" }, { '\t', "&#9;" }, { 0, NULL } };

static const char *entity_of(const struct entity *e, uint8_t byte)
{
	while (e->text && e->byte != byte)
		e++;
	return e->text;
}

static void put_text(struct buf *out, struct bytes text, bool attribute)
{
	while (text.n) {
		const char *entity = entity_of(always, text.p[0]);
		size_t n = text.p[0] == '\n' ? 1 : plain_length(text);
		struct bytes c;

		if (!entity && attribute)
			entity = entity_of(in_attribute, text.p[0]);
		bytes_take(&text, n ? n : 1, &c);
		if (entity)
			buf_printf(out, "%s", entity);
		else if (n)
			buf_add_bytes(out, c);
		else
			buf_printf(out, "\\x%02x", c.p[0]);
	}
}

void markup_text(struct buf *out, struct bytes text)
{
	put_text(out, text, false);
}

void markup_attribute(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, " %s=\"", name);
	put_text(out, bytes_of(value), true);
	buf_printf(out, "\"");
}
