#!/usr/bin/python3
"""Does in a read what no adapter should, or to the machine what none may: the argument says what. What it could do stands in the native part."""

import errno
import os
import resource
import signal
import socket
import ssl
import sys
import time

from iut import Iut, run, sleep_without_end

KIND = sys.argv[1]
FOLDERS = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/root", "/etc", os.path.expanduser("~"), os.path.dirname(__file__), "."]


def outcome(call):
    """`done`, or the name of the error."""
    try:
        call()
    except OSError as e:
        return errno.errorcode.get(e.errno, "error")
    return "done"


def forever(call):
    while True:
        call()


def fill(folder):
    """Writes a file without end; how many MB went."""
    n = 0
    try:
        with open(os.path.join(folder, "closedrill-unruly"), "wb", buffering=0) as f:
            while n < 1000:
                f.write(bytes(1 << 20))
                n += 1
    except OSError as e:
        return "%s=%s" % (folder, errno.errorcode[e.errno])
    return "%s=%dMB" % (folder, n)


def all_descriptors():
    kept = []
    try:
        forever(lambda: kept.append(os.open("/dev/null", os.O_RDONLY)))
    except OSError as e:
        told = "%s-before-%d" % (errno.errorcode[e.errno], 1 << len(kept).bit_length())
    for fd in kept:
        os.close(fd)
    return told


def leave_child(how):
    """A child that nobody waits for, of another session, that ignores what can be ignored."""
    if os.fork():
        return
    os.setsid()
    for sig in signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGUSR1:
        signal.signal(sig, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    if how == "silent":
        os.closerange(0, 3)
    while True:
        signal.pause()


def connect(address):
    s = socket.socket()
    s.settimeout(5)
    s.connect(address)


def can():
    """What this process may do, as the kernel tells."""
    with open("/proc/self/status") as f:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in f)
    told = {"uid": os.getuid(), "caps": fields["CapEff"].lstrip("0") or 0, "bounding": fields["CapBnd"].lstrip("0") or 0, "no-new-privs": fields["NoNewPrivs"],
            "ipc": os.readlink("/proc/self/ns/ipc"), "tmpdir": os.environ["TMPDIR"], "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
            "processes": resource.getrlimit(resource.RLIMIT_NPROC)[1]}
    with open("/proc/self/oom_score_adj") as f:
        told["oom"] = f.read().strip()
    return " ".join("%s=%s" % t for t in told.items())


class Unruly(Iut):
    def greet(self):
        if KIND == "greets-and-writes":
            for folder in FOLDERS:
                outcome(lambda: open(os.path.join(folder, "closedrill-unruly"), "w").close())
        if KIND == "eats-disk":                 # not in the call: it takes its time, and would spin
            self.eaten = " ".join(map(fill, ["/tmp", "/var/tmp", "/dev/shm"]))
        if KIND == "claims":
            self.can += " " + " ".join("nonsense-%d" % i for i in range(500)) + " nonblocking memory key-update plain resumption option:early-data"
        if KIND == "greets-without-end":
            while True:
                self.say("can " + " ".join("word-%d" % i for i in range(100)))
        if KIND == "greets-and-connects":
            self.library += " connect=" + outcome(lambda: connect(("127.0.0.1", int(os.environ["PORT"]))))
        if KIND == "says-escapes":
            sys.exit("\033[2J\033]0;owned\a gone")
        super().greet()
        if KIND == "unasked":
            self.say("data \"hello\" read=5")

    def answer(self, line):
        if KIND == "claims" and line.split()[0] in ("handshake", "read", "write", "shutdown", "close"):
            return "ok did=it"
        return super().answer(line)

    def read(self, n):
        said = getattr(self, "do_" + KIND.replace("-", "_"), lambda: None)()
        return super().read(n) + (" " + said if said else "")

    # ---- To the runner ----

    def do_floods_stderr(self):
        forever(lambda: os.write(2, b"\033[31mx" * 8192))

    def do_logs_much(self):
        for _ in range(300):
            os.write(2, b"log " * 8192)

    def do_closes_stdout(self):
        os.close(1)
        sleep_without_end()

    def do_closes_stdin(self):
        os.close(0)
        signal.pause()

    def do_closes_stderr(self):
        os.closerange(2, 3)

    def do_closes_all_and_dies(self):
        os.closerange(0, 3)
        os.abort()

    def do_killed(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def do_ignores_signals(self):
        for sig in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(sig, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        sleep_without_end()

    # ---- Processes ----

    def do_leaves_children(self):
        leave_child("silent")
        leave_child("holding the pipes")

    def do_leaves_children_and_naps(self):
        self.do_leaves_children()
        time.sleep(300)

    def do_dies_and_leaves_children(self):
        leave_child("holding the pipes")
        os.abort()

    def do_kills_all(self):
        return "kill=" + outcome(lambda: os.kill(-1, signal.SIGTERM)) + " sees=%d" % len(list(filter(str.isdigit, os.listdir("/proc"))))

    # ---- The machine ----

    def do_eats_descriptors(self):
        return all_descriptors()

    def do_eats_disk(self):
        return self.eaten

    def do_writes_everywhere(self):
        return " ".join("%s=%s" % (f, outcome(lambda: open(os.path.join(f, "closedrill-unruly"), "w").close())) for f in FOLDERS)

    def do_changes_the_certificate(self):
        return "write=" + outcome(lambda: os.write(os.open(os.environ["CLOSEDRILL_CERT"], os.O_RDWR), b"x"))

    def do_dates(self):
        told = ssl._ssl._test_decode_cert(os.environ["CLOSEDRILL_CERT"])
        return "from=%s until=%s" % (told["notBefore"].split()[3], told["notAfter"].split()[3])

    def do_rights(self):
        return can() + " mount=" + outcome(lambda: os.chroot("/tmp")) + " sysctl=" + outcome(lambda: open("/proc/sys/kernel/hostname", "w").close())

    def do_devices(self):
        return "dev=" + ",".join(sorted(os.listdir("/dev")))

    def do_inherits(self):
        return "open=%d" % sum(os.path.realpath("/proc/self/fd/%s" % fd) == os.environ["SECRET"] for fd in os.listdir("/proc/self/fd"))

    # ---- The network ----

    def do_sends(self):
        forever(lambda: self.sock.sendall(bytes(1 << 20)))

    def do_sends_small(self):
        forever(lambda: self.sock.send(b"\x15\x03\x03\x00\x02\x01\x00"))

    def do_sends_to_itself(self):
        listener = socket.create_server(("127.0.0.1", 0))
        one = socket.create_connection(listener.getsockname())
        other = listener.accept()[0]
        while True:
            one.sendall(bytes(100000))
            other.recv(100000, socket.MSG_WAITALL)

    def do_connects_to_the_peer(self):
        connect(self.sock.getpeername())

    def do_connects_by_path(self):
        return "connect=" + outcome(lambda: socket.socket(socket.AF_UNIX).connect(os.environ["SOCKET"]))

    def do_connects_to_nobody(self):
        return "connect=" + outcome(lambda: connect(("127.0.0.1", 1)))

    def do_connects_to_the_world(self):
        return "connect=" + outcome(lambda: connect(("192.0.2.1", 443)))


run(Unruly())
