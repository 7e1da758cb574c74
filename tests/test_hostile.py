"""Hostile surroundings: adapters that harm, and machines on which little is as it should be. Each ends in what it is, with a message that says what
to do, and never in a wrong verdict; and nothing of it stays behind. tests/adapters/unruly.py does the harm."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import uuid

import pytest

from conftest import ADAPTERS, BUILD, Tool, load_results, marked_processes, wait_for

ONE = ["--role", "client", "--tls", "1.3", "--io", "blocking", "-j1"]
MEMORY_KIB = 400 << 10
FOLDERS = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/root", "/etc", os.path.expanduser("~")]
LITTER = "closedrill-unruly"


class Played:
    """One run of plain/hello by an adapter that does one thing wrong."""

    def __init__(self, ran, out):
        self.ran = ran
        self.run = load_results(out)["runs"][0] if (out / "results.json").exists() else None
        self.verdict = self.run and self.run["verdict"]
        self.reason = self.run and self.run.get("reason")
        self.findings = {f["requirement"]: f for f in self.run["findings"]} if self.run else {}
        traces = list(out.glob("*/plain/hello/*.trace"))
        self.trace = traces[0].read_text() if traces else ""

    def told(self, key):
        """What the adapter said that it could do."""
        return re.search(r"(?<!\S)%s=(\S+)" % re.escape(key), self.trace)[1]


@pytest.fixture
def unruly(small, out):
    def played(kind, status, **kw):
        ran = small("run", "tests:unruly " + kind, "-c", "plain/hello", *ONE, "--keep", "all", "-o", str(out), **kw)
        assert ran.status in (status if isinstance(status, tuple) else (status,)), ran
        assert "\033" not in ran.out + ran.err
        return Played(ran, out)
    return played


@pytest.fixture
def marker():
    """A word in the environment by which processes are found, also those that left their session; in the end there are none."""
    name, value = "CLOSEDRILL_TEST", str(uuid.uuid4())
    yield {name: value}
    left = marked_processes("%s=%s" % (name, value))
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def litter():
    return [f for f in FOLDERS + [ADAPTERS, BUILD] if os.path.exists(os.path.join(f, LITTER))]


# ---- What an adapter does to the runner ----

@pytest.mark.parametrize("kind, status, verdict, words", [
    ("logs-much", 0, "pass", []),
    ("closes-stderr", 0, "pass", []),
    ("closes-stdout", 3, "broken", ["closed its standard output and lives on"]),
    ("closes-stdin", 3, "broken", ["closed its standard input and lives on"]),
    ("killed", 3, "broken", ["SIGKILL", "out of memory", "-j"]),
    ("claims", 3, "broken", ["says that it is done", "handshake"]),
    ("sends-to-itself", 3, "broken", ["of its own"]),
])
def test_the_runner_is_not_harmed(unruly, kind, status, verdict, words):
    played = unruly(kind, status)
    assert played.verdict == verdict
    assert played.findings == {}
    for word in words:
        assert word in played.reason


def test_a_flood_of_small_records(unruly):
    """Nothing can be told of what tcpdump was too slow for. Of what it took there is much to tell: one close_notify behind the other."""
    played = unruly("sends-small", (1, 3))
    if played.verdict == "broken":
        assert played.findings == {} and "without end" in played.reason
    else:
        assert played.verdict == "fail" and "a second one" in played.findings["notify-once"]["observed"]


@pytest.mark.parametrize("kind, requirement, observed", [
    ("floods-stderr", "no-spin", "read -> spins"),
    ("sends", "no-spin", "read -> spins"),
    ("closes-all-and-dies", "no-crash", "read -> crash SIGABRT"),
    ("dies-and-leaves-children", "no-crash", "read -> crash SIGABRT"),
    ("connects-to-nobody", "no-other-connection", "another one was opened"),
    ("connects-to-the-peer", "no-other-connection", "another one was opened"),
    ("leaves-children", "nothing-left-behind", "a descriptor still holds the connection's socket"),
])
def test_the_harm_is_a_verdict(unruly, marker, kind, requirement, observed):
    played = unruly(kind, 1, env=marker)
    assert played.verdict == "fail"
    assert requirement in played.findings
    assert observed in played.findings[requirement]["observed"]


def test_ignores_signals(unruly, marker):
    """It waits for nothing that a case gives: that is seen, and it is ended."""
    played = unruly("ignores-signals", 1, env=marker)
    assert "read -> blocked" in played.findings["data-intact"]["observed"]


@pytest.mark.parametrize("kind, words", [
    ("says-escapes", [r"\x1b[2J", "gone"]),
    ("greets-without-end", ["breaks the contract", "greeting has no end"]),
    ("unasked", ["breaks the contract", "does not exist"]),
])
def test_the_greeting(unruly, kind, words):
    played = unruly(kind, 3)
    for word in words:
        assert word in played.ran.err


def test_putting_off_without_end(small, out):
    """By count, whatever the load: 10,000 times without anything that moves."""
    results = small.results("tests:babbling again", "-c", "plain/hello", *ONE, out=out, status=1)
    assert [(f["requirement"], f["native"]) for f in results["runs"][0]["findings"]] == [("no-spin", '"it asks to be called again without end"')]


@pytest.mark.skipif("san-" in BUILD, reason="a sanitizer's own memory is a multiple of that")
@pytest.mark.parametrize("kind", ["floods-stderr", "sends"])
def test_memory_is_bounded(small, kind):
    """Of the runner and of all that it starts, each by itself."""
    words = small.command("run", "tests:unruly " + kind, "-c", "plain/hello", *ONE, "-q")
    script = "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], stdout=-3)\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    ran = subprocess.run(["/usr/bin/python3", "-c", script] + words, capture_output=True, text=True, timeout=60, cwd=small.build)
    assert int(ran.stdout) < MEMORY_KIB, ran


# ---- What an adapter does to the machine ----

def test_writes_are_thrown_away(unruly):
    """It sees all that there is, and writes to a copy where programs have to write, and nowhere else."""
    played = unruly("writes-everywhere", 0)
    assert {f: played.told(f) for f in ("/tmp", "/var/tmp", "/dev/shm")} == {"/tmp": "done", "/var/tmp": "done", "/dev/shm": "done"}
    assert played.told("/etc") in ("EROFS", "EACCES")
    assert litter() == []


def test_writes_of_a_greeting_are_thrown_away(unruly):
    unruly("greets-and-writes", 0)
    assert litter() == []


def test_writable_where_the_user_says(unruly, tmp_path, small):
    """For coverage, a library's log, SSLKEYLOGFILE."""
    there = pathlib.Path(small.tests)
    played = unruly("writes-everywhere", 0, env={"CLOSEDRILL_WRITABLE": "/no/such/folder:" + str(there)})
    assert (there / LITTER).exists()
    (there / LITTER).unlink()
    assert played.verdict == "pass"


