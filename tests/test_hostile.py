"""Hostile surroundings: adapters that harm, and machines on which little is as it should be. Each ends in what it is, with a message that says what
to do, and never in a wrong verdict; and nothing of it stays behind. tests/adapters/unruly.py does the harm."""

import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import uuid

import pytest

from conftest import ADAPTERS, BUILD, CASES, load_results, marked_processes, wait_for

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
        assert ran.status == status, ran
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
    ("sends-small", 3, "broken", ["without end"]),
    ("sends-to-itself", 3, "broken", ["of its own"]),
])
def test_the_runner_is_not_harmed(unruly, kind, status, verdict, words):
    played = unruly(kind, status)
    assert played.verdict == verdict
    assert played.findings == {}
    for word in words:
        assert word in played.reason


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
    assert [f["requirement"] for f in results["runs"][0]["findings"]] == ["no-spin"]


@pytest.mark.parametrize("kind", ["floods-stderr", "sends-to-itself", "sends"])
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


def test_no_disks(unruly):
    assert unruly("devices", 0).told("dev") == "fd,full,null,random,shm,stderr,stdin,stdout,urandom,zero"


@pytest.mark.parametrize("root", [True, False])
def test_no_rights(unruly, root, small, ordinary_user, open_dir):
    if root and os.geteuid() != 0:
        pytest.skip("only root has what is to be taken")
    out = pathlib.Path(open_dir) / "out"
    ran = small("run", "tests:unruly rights", "-c", "plain/hello", *ONE, "--keep", "all", "-o", str(out), user=None if root else ordinary_user)
    assert ran.status == 0, ran
    played = Played(ran, out)
    assert (played.told("caps"), played.told("bounding"), played.told("no-new-privs")) == ("0", "0", "1")
    assert played.told("mount") == "EPERM" and played.told("sysctl") in ("EROFS", "EACCES")
    assert played.told("uid") == ("0" if root else str(ordinary_user))


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
    import socket
    path = os.path.join(open_dir, "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.listen()
        ran = small("run", "tests:unruly connects-by-path", "-c", "plain/hello", *ONE, "--keep", "all", "-o", str(out), env={"SOCKET": path})
    assert ran.status == 0, ran
    assert Played(ran, out).told("connect") == "ECONNREFUSED"
