"""The OpenSSL adapter, and through it the C skeleton: driven over its standard input and output, with Python's own ssl module
on loopback as the peer. Run it with: /usr/bin/python3 -m pytest tests/test_adapter_openssl.py"""

import os
import re
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ADAPTER = os.environ.get("CLOSEDRILL_ADAPTER", os.path.join(os.environ.get("CLOSEDRILL_BUILD", os.path.join(ROOT, "build")), "adapters", "openssl"))
WATCHDOG = 60
ROLES = ["client", "server"]
VERSIONS = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}
MODES = ["blocking", "nonblocking", "memory"]
NOT_BLOCKING = MODES[1:]


def pattern(n):
    return (b"abcdefghijklmnopqrstuvw" * (n // 23 + 1))[:n]


def unquote(text):
    plain = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\", '"': b'"'}
    parts = re.findall(r'\\x[0-9a-f]{2}|\\.|[^\\]', text)
    return b"".join(bytes([int(p[2:], 16)]) if p[:2] == "\\x" else plain[p[1]] if p[0] == "\\" else p.encode() for p in parts)


class Adapter:
    """Lines to and from a running adapter."""

    def __init__(self, cert):
        self.proc = subprocess.Popen([ADAPTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                     env=dict(os.environ, CLOSEDRILL_CERT=cert))
        self.held = b""
        self.again = 0
        self.greeting = []
        while not self.greeting or self.greeting[-1] != "ready":
            self.greeting.append(self.line())

    def send(self, line):
        self.proc.stdin.write(line.encode() + b"\n")

    def line(self, wait=WATCHDOG):
        while b"\n" not in self.held:
            assert select.select([self.proc.stdout], [], [], wait)[0], "no line"
            got = os.read(self.proc.stdout.fileno(), 1 << 17)
            assert got, "the adapter ended"
            self.held += got
        line, self.held = self.held.split(b"\n", 1)
        return line.decode()

    def answer(self):
        while True:
            line = self.line()
            if line.split()[0] != "again":
                return line
            self.again += 1

    def call(self, line):
        self.again = 0
        self.send(line)
        return self.answer()

    def blocks(self, line):
        """Sends a call that cannot finish: `again` comes, and nothing behind it."""
        self.send(line)
        assert self.line().startswith("again ")
        self.silent()

    def silent(self):
        while select.select([self.proc.stdout], [], [], 0.05)[0]:
            assert self.line().startswith("again ")

    def sockets(self):
        fds = "/proc/%d/fd" % self.proc.pid
        return sum(os.readlink(os.path.join(fds, fd)).startswith("socket:") for fd in os.listdir(fds))

    def end(self):
        self.proc.stdin.close()
        assert self.proc.wait(WATCHDOG) == 0
        self.proc.stdout.close()


@pytest.fixture(scope="session")
def cert(tmp_path_factory):
    at = tmp_path_factory.mktemp("cert")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", at / "key", "-out", at / "crt"], check=True, capture_output=True)
    both = at / "cert.pem"
    both.write_bytes((at / "crt").read_bytes() + (at / "key").read_bytes())
    return str(both)


@pytest.fixture
def iut(cert):
    a = Adapter(cert)
    yield a
    a.end()


class Run:
    """One connection between the adapter and Python. The peer's TLS runs over memory BIOs, so that TCP stays ours to bend."""

    contexts = {}

    def __init__(self, iut, cert, role, version, mode, words="", handshake=True, session=None, tickets=0):
        self.iut, self.role = iut, role
        self.sock = self.connect(mode, version, words)
        self.sock.settimeout(WATCHDOG)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context(cert, version, tickets).wrap_bio(self.into, self.out, server_side=role == "client", session=session)
        if handshake:
            self.hello = self.handshake()

    def connect(self, mode, version, words):
        if self.role == "client":
            listener = socket.create_server(("127.0.0.1", 0))
            line = "open client %s %s 127.0.0.1:%d %s" % (version, mode, listener.getsockname()[1], words)
            told = self.iut.call(line.strip())
            sock, peer = listener.accept()
            listener.close()
        else:
            port = int(self.iut.call("listen").split(":")[1])
            sock = socket.create_connection(("127.0.0.1", port))
            told = self.iut.call(("open server %s %s %s" % (version, mode, words)).strip())
            peer = sock.getsockname()
        assert told == "ok 127.0.0.1:%d" % peer[1]
        return sock

    def context(self, cert, version, tickets):
        key = (self.role, version, tickets)
        if key not in self.contexts:
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if self.role == "client" else ssl.PROTOCOL_TLS_CLIENT)
            ctx.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)         # Python sets it
            ctx.minimum_version = ctx.maximum_version = VERSIONS[version]
            if self.role == "client":
                ctx.load_cert_chain(cert)
                ctx.num_tickets = tickets
            else:
                ctx.check_hostname = False
                ctx.verify_mode = ssl.CERT_NONE
            self.contexts[key] = ctx
        return self.contexts[key]

    def flush(self):
        data = self.out.read()
        if data:
            self.sock.sendall(data)

    def drive(self, call, *args):
        """Runs a call of the peer's TLS, moving ciphertext until it is done."""
        while True:
            try:
                return call(*args)
            except ssl.SSLWantReadError:
                self.flush()
                got = self.sock.recv(65536)
                self.into.write(got) if got else self.into.write_eof()
            finally:
                self.flush()

    def handshake(self):
        self.iut.again = 0
        self.iut.send("handshake")
        self.drive(self.tls.do_handshake)
        return self.iut.answer()

    def write(self, data):
        self.tls.write(data)
        self.flush()

    def read(self, n):
        data = b""
        while len(data) < n:
            data += self.drive(self.tls.read, n - len(data))
        return data

    def notified(self):
        """The adapter's close_notify arrives next; an end without one raises SSLEOFError."""
        try:
            return self.drive(self.tls.read, 1) == b""
        except ssl.SSLZeroReturnError:          # as it says the same when its own is out
            return True

    def notify(self):
        """Sends close_notify without waiting for the other one."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()

    def fin(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def rest(self):
        """All bytes up to the adapter's FIN."""
        data = b""
        while True:
            got = self.sock.recv(65536)
            if not got:
                return data
            data += got

    def call(self, line):
        return self.iut.call(line)


@pytest.fixture
def run(iut, cert):
    runs = []

    def start(*args, **kw):
        runs.append(Run(iut, cert, *args, **kw))
        return runs[-1]

    yield start
    assert iut.call("end") == "ok"
    assert iut.sockets() <= 1                   # the listening one
    for r in runs:
        r.sock.close()


def each(*modes):
    def mark(f):
        for name, values in ("mode", modes or MODES), ("version", VERSIONS), ("role", ROLES):
            f = pytest.mark.parametrize(name, values)(f)
        return f
    return mark


# ---- Lines ----

def test_greeting(iut):
    assert re.fullmatch(r"library OpenSSL \d+\.\d+\.\d+\S*", iut.greeting[0])
    assert "api openssl" in iut.greeting
    assert "promises truncation-visible" in iut.greeting
    can = {w for line in iut.greeting if line.startswith("can ") for w in line.split()[1:]}
    assert {"client", "server", "tls1.2", "tls1.3", "blocking", "nonblocking", "memory", "shutdown-write", "shutdown-both", "close",
            "abandon", "plain", "resumption", "key-update", "option:quiet"} <= can


@pytest.mark.parametrize("line", [
    "", "bogus", "readx 5", "read", "read x", "read -1", "read 5 6", "write", "write x", 'write "', 'write "a" b', r'write "\q"',
    r'write "\x1"', "write 99999999999999999999", "shutdown", "shutdown read", "handshake now", "key_update please", "plain", "plain read",
    "end it", "await read", "listen 5", "open", "open peer tls1.3 blocking", "open server tls1.1 blocking", "open server tls1.3 async",
    "open client tls1.3 blocking", "open client tls1.3 blocking 127.0.0.1", "open client tls1.3 blocking here:1", "open server tls1.3 client",
    "open client tls1.3 blocking 127.0.0.1:70000", "open server tls1.3 blocking option:none", "open server tls1.3 blocking close", "\x00end", "end\x00",
])
def test_unknown_line(iut, line):
    assert iut.call(line) == "unsupported"


def test_overlong_line(iut):
    for n in (1 << 16, 1 << 17, (1 << 17) - 1, 1 << 20):
        assert iut.call("end" + "x" * n) == "unsupported"
    assert iut.call("end") == "ok"


def test_several_lines_at_once(iut):
    iut.send("bogus\nend\nbogus\nend")
    assert [iut.line() for _ in range(4)] == ["unsupported", "ok", "unsupported", "ok"]


def test_without_a_connection(iut):
    for line in "read 5", 'write "x"', "handshake", "shutdown write", "close", "plain read 5", "await":
        assert iut.call(line).startswith("error")
    assert iut.call("abandon") == "ok"


def test_listens_once(iut):
    assert iut.call("listen") == iut.call("listen")


def test_refused_connection(iut):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    assert iut.call("open client tls1.3 blocking 127.0.0.1:%d" % port).startswith("error connect=-1 errno=ECONNREFUSED")


@pytest.mark.parametrize("calls", [b"", b"listen\n", b"listen\nopen server tls1.3 blocking\n"])
def test_ends_with_its_input(cert, calls):
    a = Adapter(cert)
    a.proc.stdin.write(calls)
    a.end()


def test_server_without_certificate():
    a = Adapter("/nonexistent")
    port = int(a.call("listen").split(":")[1])
    with socket.create_connection(("127.0.0.1", port)):
        assert a.call("open server tls1.3 blocking").startswith("error ")
        assert a.sockets() == 1
    a.end()


# ---- Data ----

@each()
def test_echo(run, role, version, mode):
    r = run(role, version, mode)
    assert r.hello == "ok SSL_do_handshake=1"
    r.write(b"hello")
    assert r.call("read 100") == 'data "hello" SSL_read=5'
    r.write(b"hello")
    assert r.call("read 2") == 'data "he" SSL_read=2'
    assert r.call("read 100") == 'data "llo" SSL_read=3'
    assert r.call('write "wor\\x6cd\\n"') == "ok SSL_write=6"
    assert r.read(6) == b"world\n"


@each()
def test_every_byte(run, role, version, mode):
    r = run(role, version, mode)
    sent = bytes(range(256)) * 64
    r.write(sent)
    got = b""
    while len(got) < len(sent):
        text = re.fullmatch(r'data "(.*)" SSL_read=(\d+)', r.call("read 16384"))
        assert len(unquote(text[1])) == int(text[2])
        got += unquote(text[1])
    assert got == sent
    r.call('write "%s"' % "".join("\\x%02x" % b for b in sent))
    assert r.read(len(sent)) == sent


@each()
def test_large_write(run, role, version, mode):
    r, n = run(role, version, mode), 8 << 20
    r.iut.send("write %d" % n)
    assert r.read(n) == pattern(n)
    assert r.iut.answer() == "ok SSL_write=%d" % n


@each(*NOT_BLOCKING)
def test_large_write_again(run, role, version, mode):
    r, n = run(role, version, mode), 16 << 20
    r.iut.blocks("write %d" % n)
    r.iut.blocks("read 5")
    r.write(b"hello")
    assert r.iut.answer() == 'data "hello" SSL_read=5'
    reader = threading.Thread(target=lambda: setattr(r, "got", r.read(n)))
    reader.start()
    assert r.call("await") == "ok SSL_write=%d" % n
    reader.join()
    assert r.got == pattern(n)


# ---- Ends ----

@each()
def test_we_end_first(run, role, version, mode):
    r = run(role, version, mode)
    assert r.call("shutdown write") == "sent SSL_shutdown=0 SENT"
    assert r.notified()
    assert r.call('write "x"') == 'refused SSL_write=-1 SSL_ERROR_SSL "protocol is shutdown"'
    r.write(b"late")
    assert r.call("read 100") == 'data "late" SSL_read=4'
    r.notify()
    assert r.call("shutdown both") == "complete SSL_shutdown=1 SENT|RECEIVED"
    assert r.call("close") == "ok SSL_free"
    assert r.rest() == b""


@each()
def test_peer_ends_first(run, role, version, mode):
    r = run(role, version, mode)
    r.write(b"last")
    r.notify()
    assert r.call("read 100") == 'data "last" SSL_read=4'
    for _ in range(2):
        assert r.call("read 100") == "closed SSL_read=0 SSL_ERROR_ZERO_RETURN"
    assert r.call("shutdown write") == "complete SSL_shutdown=1 SENT|RECEIVED"
    assert r.notified()


@each()
def test_shutdown_both(run, role, version, mode):
    r = run(role, version, mode)
    r.iut.send("shutdown both")
    assert r.notified()
    r.notify()
    assert r.iut.answer() == "complete SSL_shutdown=1 SENT|RECEIVED"


@each()
def test_close(run, role, version, mode):
    r = run(role, version, mode)
    assert r.call("close") == "ok SSL_shutdown=0 SENT"
    assert r.iut.sockets() == (role == "server")
    assert r.notified()
    assert r.rest() == b""


@each()
def test_abandon(run, role, version, mode):
    r = run(role, version, mode)
    if version == "tls1.3" and role == "server":
        r.call('write "x"')                     # and the tickets before it
        assert r.read(1) == b"x"
    assert r.call("abandon") == "ok"
    assert r.rest() == b""


@each()
def test_truncated(run, role, version, mode):
    r = run(role, version, mode)
    r.fin()
    told = r.call("read 100")
    if "OpenSSL 1.1" in r.iut.greeting[0]:
        assert told == "truncated SSL_read=0 SSL_ERROR_SYSCALL errno=0"
    else:
        assert told == 'truncated SSL_read=0 SSL_ERROR_SSL "unexpected eof while reading"' \
            or told == 'truncated SSL_read=-1 SSL_ERROR_SSL "unexpected eof while reading"'
    assert r.call("close") == "ok SSL_free"


@each()
def test_reset(run, role, version, mode):
    r = run(role, version, mode)
    r.reset()
    told = r.call("read 100")
    assert re.match(r"reset SSL_read=-1 SSL_ERROR_\w+ (recv=-1 )?errno=ECONNRESET ", told)
    assert re.match(r"pipe SSL_write=-?\d+ (SSL_ERROR_SYSCALL|send=-1) errno=EPIPE ", r.call('write "x"'))


@each()
def test_alert(run, role, version, mode):
    """A client gets one in clear; a server's certificate is not believed."""
    r = run(role, version, mode, handshake=False)
    if role == "client":
        r.sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        told = r.call("handshake")
        assert re.fullmatch(r'alert handshake_failure SSL_do_handshake=-1 SSL_ERROR_SSL ".*alert handshake failure"', told)
        return
    strict = ssl.create_default_context()
    strict.minimum_version = strict.maximum_version = VERSIONS[version]
    r.tls = strict.wrap_bio(r.into, r.out, server_hostname="localhost")
    r.iut.send("handshake")
    with pytest.raises(ssl.SSLCertVerificationError):
        r.drive(r.tls.do_handshake)
    assert r.iut.answer().startswith("alert unknown_ca SSL_do_handshake=-1 SSL_ERROR_SSL ")


@each()
def test_corrupt_record(run, role, version, mode):
    r = run(role, version, mode)
    r.sock.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert re.match(r'error SSL_read=-1 SSL_ERROR_SSL ".*bad record mac"', r.call("read 100"))
    assert r.call("close") == "ok SSL_free"


@each()
def test_close_before_the_handshake(run, role, version, mode):
    r = run(role, version, mode, handshake=False)
    assert re.match(r"refused SSL_shutdown=-1 NONE SSL_ERROR_SSL ", r.call("close"))
    assert r.rest() == b""


# ---- Again ----

@each(*NOT_BLOCKING)
def test_again(run, role, version, mode):
    r = run(role, version, mode)
    r.iut.blocks("read 100")
    assert r.call('write "meanwhile"') == "ok SSL_write=9"
    assert r.read(9) == b"meanwhile"
    r.iut.blocks("await")
    r.write(b"hello")
    assert r.iut.answer() == 'data "hello" SSL_read=5'
    assert r.call("await").startswith("error")
    r.iut.blocks("shutdown both")
    assert r.call("bogus") == "unsupported"
    assert r.notified()
    r.notify()
    r.iut.silent()                              # interrupted, and not yet taken up again
    assert r.call("await") == "complete SSL_shutdown=1 SENT|RECEIVED"


@each(*NOT_BLOCKING)
def test_again_once_per_wait(run, role, version, mode):
    r = run(role, version, mode)
    r.iut.blocks("read 100")
    r.tls.write(b"hello")
    data = r.out.read()
    r.sock.sendall(data[:7])
    assert r.iut.line() == "again SSL_read=-1 SSL_ERROR_WANT_READ"
    r.iut.silent()
    r.sock.sendall(data[7:])
    assert r.iut.line() == 'data "hello" SSL_read=5'


@each(*NOT_BLOCKING)
def test_close_on_a_full_socket(run, role, version, mode):
    r = run(role, version, mode)
    r.iut.blocks("write %d" % (16 << 20))
    if mode == "nonblocking":
        r.iut.blocks("close")
        assert r.call("abandon") == "ok"
    else:                                       # the BIO pair has room, so the library looks at the call: refused up to 3.0, WANT_READ in 3.5
        assert re.match("(refused|ok) SSL_shutdown=-1 SENT ", r.call("close"))
    assert r.iut.sockets() <= 1


# ---- The rest of the calls ----

@each()
def test_plain(run, role, version, mode):
    r = run(role, version, mode)
    assert r.call("shutdown write") == "sent SSL_shutdown=0 SENT"
    assert r.notified()
    r.tls.unwrap()
    r.sock.sendall(r.out.read() + b"clear\x00")
    assert r.call("shutdown both") == "complete SSL_shutdown=1 SENT|RECEIVED"
    assert r.call("plain read 100") == 'data "clear\\x00" recv=6'
    assert r.call('plain write "pong"') == "ok send=4"
    assert r.sock.recv(100) == b"pong"
    if mode != "blocking":
        r.iut.blocks("plain read 100")
        r.sock.sendall(b"x")
        assert r.iut.answer() == 'data "x" recv=1'
    r.fin()
    assert r.call("plain read 100") == "closed recv=0"


@each()
def test_key_update(run, role, version, mode):
    r = run(role, version, mode)
    if version == "tls1.2":
        assert r.call("key_update") == "unsupported"
        return
    assert r.call("key_update") == "ok SSL_key_update=1 SSL_do_handshake=1"
    assert r.call("key_update requested") == "ok SSL_key_update=1 SSL_do_handshake=1"
    assert r.call('write "new"') == "ok SSL_write=3"
    assert r.read(3) == b"new"
    r.write(b"keys")
    assert r.call("read 100") == 'data "keys" SSL_read=4'


@each()
def test_resumption(run, role, version, mode):
    def exchange(r):
        r.write(b"x")
        assert r.call("read 1") == 'data "x" SSL_read=1'
        r.call('write "y"')
        assert r.read(1) == b"y"
        session = r.tls.session
        r.notify()
        assert r.call("read 1").startswith("closed")
        assert r.call("close") == "ok SSL_shutdown=1 SENT|RECEIVED"
        return session

    session = exchange(run(role, version, mode, tickets=1))
    again = run(role, version, mode, "resume", tickets=1, session=session if role == "server" else None)
    assert again.hello == "resumed SSL_do_handshake=1"
    exchange(again)
    assert run(role, version, mode, tickets=1).hello == "ok SSL_do_handshake=1"            # not asked for: not offered


@each()
def test_switch(run, role, version, mode):
    """Two connections, the second with the session of the first, which lives on; each keeps its own bytes and its own end."""
    first = run(role, version, mode, tickets=1)
    first.write(b"x")
    assert first.call("read 1") == 'data "x" SSL_read=1'
    first.call('write "y"')
    assert first.read(1) == b"y"
    assert first.call("switch") == "ok"
    second = run(role, version, mode, "resume", tickets=1, session=first.tls.session if role == "server" else None)
    assert second.hello == "resumed SSL_do_handshake=1"
    assert second.call("switch") == "ok"
    first.write(b"one")
    second.write(b"two")
    assert first.call("read 100") == 'data "one" SSL_read=3'
    assert first.call("switch") == "ok"
    assert second.call("read 100") == 'data "two" SSL_read=3'
    assert second.call("close") == "ok SSL_shutdown=0 SENT"
    assert second.notified()
    assert second.call("read 100").startswith("error")
    assert second.call("switch") == "ok"
    first.call('write "still here"')
    assert first.read(10) == b"still here"


def test_end_forgets_both(run, iut):
    """And the next connection is the present one's place again."""
    run("client", "tls1.3", "blocking")
    assert iut.call("switch") == "ok"
    run("client", "tls1.3", "blocking")
    assert iut.sockets() == 2
    assert iut.call("end") == "ok"
    assert iut.sockets() == 0
    assert iut.call("switch") == "ok"
    assert iut.call("read 1").startswith("error")


@each()
def test_number_untouched(run, role, version, mode):
    r = run(role, version, mode)
    assert r.call("reuse look").startswith("error")
    assert r.call("reuse number") == "ok close=0"
    assert r.call("reuse look") == "ok reused=untouched"
    assert r.call("reuse number").startswith("error")


@each()
@pytest.mark.parametrize("call, used", [("plain read 5", "read"), ('write "x"', "written")])
def test_number_used(run, role, version, mode, call, used):
    """A call that comes later goes by the number, and meets another file there."""
    r = run(role, version, mode)
    assert r.call("reuse number") == "ok close=0"
    r.call(call)
    assert r.call("reuse look") == "error reused=" + used


@each()
def test_quiet(run, role, version, mode):
    r = run(role, version, mode, "option:quiet")
    assert r.call("shutdown write") == "complete SSL_shutdown=1 SENT|RECEIVED"
    assert r.call("close") == "ok SSL_free"
    with pytest.raises(ssl.SSLError, match="(?i)eof"):
        r.drive(r.tls.read, 1)


@each()
def test_ignore_eof(run, iut, role, version, mode):
    if "can option:ignore-eof" not in iut.greeting:
        pytest.skip("new in 3.0")
    r = run(role, version, mode, "option:ignore-eof")
    r.fin()
    assert r.call("read 100") == "closed SSL_read=0 SSL_ERROR_ZERO_RETURN"


@each()
@pytest.mark.parametrize("ahead", ["", " option:read-ahead"])
def test_no_auto_retry(run, role, version, mode, ahead):
    """Records that are no data make the call return, where the next ones may be in the library and not in the kernel."""
    r = run(role, version, mode, "option:no-auto-retry" + ahead, tickets=3)
    r.write(b"hello")
    assert r.call("read 100") == 'data "hello" SSL_read=5'
    if role == "client" and version == "tls1.3" and not ahead:
        assert r.iut.again >= 3
    if mode != "blocking":
        r.iut.blocks("read 100")
        r.write(b"hello")
        assert r.iut.answer() == 'data "hello" SSL_read=5'


# ---- Early data: Python's ssl has none, so two adapters talk ----

@pytest.fixture
def pair(cert):
    """A client and a server, and how a connection between them is opened."""
    client, server = Adapter(cert), Adapter(cert)
    where = server.call("listen").split()[1]

    def connect(mode, words):
        server.send("open server tls1.3 %s %s" % (mode, words))
        assert client.call("open client tls1.3 %s %s %s" % (mode, where, words)).startswith("ok")
        assert server.answer().startswith("ok")

    def shake():
        client.send("handshake")
        served = server.call("handshake")
        return client.answer(), served
    yield client, server, connect, shake
    client.end()
    server.end()


def first_connection(pair, mode):
    client, server, connect, shake = pair
    connect(mode, "option:early-data")
    assert shake() == ("ok SSL_do_handshake=1",) * 2
    server.call('write "x"')
    assert client.call("read 1") == 'data "x" SSL_read=1'
    client.call("close")
    server.call("close")


@pytest.mark.parametrize("mode", MODES)
def test_early_data(pair, mode):
    client, server, connect, shake = pair
    first_connection(pair, mode)
    connect(mode, "resume option:early-data")
    assert client.call('early write "early"') == "ok SSL_write_early_data=1"
    assert client.call("early write 3") == "ok SSL_write_early_data=1"
    assert server.call("early read 4") == 'data "earl" SSL_read_early_data=1'
    assert server.call("early read 4") == 'data "y" SSL_read_early_data=1'
    assert server.call("early read 4") == 'data "abc" SSL_read_early_data=1'
    client.send("handshake")
    assert server.call("early read 4") == "ok SSL_read_early_data=2"
    assert server.call("handshake") == client.answer() == "resumed SSL_do_handshake=1"
    client.call('write "late"')
    assert server.call("read 9") == 'data "late" SSL_read=4'


@pytest.mark.parametrize("mode", MODES)
def test_early_data_not_read(pair, mode):
    """A server that goes on with its handshake has refused it."""
    client, server, connect, shake = pair
    first_connection(pair, mode)
    connect(mode, "resume option:early-data")
    client.call('early write "early"')
    assert shake() == ("resumed SSL_do_handshake=1",) * 2
    client.call('write "late"')
    assert server.call("read 9") == 'data "late" SSL_read=4'


@pytest.mark.parametrize("mode", MODES)
def test_early_data_not_permitted(pair, mode):
    client, server, connect, shake = pair
    connect(mode, "option:early-data")
    assert client.call('early write "x"').startswith("refused SSL_write_early_data=0 SSL_ERROR_SSL")
    client.send("handshake")
    assert server.call("early read 4") == "ok SSL_read_early_data=2"       # none was offered
    assert server.call("handshake") == client.answer() == "ok SSL_do_handshake=1"


# ---- Many connections ----

def test_leaves_nothing_open(iut, cert):
    start = len(os.listdir("/proc/%d/fd" % iut.proc.pid))
    iut.call("listen")
    kinds = [(r, v, m) for r in ROLES for v in VERSIONS for m in MODES]
    for i in range(204):
        r = Run(iut, cert, *kinds[i % len(kinds)], handshake=i % 5 != 0)
        if i % 4 == 0:
            iut.call("close")
        elif i % 4 == 1:
            iut.call("abandon")
        elif i % 4 == 2:
            iut.call("end")
        r.sock.close()                          # and every fourth is left to the next open
    assert iut.call("end") == "ok"
    assert iut.sockets() == 1
    assert len(os.listdir("/proc/%d/fd" % iut.proc.pid)) <= start + 1


def test_round_trip_costs_microseconds(iut):
    took = []
    for _ in range(1000):
        at = time.perf_counter()
        iut.call("bogus")
        took.append(time.perf_counter() - at)
    assert sorted(took)[500] < 0.001            # about 20 us; Python's half is most of it
