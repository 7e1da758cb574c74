"""What the adapters of the tests share: the contract of adapters/README.md over Python's own ssl module. An adapter of the
tests is this one with something wrong about it: a subclass that overrides one call, and run(THE_CLASS)."""

import os
import re
import select
import socket
import ssl
import sys

VERSIONS = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}
ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\", '"': b'"'}
CHUNK = 1 << 16


def quote(data):
    return '"%s"' % "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else "\\x%02x" % b for b in data)


def unquote(text):
    parts = re.findall(r"\\x[0-9a-f]{2}|\\.|[^\\]", text)
    return b"".join(bytes([int(p[2:], 16)]) if p[:2] == "\\x" else ESCAPES[p[1]] if p[0] == "\\" else p.encode() for p in parts)


def pattern(n):
    return (b"abcdefghijklmnopqrstuvw" * (n // 23 + 1))[:n]


def what(error):
    """The outcome of an exception."""
    if isinstance(error, ssl.SSLZeroReturnError):
        return "closed"
    if isinstance(error, ssl.SSLEOFError) or getattr(error, "reason", "") == "UNEXPECTED_EOF_WHILE_READING":
        return "truncated"
    if isinstance(error, ConnectionResetError):
        return "reset"
    if isinstance(error, BrokenPipeError):
        return "pipe"
    alert = re.match(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)", getattr(error, "reason", None) or "")
    return "alert " + alert[1].lower() if alert else "error"


class Iut:
    """Honest: blocking mode, and the calls that the module has."""

    library = "Python-ssl %d.%d" % sys.version_info[:2]
    can = "client server tls1.2 tls1.3 blocking shutdown-write shutdown-both close abandon"
    promises = ""

    def __init__(self):
        self.listener = self.sock = None
        self.error = None

    def greet(self):
        self.say("library " + self.library)
        self.say("can " + self.can)
        if self.promises:
            self.say("promises " + self.promises)
        self.say("ready")

    @staticmethod
    def say(line):
        os.write(1, line.encode() + b"\n")

    # ---- Lines ----

    def answer(self, line):
        """The answer to a line."""
        calls = [
            (r"listen", self.listen), (r"open client (tls1\.[23]) blocking 127\.0\.0\.1:(\d+)", self.open_client),
            (r"open server (tls1\.[23]) blocking", self.open_server), (r"handshake", self.handshake), (r"read (\d+)", self.read),
            (r'write "(.*)"', self.write_text), (r"write (\d+)", self.write_pattern), (r"shutdown write", self.shutdown_write),
            (r"shutdown both", self.shutdown_both), (r"close", self.close), (r"abandon", self.abandon), (r"end", self.end),
        ]
        for form, call in calls:
            match = re.fullmatch(form, line)
            if not match:
                continue
            try:
                return call(*match.groups())
            except (ssl.SSLError, OSError) as e:
                told = what(e)
                if told not in ("closed", "error"):
                    self.error = e              # from now on every call fails so
                return "%s %s" % (told, type(e).__name__)
        return "unsupported"

    # ---- Connections ----

    def listen(self):
        self.listener = self.listener or socket.create_server(("127.0.0.1", 0))
        return "ok 127.0.0.1:%d" % self.listener.getsockname()[1]

    def open_client(self, version, port):
        self.drop()
        self.sock = socket.create_connection(("127.0.0.1", int(port)))
        self.set_up(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), version, False)
        return "ok 127.0.0.1:%d" % self.sock.getsockname()[1]

    def open_server(self, version):
        self.drop()
        self.sock, peer = self.listener.accept()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["CLOSEDRILL_CERT"])
        self.set_up(context, version, True)
        return "ok 127.0.0.1:%d" % peer[1]

    def set_up(self, context, version, server):
        if not server:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = VERSIONS[version]
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.into, self.out, server_side=server)
        self.error, self.notified = None, False

    def drop(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def flush(self):
        data = self.out.read()
        if data:
            self.sock.sendall(data)

    def drive(self, call, *args):
        """Repeats the call and brings the input that it wants."""
        if self.error:
            raise self.error
        while True:
            try:
                result = call(*args)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                data = self.sock.recv(CHUNK)
                if data:
                    self.into.write(data)
                else:
                    self.into.write_eof()
            except ssl.SSLError:
                self.flush()
                raise

    # ---- Calls ----

    def handshake(self):
        self.drive(self.tls.do_handshake)
        return "ok do_handshake"

    def read(self, n):
        data = self.drive(self.tls.read, int(n))
        if not data:                            # the object's way to tell close_notify
            return "closed read=0"
        return "data %s read=%d" % (quote(data), len(data))

    def write(self, data):
        for at in range(0, len(data), CHUNK):
            self.drive(self.tls.write, data[at:at + CHUNK])
        return "ok write=%d" % len(data)

    def write_text(self, text):
        return self.write(unquote(text))

    def write_pattern(self, n):
        return self.write(pattern(int(n)))

    def shutdown_write(self):
        """unwrap() sends before it waits."""
        if self.error:
            raise self.error
        self.notified = True
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            self.flush()
            return "sent unwrap SSLWantReadError"
        self.flush()
        return "complete unwrap"

    def shutdown_both(self):
        self.notified = True
        self.drive(self.tls.unwrap)
        return "complete unwrap"

    def close(self):
        if not self.error and not self.notified:
            try:
                self.shutdown_write()
            except ssl.SSLError:
                pass                            # nothing that an application could do about it
        self.drop()
        return "ok close"

    def abandon(self):
        self.drop()
        return "ok"

    def end(self):
        self.drop()
        return "ok"


def run(iut):
    """Line by line until the input ends."""
    iut.greet()
    for line in sys.stdin:
        iut.say(iut.answer(line.rstrip("\n")))


def sleep_without_end():
    """Until the runner is gone."""
    while select.select([0], [], [])[0] and os.read(0, CHUNK):
        pass