def test_eats_disk(unruly):
    played = unruly("eats-disk", 0)
    assert all(played.told(f) == "ENOSPC" for f in ("/tmp", "/var/tmp", "/dev/shm"))
    assert litter() == []


def test_eats_descriptors(unruly):
    played = unruly("eats-descriptors", 0)
    assert re.search(r"EMFILE-before-(\d+)", played.trace)[1] in ("4096", "1024", "2048")


def test_leaves_no_process(unruly, marker):
    """The marker's end looks for them."""
    unruly("leaves-children", 1, env=marker)


def test_sees_no_process_but_its_own(unruly):
    played = unruly("kills-all", 0)
    assert played.told("kill") in ("ESRCH", "done") and int(played.told("sees")) == 2


def test_cannot_touch_the_certificate(unruly):
    assert unruly("changes-the-certificate", 0).told("write") == "EPERM"


def test_the_certificate_holds_at_any_time(unruly):
    """Some clients do look at it, whatever the clock says."""
    played = unruly("dates", 0)
    assert (played.told("from"), played.told("until")) == ("1970", "2099")


def test_no_disks(unruly):
    assert unruly("devices", 0).told("dev") == "fd,full,null,random,shm,stderr,stdin,stdout,urandom,zero"


@pytest.mark.parametrize("root", [True, False])
def test_no_rights(unruly, root, small, ordinary_user, open_dir):
    if root and os.geteuid() != 0:
        pytest.skip("only root has what is to be taken")
    out = pathlib.Path(open_dir) / "out"
    ran = small("run", "tests:unruly rights", "-c", "plain/hello", *ONE, "--keep", "all", "-o", str(out), user=None if root else ordinary_user,
                env={"TMPDIR": "/no/such/folder"})
    assert ran.status == 0, ran
    played = Played(ran, out)
    assert (played.told("caps"), played.told("bounding"), played.told("no-new-privs")) == ("0", "0", "1")
    assert played.told("mount") == "EPERM" and played.told("sysctl") in ("EROFS", "EACCES")
    assert played.told("uid") == ("0" if root else str(ordinary_user))
    assert played.told("ipc") != os.readlink("/proc/self/ns/ipc")
    # Where memory ends it goes first; a crash writes no file; a fork bomb has an end, but for real root's.
    assert (played.told("oom"), played.told("core"), played.told("tmpdir")) == ("1000", "0", "/tmp") and int(played.told("processes")) <= 8192


