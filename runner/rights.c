/* rights: what processes of ours may do. */
#include "runner/rights.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* As real root tcpdump sets its user anew (-Z root), and a worker writes into folders of others. */
static const uint64_t caps_of[RIGHTS_COUNT] = {
	[RIGHTS_NONE] = 0,
	[RIGHTS_WORKER] = CAP(NET_ADMIN) | CAP(NET_RAW) | CAP(SYS_ADMIN) | CAP(SYS_PTRACE) | CAP(SYS_CHROOT) | CAP(SETPCAP) | CAP(SETUID) |
	                  CAP(SETGID) | CAP(KILL) | CAP(DAC_OVERRIDE),
	[RIGHTS_CAPTURE] = CAP(NET_ADMIN) | CAP(NET_RAW) | CAP(SETUID) | CAP(SETGID),
	[RIGHTS_NETWORK] = CAP(NET_ADMIN),
};

typedef struct __user_cap_data_struct caps[2];          /* the kernel's name: 32 of them in each */

static bool caps_get(struct __user_cap_header_struct *head, caps c)
{
	*head = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_3, 0 };
	return syscall(SYS_capget, head, c) == 0;
}

bool rights_has(int cap)
{
	struct __user_cap_header_struct head;
	caps c;

	return caps_get(&head, c) && c[cap / 32].effective & 1u << cap % 32;
}

bool rights_take(enum rights r)
{
	uint64_t keep = caps_of[r];
	struct __user_cap_header_struct head;
	caps c;

	/* What a program of root's, or one with capabilities in its file, could get back. An ordinary user has no say in that, and needs
	 * none. */
	for (int cap = 0; rights_has(CAP_SETPCAP) && cap < 64; cap++)
		if (!(keep >> cap & 1))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (!caps_get(&head, c))
		return false;
	for (int i = 0; i < 2; i++) {
		c[i].permitted &= (uint32_t)(keep >> 32 * i);
		c[i].effective = c[i].inheritable = c[i].permitted;
	}
	if (syscall(SYS_capset, &head, c) != 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return false;
	/* Ambient: they pass to what is executed by one who is not root in his namespace. */
	for (int cap = 0; cap < 64; cap++)
		if (c[cap / 32].permitted >> cap % 32 & 1)
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return r != RIGHTS_NONE || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
