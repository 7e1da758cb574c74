"""The adapter for the ssl module of Python, from 3.10 on.

    handshake       do_handshake
    read, write     recv and send (SSLSocket), read and write (SSLObject); the stream's end b"" is `closed`
    shutdown both   unwrap, whose socket is the one that later calls read and write, as its manual says
    close           unwrap once, without waiting for the peer, unless it succeeded already or another call raised an error; close.
                    In blocking mode unwrap waits for the peer, so it is close alone, as in the manual's examples; nothing is sent
    abandon         close

blocking and nonblocking are SSLSocket with the defaults (suppress_ragged_eofs), memory is SSLObject over two MemoryBIO.
Option ignore-eof is OP_IGNORE_UNEXPECTED_EOF. That a new context has it already, the manual does not say.

No promises: "SSLEOFError: raised when the SSL connection has been terminated abruptly", but SSLSocket.recv by default "returns
a normal EOF (an empty bytes object) in response to unexpected EOF errors".

What the API cannot do: shutdown write, key_update."""

import select
import signal
import socket
import ssl
import sys

from common import READ_MAX, Contexts, Input, exception_words, payload, quote, say

WANTS = ssl.SSLWantReadError, ssl.SSLWantWriteError
FLAGS = ["ignore-eof"] if hasattr(ssl, "OP_IGNORE_UNEXPECTED_EOF") else []        # Python 3.10 on


class Interrupted(Exception):
    """A new line came while a call waited."""


class Conn:
    """A connection: self.sock is the transport, self.tls the library's object."""

    def __init__(self, sock, io, ctx, server, session):
        self.io, self.memory = io, io == "memory"
        self.session = None
        self.done = self.failed = self.unwrapped = self.ended = False
        self.out = b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(io == "blocking")
        self.sock = sock
        if self.memory:
            self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = ctx.wrap_bio(self.incoming, self.outgoing, server_side=server, session=session)
        else:
            self.tls = self.sock = ctx.wrap_socket(sock, server_side=server, do_handshake_on_connect=False, session=session)

    def keep_session(self):
        """As late as the API allows: an unwrapped or closed object has none. Before the handshake `session` raises."""
        if self.done and not self.tls.server_side:
            self.session = self.session or self.tls.session

    # Calls: each returns the outcome and what the call returned.

    def handshake(self, _):
        self.tls.do_handshake()
        self.done = True
        return "resumed" if self.tls.session_reused else "ok", "do_handshake=None"

    def read(self, arg):
        got = self.tls.read(int(arg)) if self.memory else self.tls.recv(min(int(arg), READ_MAX))
        name = "read" if self.memory else "recv"
        return ("data " + quote(got) if got else "closed"), f"{name}={len(got)}"

    def write(self, rest):
        sent = self.tls.write(rest[0]) if self.memory else self.tls.send(rest[0])
        rest[0] = rest[0][sent:]
        return ("ok" if not rest[0] else "more"), f"{'write' if self.memory else 'send'}={sent}"

    def shutdown_both(self, _):
        self.keep_session()
        self.tls.unwrap()
        self.unwrapped = True
        return "complete", "unwrap=None" if self.memory else "unwrap=socket"

    def close(self, _):
        if self.io == "blocking" or self.unwrapped or self.failed:
            return "ok", "close=None"
        try:
            self.shutdown_both(_)
        except ssl.SSLWantReadError:
            return "ok", "unwrap=SSLWantReadError close=None"
        return "ok", "unwrap=None close=None"

    def plain_read(self, arg):
        got = b""
        if self.memory:
            self.refill()
            got = self.incoming.read(int(arg))
            if not got and not self.ended:
                raise BlockingIOError
        else:
            got = socket.socket.recv(self.sock, int(arg))
        return ("data " + quote(got) if got else "closed"), f"recv={len(got)}"

    def plain_write(self, rest):
        sent = socket.socket.send(self.sock, rest[0])
        rest[0] = rest[0][sent:]
        return ("ok" if not rest[0] else "more"), f"send={sent}"

    # Memory mode.

    def flush(self):
        """True when all that the library holds is with the kernel."""
        self.out += self.outgoing.read()
        while self.out:
            try:
                self.out = self.out[self.sock.send(self.out):]
            except BlockingIOError:
                return False
        return True

    def refill(self):
        """True if something came, the end included."""
        if self.ended:
            return False
        try:
            got = self.sock.recv(READ_MAX)
        except BlockingIOError:
            return False
        self.incoming.write(got)
        if not got:
            self.ended = True
            self.incoming.write_eof()
        return True

    def drop(self):
        self.keep_session()
        self.sock.close()


CALLS = {       # name: method, its name in the library, does it send
    "handshake": (Conn.handshake, "do_handshake", True), "read": (Conn.read, "read", False), "write": (Conn.write, "write", True),
    "shutdown both": (Conn.shutdown_both, "unwrap", True), "close": (Conn.close, "close", True),
    "plain read": (Conn.plain_read, "recv", False), "plain write": (Conn.plain_write, "send", True),
}