def test_by_sudo_it_is_the_callers(unruly, ordinary_user):
    if os.geteuid() != 0:
        pytest.skip("only root can become another")
    played = unruly("rights", 0, env={"SUDO_UID": str(ordinary_user), "SUDO_GID": str(ordinary_user)})
    assert (played.told("uid"), played.told("caps")) == (str(ordinary_user), "0")


def test_inherits_no_descriptor(small, out):
    with open("/etc/passwd") as secret:
        os.set_inheritable(secret.fileno(), True)
        ran = small("run", "tests:unruly inherits", "-c", "plain/hello", *ONE, "--keep", "all", "-o", str(out), env={"SECRET": "/etc/passwd"}, close_fds=False)
    assert ran.status == 0
    assert Played(ran, out).told("open") == "0"


def test_the_network_has_nowhere_to_go(unruly):
    assert unruly("connects-to-the-world", 0).told("connect") == "ENETUNREACH"


def test_sockets_of_the_host_do_not_answer(small, out, open_dir):
    """Whoever listens below /tmp is outside."""
    path = os.path.join(open_dir, "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.listen()
        ran = small("run", "tests:unruly connects-by-path", "-c", "plain/hello", *ONE, "--keep", "all", "-o", str(out), env={"SOCKET": path})
    assert ran.status == 0, ran
    assert Played(ran, out).told("connect") == "ECONNREFUSED"


@pytest.fixture
def listener():
    """Somebody who listens on the host; in the end nobody has called."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]
        s.setblocking(False)
        with pytest.raises(BlockingIOError):
            s.accept()


def test_the_greeting_has_no_network(unruly, listener):
    played = unruly("greets-and-connects", 0, env={"PORT": str(listener)})
    assert played.run["library"].endswith(("connect=ENETUNREACH", "connect=ECONNREFUSED"))


# ---- What is killed ----

@pytest.fixture
def started(small, marker, tmp_path):
    """A run that has begun its first connection, or had its first result."""
    running = []

    def start(*words, until=1, **kw):
        p = small.start("run", *words, *ONE, "-o", str(tmp_path / "out"), env=dict(marker, **kw))
        running.append(p)
        part = tmp_path / "out" / "results.json.part"
        wait_for("%d results" % until, lambda: part.exists() and part.read_text().count('"verdict"') >= until)
        return p
    yield start
    for p in running:
        if p.poll() is None:
            p.kill()
        p.communicate()


def named(marker, name):
    """Processes of the run with this name: {pid: status file as a dict}."""
    found = {}
    for pid in marked_processes("%s=%s" % next(iter(marker.items()))):
        try:
            text = pathlib.Path("/proc/%d/status" % pid).read_text()
        except OSError:
            continue
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        if status["Name"] == name:
            found[pid] = status
    return found


def test_runner_killed(started, marker):
    """SIGKILL: nobody has time to clean up, and nothing stays, not even what left its session and ignores signals."""
    p = started("tests:unruly leaves-children-and-naps", "-c", "plain/[ch]*", until=1)
    wait_for("children are left", lambda: len(named(marker, "unruly.py")) >= 3)
    p.kill()
    p.wait()
    # A worker that is not killed with it would go on to the end of its run, and find out then: the adapter's nap takes it to the watchdog of ten seconds.
    wait_for("they are gone", lambda: not marked_processes("CLOSEDRILL_TEST=" + marker["CLOSEDRILL_TEST"]), seconds=8)


def test_tcpdump_killed_once(started, marker, tmp_path):
    """It costs one run; the next has a new one."""
    p = started("tests:late", "-c", "plain/[chw]*")
    for pid in named(marker, "tcpdump"):
        os.kill(pid, signal.SIGKILL)
    told, err = p.communicate(timeout=60)
    assert p.returncode == 3, (told, err)
    runs = load_results(tmp_path / "out")["runs"]
    assert sorted(r["verdict"] for r in runs) == ["broken", "pass", "pass", "pass"]
    assert all("tcpdump" in r["reason"] for r in runs if r["verdict"] == "broken")


# ---- Least privilege ----

NET_ADMIN, NET_RAW, SETGID, SETUID = 12, 13, 6, 7
WORKER = [1, 5, SETGID, SETUID, 8, NET_ADMIN, NET_RAW, 18, 19, 21]


def mask(caps):
    return sum(1 << c for c in caps)


@pytest.mark.parametrize("root", [True, False])
def test_each_has_what_it_needs(started, marker, public, ordinary_user, open_dir, root):
    """The runner, its workers and tcpdump: of root's capabilities those that their work takes."""
    if root and os.geteuid() != 0:
        pytest.skip("only root has what is to be taken")
    p = public.start("run", "tests:late 0.2", "-c", "truncation/fin-*", *ONE, "-o", os.path.join(open_dir, "out"), env=marker, user=None if root else ordinary_user)
    try:
        dumps = wait_for("tcpdump is up", lambda: named(marker, "tcpdump"))
        wait_for("the adapter is up", lambda: any("CapBnd" in s and int(s["CapBnd"], 16) == 0 for s in named(marker, "late.py").values()))
        runners = named(marker, "closedrill")
        adapters = named(marker, "late.py")
    finally:
        p.terminate()
        p.communicate(timeout=60)
    assert all(int(s["CapEff"], 16) & ~mask([NET_ADMIN, NET_RAW, SETGID, SETUID]) == 0 for s in dumps.values())
    assert all(int(s["CapEff"], 16) & ~mask(WORKER) == 0 for s in runners.values())
    assert not root or all(int(s["CapBnd"], 16) & ~mask(WORKER) == 0 for s in runners.values())
    assert all(int(s["CapBnd"], 16) == int(s["CapPrm"], 16) == 0 for s in adapters.values())


# ---- The machine ----

MOUNTED = "only root can make such a machine"


def on_a_machine(small, preparation, *args, user=None, env=None, **kw):
    """Runs the tool in a mount namespace that the shell commands have prepared; status 77 of theirs skips."""
    if os.geteuid() != 0:
        pytest.skip(MOUNTED)
    words = small.command(*args)
    if user is not None:
        words = ["setpriv", "--reuid=%d" % user, "--regid=%d" % user, "--clear-groups"] + words
    script = "{ %s; } || exit 77; exec \"$@\"" % preparation.strip().replace("\n", " && ")
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh"] + words, capture_output=True, text=True, timeout=60,
                         env=dict(os.environ, LC_ALL="C", **(env or {})), **kw)
    if ran.returncode == 77:
        pytest.skip("cannot prepare: " + ran.stderr)
    return ran


