/* checksum: the Internet checksum. */
#include "peer/checksum.h"

uint32_t checksum_add(uint32_t sum, struct bytes x)
{
	for (size_t i = 0; i < x.n; i++) {
		sum += (uint32_t)x.p[i] << (i % 2 ? 0 : 8);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

unsigned checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}