class Adapter:
    def __init__(self):
        self.input, self.contexts = Input(), Contexts()
        self.conn = self.listener = self.session = None
        self.held = {}          # interrupted calls, the last one last

    def wait(self, conn, events, native):
        """Until the socket is ready; a new line comes first and raises."""
        say("again", native)
        if b"\n" in self.input.held:
            raise Interrupted
        poll = select.poll()
        poll.register(0, select.POLLIN)
        if events:
            poll.register(conn.sock, events)
        if any(fd == 0 for fd, _ in poll.poll()):
            raise Interrupted

    def step(self, conn, method, name, arg):
        try:
            return method(conn, arg)
        except (*WANTS, BlockingIOError) as e:
            want = "write" if isinstance(e, ssl.SSLWantWriteError) or method is Conn.plain_write else "read"
            return want, f"{name}={exception_words(e)[1]}"
        except (OSError, ValueError) as e:
            conn.failed = True
            outcome, native = exception_words(e)
            return outcome, f"{name}={native}"

    def transport(self, conn, name, e, native):
        """The transport failed below the library: the adapter's to report."""
        outcome, words = exception_words(e)
        return outcome, f"{native} {name}={words}"

    def run_memory(self, conn, method, name, sends, arg):
        while True:
            outcome, native = self.step(conn, method, name, arg)
            try:
                flushed = conn.flush()
            except OSError as e:
                conn.out = b""
                flushed = True
                if sends and outcome in ("ok", "resumed", "complete", "read", "write", "more"):
                    return self.transport(conn, "send", e, native)
            if outcome == "more" or outcome == "write" and method is not Conn.plain_write and flushed:
                continue
            if outcome not in ("read", "write") and (flushed or not sends):
                return outcome, native
            while not flushed and outcome not in ("read", "write"):
                self.wait(conn, select.POLLOUT, native)
                flushed = conn.flush()
            if outcome not in ("read", "write"):
                return outcome, native
            try:
                if outcome == "read" and conn.refill():
                    continue
            except OSError as e:
                return self.transport(conn, "recv", e, native)
            self.wait(conn, (select.POLLIN if outcome == "read" and not conn.ended else 0) | (0 if flushed else select.POLLOUT), native)

    def run(self, conn, method, name, sends, arg):
        if conn.memory:
            return self.run_memory(conn, method, name, sends, arg)
        while True:
            outcome, native = self.step(conn, method, name, arg)
            if outcome in ("read", "write"):
                self.wait(conn, select.POLLIN if outcome == "read" else select.POLLOUT, native)
            elif outcome != "more":
                return outcome, native

    def go(self, call):
        conn, (method, name, sends), arg = call
        self.held.pop(method, None)
        try:
            answer = self.run(conn, method, name, sends, arg)
        except Interrupted:
            self.held[method] = call
            return
        if method is Conn.close:
            self.drop()
        say(*answer)

    def drop(self):
        if self.conn:
            self.conn.drop()
            self.session = self.conn.session or self.session
        self.conn = None
        self.held.clear()

    def listen(self):
        if not self.listener:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        say("ok", "127.0.0.1:%d" % self.listener.getsockname()[1])

    def open(self, words):
        self.drop()
        role, version, io = words[:3]
        rest = words[3:] if role == "server" else words[4:]
        flags = [w[7:] for w in rest if w != "resume"]
        if role not in ("client", "server") or version not in ("tls1.2", "tls1.3") or io not in ("blocking", "nonblocking", "memory") \
                or any(f not in FLAGS for f in flags):
            return say("unsupported")
        if "resume" not in words:
            self.session = None
        try:
            if role == "server":
                sock, addr = self.listener.accept()
            else:
                host, port = words[3].split(":")
                sock = socket.create_connection((host, int(port)))
                addr = sock.getsockname()
            ctx = self.contexts.get(role == "server", version)
            before = ctx.options
            if "ignore-eof" in flags:
                ctx.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
            self.conn = Conn(sock, io, ctx, role == "server", self.session)
            ctx.options = before
        except OSError as e:
            return say("error", "open=" + exception_words(e)[1])
        say("ok", "%s:%d" % addr)

    def line(self, line):
        for name, call in CALLS.items():
            if line == name or line.startswith(name + " "):
                arg = line[len(name) + 1:]
                if not self.conn:
                    return say("error", '"there is no connection"')
                if "write" in name:
                    arg = [payload(arg)]
                return self.go((self.conn, call, arg))
        words = line.split()
        if words[:1] == ["open"] and len(words) > 3:
            self.open(words[1:])
        elif line == "listen":
            self.listen()
        elif line in ("end", "abandon"):
            self.drop()
            say("ok")
        elif line == "await":
            if self.held:
                self.go(self.held[list(self.held)[-1]])
            else:
                say("error", '"no call is outstanding"')
        else:
            say("unsupported")

    def main(self):
        say("library", "Python %d.%d.%d ssl (%s)" % (*sys.version_info[:3], " ".join(ssl.OPENSSL_VERSION.split()[:2])))
        say("api python")
        say("can client server tls1.2 tls1.3 blocking nonblocking memory")
        say("can shutdown-both close abandon plain resumption interrupt", *("option:" + f for f in FLAGS))
        say("ready")
        while (line := self.input.line()) is not None:
            self.line(line)


signal.signal(signal.SIGUSR1, lambda *_: None)
Adapter().main()