HELLO = ["-c", "plain/hello", *ONE]


@pytest.mark.parametrize("root", [True, False])
def test_processes_are_hidden(small, ordinary_user, root):
    """/proc mounted with hidepid=2: each worker has its own."""
    ran = on_a_machine(small, "mount -t proc -o hidepid=2 proc /proc", "run", "openssl", *HELLO, user=None if root else ordinary_user)
    assert (ran.returncode, ran.stderr) == (0, ""), ran


def test_bare_dev(small):
    """No /dev/net/tun, no /dev/shm, nothing but what every program takes for granted."""
    ran = on_a_machine(small, "mount -t tmpfs none /mnt\nfor d in null zero full random urandom; do touch /mnt/$d; mount --bind /dev/$d /mnt/$d || exit 77; done\n"
                              "mount --move /mnt /dev", "run", "openssl", *HELLO)
    assert (ran.returncode, ran.stderr) == (0, ""), ran


def test_masked_proc(small, ordinary_user):
    """As container engines leave it: then nobody may mount another, and it is said what to do."""
    ran = on_a_machine(small, "mount -t tmpfs -o ro none /proc/sys/kernel", "run", "openssl", *HELLO, user=ordinary_user)
    assert ran.returncode == 3
    assert "cannot mount /proc" in ran.stderr and "--privileged" in ran.stderr and "systempaths=unconfined" in ran.stderr


