/* pcapng: see pcapng.h. Written little-endian on every machine: readers take the byte order from the section header, and so
 * a capture does not depend on where it was made. */
#include "runner/pcapng.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* draft-ietf-opsawg-pcapng 4 (blocks), 3.5 (options). */
enum { IDB = 1, NRB = 4, EPB = 6, DSB = 10, SHB = 0x0a0d0d0a };
enum { OPT_END, OPT_COMMENT, SHB_HARDWARE, SHB_OS, SHB_USERAPPL, IF_TSRESOL = 9 };
enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d, LINKTYPE_ETHERNET = 1, SECRETS_TLSK = 0x544c534b };
enum { NRB_END, NRB_IPV4 };
enum { OPTION_MAX = 65535 };            /* lengths of options and names have 16 bits */

static void put16(struct buf *b, unsigned v)
{
	buf_u8(b, v & 255);
	buf_u8(b, v >> 8 & 255);
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v & 65535);
	put16(b, v >> 16);
}

static void put_padding(struct buf *b, size_t n)
{
	for (; n % 4 != 0; n++)
		buf_u8(b, 0);
}

static void put_padded(struct buf *b, struct bytes x)
{
	buf_add_bytes(b, x);
	put_padding(b, x.n);
}

/* A block has its length at both ends, so that a reader can also go backwards. */
static size_t block_start(struct buf *b, uint32_t type)
{
	size_t at = b->n;

	put32(b, type);
	put32(b, 0);
	return at;
}

static void block_end(struct buf *b, size_t at)
{
	size_t len = b->n - at + 4;

	assert(len % 4 == 0 && len <= UINT32_MAX);
	put32(b, (uint32_t)len);
	memcpy(b->p + at + 4, b->p + b->n - 4, 4);
}

/* What fits of a text, cut between two characters: the format wants valid UTF-8. */
static struct bytes text_fit(const char *text, size_t max)
{
	struct bytes x = bytes_of(text);

	if (x.n <= max)
		return x;
	for (x.n = max; x.n > 0 && (x.p[x.n] & 0xc0) == 0x80; x.n--)
		;
	return x;
}

static void put_option(struct buf *b, unsigned code, struct bytes value)
{
	put16(b, code);
	put16(b, (unsigned)value.n);
	put_padded(b, value);
}

static void put_text(struct buf *b, unsigned code, const char *text)
{
	if (text && *text)
		put_option(b, code, text_fit(text, OPTION_MAX));
}

static void section_header(struct buf *b, const char *comment)
{
	struct utsname host = { 0 };
	char os[sizeof(host.sysname) + sizeof(host.release)] = "";
	size_t at = block_start(b, SHB);

	uname(&host);           /* fails only on a bad address */
	snprintf(os, sizeof(os), "%s %s", host.sysname, host.release);
	put32(b, BYTE_ORDER_MAGIC);
	put16(b, 1);            /* version 1.0 */
	put16(b, 0);
	put32(b, UINT32_MAX);   /* -1: the length of the section is not given */
	put32(b, UINT32_MAX);
	put_text(b, OPT_COMMENT, comment);
	put_text(b, SHB_HARDWARE, host.machine);
	put_text(b, SHB_OS, os);
	put_text(b, SHB_USERAPPL, "closedrill");
	put_option(b, OPT_END, (struct bytes){ 0 });
	block_end(b, at);
}

static void interface_description(struct buf *b)
{
	static const uint8_t nanoseconds = 9;           /* 10^-9 */
	size_t at = block_start(b, IDB);

	put16(b, LINKTYPE_ETHERNET);
	put16(b, 0);
	put32(b, 0);            /* snaplen: no limit */
	put_option(b, IF_TSRESOL, (struct bytes){ &nanoseconds, 1 });
	put_option(b, OPT_END, (struct bytes){ 0 });
	block_end(b, at);
}

void pcapng_start(struct pcapng *p, const char *comment)
{
	section_header(&p->out, comment);
	interface_description(&p->out);
}

void pcapng_secrets(struct pcapng *p, struct bytes keylog)
{
	size_t at = block_start(&p->out, DSB);

	put32(&p->out, SECRETS_TLSK);
	put32(&p->out, (uint32_t)keylog.n);
	put_padded(&p->out, keylog);
	block_end(&p->out, at);
}

void pcapng_name(struct pcapng *p, const uint8_t ipv4[4], const char *name)
{
	struct bytes text = text_fit(name, OPTION_MAX - 4 - 1);
	size_t at = block_start(&p->out, NRB);

	put16(&p->out, NRB_IPV4);
	put16(&p->out, (unsigned)(4 + text.n + 1));
	buf_add(&p->out, ipv4, 4);
	buf_add_bytes(&p->out, text);
	buf_u8(&p->out, 0);
	put_padding(&p->out, text.n + 1);
	put32(&p->out, NRB_END);
	block_end(&p->out, at);
}

void pcapng_packet(struct pcapng *p, int64_t at_ns, struct bytes frame, const char *comment)
{
	uint64_t t = (uint64_t)at_ns;
	size_t at = block_start(&p->out, EPB);

	put32(&p->out, 0);      /* our only interface */
	put32(&p->out, (uint32_t)(t >> 32));
	put32(&p->out, (uint32_t)t);
	put32(&p->out, (uint32_t)frame.n);
	put32(&p->out, (uint32_t)frame.n);
	put_padded(&p->out, frame);
	if (comment && *comment) {
		put_text(&p->out, OPT_COMMENT, comment);
		put_option(&p->out, OPT_END, (struct bytes){ 0 });
	}
	block_end(&p->out, at);
}
