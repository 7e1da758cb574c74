"""`closedrill peer`: the endpoint at a terminal, against openssl's client and Python's ssl."""

import os
import re
import select
import shutil
import socket
import ssl
import struct
import subprocess

import pytest

from conftest import WATCHDOG

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Peer:
    """The program, by lines."""

    def __init__(self, tool, *args):
        self.proc = tool.start("peer", *args, stdin=subprocess.PIPE, text=False, errors=None, bufsize=0)
        self.held = b""

    def say(self, line):
        self.proc.stdin.write(line.encode() + b"\n")

    def line(self):
        while b"\n" not in self.held:
            assert select.select([self.proc.stdout], [], [], WATCHDOG)[0], "no line"
            got = os.read(self.proc.stdout.fileno(), 4096)
            assert got, "it ended: %r" % self.proc.stderr.read()
            self.held += got
        line, self.held = self.held.split(b"\n", 1)
        return line.decode()

    def until(self, words):
        """The lines up to one that begins so."""
        lines = [self.line()]
        while not lines[-1].startswith(words):
            lines.append(self.line())
        return lines

    def end(self):
        """By the end of its input: (status, what was left to read, standard error)."""
        out, err = self.proc.communicate(timeout=WATCHDOG)
        return self.proc.returncode, (self.held + out).decode(), err.decode()


@pytest.fixture
def peer(tool):
    started = []

    def start(*args):
        started.append(Peer(tool, *args))
        return started[-1]
    yield start
    for p in started:
        if p.proc.poll() is None:
            p.proc.kill()
            p.proc.communicate()


def port_of(p):
    return int(re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)", p.line())[1])


def client(port, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.minimum_version = context.maximum_version = VERSIONS[version]
    sock = socket.create_connection(("127.0.0.1", port), WATCHDOG)
    return context.wrap_socket(sock, suppress_ragged_eofs=False)


@pytest.fixture(scope="module")
def server_context(tmp_path_factory):
    at = tmp_path_factory.mktemp("cert")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", at / "key", "-out", at / "crt"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(at / "crt", at / "key")
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


@pytest.mark.parametrize("version", VERSIONS)
def test_whole_exchange(peer, version):
    p = peer("--listen", "0", "--tls", version)
    with client(port_of(p), version) as tls:
        assert p.until("handshake complete")[-1].startswith("handshake complete, " + ("TLS_" if version == "1.3" else "ECDHE-"))
        p.say('write "hello"')
        assert tls.recv(100) == b"hello"
        tls.sendall(b"good day")
        p.until("< data 8")
        p.say("close_notify")
        assert tls.recv(100) == b""
        tls.unwrap().close()
        p.until("< close_notify")
        p.until("< fin")
    assert p.end() == (0, "", "")


@pytest.mark.parametrize("version", VERSIONS)
def test_fin_instead(peer, version):
    p = peer("--listen", "0", "--tls", version)
    with client(port_of(p), version) as tls:
        p.until("handshake complete")
        p.say('peer write "half" + fin')                        # with the actor or without
        assert tls.recv(100) == b"half"
        with pytest.raises(ssl.SSLError, match="(?i)eof"):
            tls.recv(100)
    assert p.end()[0] == 0


@pytest.mark.parametrize("line, error", [
    ("alert internal_error", "ALERT_INTERNAL_ERROR"), ('write "x" corrupt', "BAD_RECORD_MAC|DECRYPTION_FAILED"),
])
def test_other_ends(peer, line, error):
    p = peer("--listen", "0")
    with client(port_of(p), "1.3") as tls:
        p.until("handshake complete")
        p.say(line)
        with pytest.raises(OSError, match="(?i)" + error):
            tls.recv(100)
    assert p.end()[0] == 0


def test_reset(peer):
    p = peer("--listen", "0")
    with client(port_of(p), "1.3") as tls:
        p.until("handshake complete")
        p.say("rst")
        with socket.socket(fileno=os.dup(tls.fileno())) as under, pytest.raises(ConnectionResetError):
            under.settimeout(WATCHDOG)
            under.recv(100)
    assert p.end()[0] == 0


def test_reset_is_shown(peer):
    p = peer("--listen", "0")
    tls = client(port_of(p), "1.3")
    p.until("handshake complete")
    tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    tls.close()
    p.until("< rst")
    assert p.end()[0] == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_connects(peer, server_context, version):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WATCHDOG)
        p = peer("--connect", str(listener.getsockname()[1]), "--tls", version)
        sock, _ = listener.accept()
        sock.settimeout(WATCHDOG)
        with server_context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False) as tls:
            assert tls.version() == "TLSv" + version
            p.until("handshake complete")
            p.say('write "from the client"')
            assert tls.recv(100) == b"from the client"
            tls.sendall(b"x" * 1000)
            p.until("< data 1000")
            p.say("close_notify + fin")
            assert tls.recv(100) == b""
            tls.unwrap().close()
            p.until("< close_notify")
            p.until("< fin")
    assert p.end() == (0, "", "")