def test_program_on_a_disk_of_its_own(small, open_dir):
    """It is mounted below /tmp, where adapters get a copy of what is there: the copy does not hide it."""
    tree = os.path.join(open_dir, "tree")
    there = Tool(os.path.join(tree, "build"), os.path.join(tree, "adapters"))
    os.mkdir(tree)
    ran = on_a_machine(there, 'mount -t tmpfs none "$TREE"\ncp -r "$FROM"/. "$TREE"', "run", "openssl", "tests:honest", *HELLO,
                       env={"TREE": tree, "FROM": os.path.dirname(small.build)})
    assert (ran.returncode, ran.stderr) == (0, ""), ran


def without_capabilities(small, *args, limit=""):
    if os.geteuid() != 0:
        pytest.skip(MOUNTED)
    drop = ["setpriv", "--bounding-set=-all" + ("" if limit else ",+setfcap"), "--inh-caps=-all"]
    script = (limit and "echo 0 > /proc/sys/user/max_user_namespaces && ") + 'exec "$@"'
    outer = ["unshare", "--user", "--map-root-user"] if limit else []
    return subprocess.run(outer + ["sh", "-c", script, "sh"] + drop + small.command(*args), capture_output=True, text=True, timeout=60, env=dict(os.environ, LC_ALL="C"))


def test_root_without_capabilities(small, out):
    """A container that gives root no more than CAP_SETFCAP, as most do, and lets it make user namespaces: that is enough."""
    ran = without_capabilities(small, "run", "openssl", *HELLO, "-o", str(out))
    assert ran.returncode == 0, ran
    assert os.stat(out / "results.json").st_uid == os.geteuid()


def test_root_without_capabilities_and_namespaces(small, out):
    """One that gives nothing at all: it is said what to do."""
    ran = without_capabilities(small, "run", "openssl", *HELLO, "-o", str(out), limit="0")
    assert ran.returncode == 3
    for word in "namespaces", "--privileged", "max_user_namespaces":
        assert word in ran.stderr, ran
    assert ran.stdout == ""


@pytest.mark.parametrize("root", [True, False])
def test_nothing_is_written_but_results(small, ordinary_user, open_dir, root):
    """With all file systems read-only but the folder of -o."""
    out = os.path.join(open_dir, "out")
    ran = on_a_machine(small, 'mount --bind "$OUT" "$OUT"\nfor m in $(cut -d" " -f2 /proc/mounts | sort -u); do [ "$m" = "$OUT" ] || [ "$m" = /proc ] || mount -o remount,bind,ro "$m" 2>/dev/null; done; '
                              '! touch /tmp/.closedrill-read-only 2>/dev/null',
                       "run", "openssl", "reference", "-c", "plain/*", "-j2", "--keep", "all", "-o", out, user=None if root else ordinary_user, env={"OUT": open_dir})
    assert ran.returncode == 0, ran
    assert load_results(out)["totals"]["pass"] == 2 * 5 * 12 and os.path.exists(os.path.join(out, "index.html"))


@pytest.mark.parametrize("limit", [5, 9, 13, 18, 22, 26, 40])
def test_few_descriptors(small, out, limit):
    """All passes, or it is said what is missing."""
    words = small.command("run", "openssl", "-c", "plain/*", "--role", "client", "-j2", "-o", str(out))
    ran = subprocess.run(["prlimit", "--nofile=%d" % limit] + words, capture_output=True, text=True, timeout=60, env=dict(os.environ, LC_ALL="C"))
    if ran.returncode != 0:
        assert ran.returncode == 3, ran
        assert re.search("Too many open files.*ulimit -n|error while loading shared libraries.*cannot open", ran.stdout + ran.stderr, re.S | re.I), ran
    if (out / "results.json").exists():
        assert {r["verdict"] for r in load_results(out)["runs"]} <= {"pass", "broken"}
    assert limit < 40 or ran.returncode == 0, ran


def test_nobody_takes_the_output(small):
    with open("/dev/full", "w") as full:
        ran = small("run", "openssl", *HELLO, stdout=full)
    assert ran.status == 3 and "standard output" in ran.err and "No space left" in ran.err


JUMPING = r"""
/* The wall clock goes a hundred days forth and back at every look; the one that only goes on stays as it is. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long jump(void)
{
	static unsigned n;

	return (n++ % 3 - 1L) * 100 * 86400;
}

int clock_gettime(clockid_t which, struct timespec *t)
{
	int r = (int)syscall(SYS_clock_gettime, which, t);

	if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)
		t->tv_sec += jump();
	return r;
}

int gettimeofday(struct timeval *restrict v, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	*v = (struct timeval){ t.tv_sec, t.tv_nsec / 1000 };
	return 0;
}

time_t time(time_t *to)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (to)
		*to = t.tv_sec;
	return t.tv_sec;
}
"""


@pytest.mark.skipif("san-" in BUILD, reason="a sanitizer's runtime has to come first")
def test_a_clock_that_jumps(tool, tmp_path):
    """No verdict, no call and no packet differs: the wall clock is in no decision."""
    source, library = tmp_path / "jumping.c", tmp_path / "jumping.so"
    source.write_text(JUMPING)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    jumped = subprocess.run(["date", "+%s"], capture_output=True, text=True, env={"LD_PRELOAD": str(library)}).stdout
    assert abs(int(jumped) - time.time()) > 86400               # so the shim is in the way
    seen = []
    for env in {}, {"LD_PRELOAD": str(library)}:
        results = tool.results("openssl", "reference", "-c", "truncation/fin-*", "-c", "orderly/*", "--tls", "1.3", "--expected", "none", "-j2", out=tmp_path / str(len(env)), env=env)
        assert results["ran"].status in (0, 1), results["ran"]
        seen.append([(r["implementation"], r["case"], r["role"], r["io"], r["with"], r["verdict"], [f["observed"] for f in r["findings"]]) for r in results["runs"]])
    assert len(seen[0]) > 100
    assert seen[0] == seen[1]