def test_slip_of_the_pen(peer):
    """A line that cannot be meant is pointed at, and ends nothing."""
    p = peer("--listen", "0")
    with client(port_of(p), "1.3") as tls:
        p.until("handshake complete")
        for line in "", "# a comment", "wirte 5", "alert no_such", 'write "', "iut close", "handshake", "x" * 3000:
            p.say(line)
        p.say('write "still here"')
        assert tls.recv(100) == b"still here"
    status, _, err = p.end()
    assert status == 0
    assert "did you mean" in err and "write" in err
    assert err.count("^") >= 5
    assert all(re.match(r"stdin:\d+:\d+: |  ", line) for line in err.splitlines()), err


@pytest.mark.parametrize("line", ["handshake to finished", "again", "rest", "ticket", "key_update requested", "stop-reading", "start-reading", "window 4096",
                                  "record 99 00", 'raw "abc"', "close_notify cut 3", "write 20000 padded 0", "close", "vanish", "write 100000"])
def test_every_step_is_safe(peer, line):
    """Whatever is typed, it does not crash."""
    p = peer("--listen", "0")
    tls = client(port_of(p), "1.3")
    p.until("handshake complete")
    p.say(line)
    p.proc.stdin.close()
    p.proc.stdin = None
    tls.settimeout(WATCHDOG)
    status, _, err = p.end()
    tls.close()
    assert status in (0, 3), (status, err)


def test_nobody_there(tool):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    ran = tool("peer", "--connect", str(port))
    assert ran.status == 3 and ran.err.startswith("closedrill: ") and "refused" in ran.err


def test_port_in_use(tool):
    with socket.create_server(("127.0.0.1", 0)) as s:
        ran = tool("peer", "--listen", str(s.getsockname()[1]))
    assert ran.status == 3 and "Address already in use" in ran.err


@pytest.mark.parametrize("text", [b"", b"GET / HTTP/1.0\r\n\r\n"])
def test_no_tls_at_the_other_end(peer, text):
    p = peer("--listen", "0")
    with socket.create_connection(("127.0.0.1", port_of(p)), WATCHDOG) as s:
        s.sendall(text)
        s.shutdown(socket.SHUT_WR)
        status, _, err = p.end()
    assert status == 3 and "no handshake" in err


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_client(peer, version):
    p = peer("--listen", "0", "--tls", version)
    with subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", "127.0.0.1:%d" % port_of(p)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as c:
        p.until("handshake complete")
        p.say('write "hello\\n"')
        assert c.stdout.readline() == b"hello\n"
        c.stdin.write(b"and you?\n")
        c.stdin.flush()
        p.until("< data 9")
        p.say("close_notify + fin")
        assert c.wait(WATCHDOG) == 0
        p.until("< close_notify")
    assert p.end()[0] == 0
