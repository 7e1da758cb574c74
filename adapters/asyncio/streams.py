"""The adapter for the streams of asyncio, from Python 3.9 on.

    open            a connected socket
    handshake       client: open_connection(sock=..., ssl=...). Server: what start_server does with a connection that it accepted:
                    loop.connect_accepted_socket with a StreamReaderProtocol
    read            StreamReader.read; b"" is `closed`
    write           StreamWriter.write and drain
    close           StreamWriter.close and wait_closed. They wait for the peer's close_notify, up to ssl_shutdown_timeout, by default 30 s
    abandon         transport.abort

The mode is `nonblocking`: a call is a task, and the loop runs whether a call is outstanding or not. So a close_notify or a FIN of the peer
is answered when it comes. A call that waits goes on while other lines come, and keeps its answer until `await`, or until the next call of
its name, which takes its place; a read that has its data by then is the answer to that call.

No promises: "If EOF was received and the internal buffer is empty, return an empty bytes object", and no word on close_notify.

What the API cannot do: shutdown write (write_eof "raises NotImplementedError right now", can_write_eof is False), shutdown both, key_update,
resumption (no function takes a session), the transport without TLS, calls that wait, an object without a socket."""

import asyncio
import logging
import signal
import socket
import ssl
import sys

from common import READ_MAX, Contexts, Input, exception_words, payload, quote, say

LOOP_TURNS = 100        # far more than an aborted transport takes to close its socket


class Conn:
    """A connection: self.sock is the socket; reader and writer are there after the handshake."""

    def __init__(self, sock, ctx, server):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self.sock, self.ctx, self.server = sock, ctx, server
        self.reader = self.writer = None
        self.begun = False              # the socket is the loop's
        self.tasks = {}                 # by name, the last one last; all are outstanding

    # Calls: each returns the outcome and what the call returned.

    async def handshake(self, _):
        self.begun = True
        if self.server:
            loop = asyncio.get_running_loop()
            self.reader = asyncio.StreamReader(loop=loop)
            protocol = asyncio.StreamReaderProtocol(self.reader, loop=loop)
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, self.sock, ssl=self.ctx)
            self.writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)
        else:
            self.reader, self.writer = await asyncio.open_connection(sock=self.sock, ssl=self.ctx, server_hostname="localhost")
        return "ok", "connect_accepted_socket=transport" if self.server else "open_connection=streams"

    async def read(self, arg):
        got = await self.reader.read(min(int(arg), READ_MAX))
        return ("data " + quote(got) if got else "closed"), f"read={len(got)}"

    async def write(self, arg):
        self.writer.write(payload(arg))
        await self.writer.drain()
        return "ok", "write=None drain=None"

    async def close(self, _):
        if not self.writer:
            self.sock.close()
            return "ok", "socket.close=None"
        self.writer.close()
        await self.writer.wait_closed()
        return "ok", "close=None wait_closed=None"

    def abort(self):
        try:
            if self.writer:
                self.writer.transport.abort()
        except AttributeError:
            pass                        # 3.11: behind a close of what was closed already abort raises; later it does nothing

    def cut(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    async def drop(self):
        """Whatever state the transport is in, its loop lets go of the socket."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        for end in [self.abort, self.cut] if self.begun else []:
            end()
            for _ in range(LOOP_TURNS):
                if self.sock.fileno() < 0:
                    return
                await asyncio.sleep(0)
        self.sock.close()


CALLS = {"handshake": Conn.handshake, "read": Conn.read, "write": Conn.write, "close": Conn.close}


async def answered(conn, name, arg):
    """A call as a task: the answer, whatever it raises."""
    if name in ("read", "write") and not conn.writer:
        return "refused", '"there is no stream before the handshake"'
    try:
        return await CALLS[name](conn, arg)
    except (OSError, EOFError, RuntimeError, ValueError) as e:
        outcome, native = exception_words(e)
        return ("refused" if isinstance(e, RuntimeError) else outcome), f"{name}={native}"


class Adapter:
    def __init__(self):
        self.input, self.contexts = Input(), Contexts()
        self.lines = asyncio.Queue()
        self.came = asyncio.Event()     # a line, or the end
        self.conn = self.listener = None

    def readable(self):
        """False: there is no more."""
        more = self.input.fill()
        if not more:
            asyncio.get_running_loop().remove_reader(0)
            self.lines.put_nowait(None)
        while b"\n" in self.input.held:
            self.lines.put_nowait(self.input.line())
        self.came.set()
        return more

    async def line_waits(self):
        while self.lines.empty():
            self.came.clear()
            await self.came.wait()

    async def go(self, name):
        """Answers when the call of that name is done, unless a new line comes first."""
        conn, task = self.conn, self.conn.tasks[name]
        if not task.done():
            say("again", name)
            line = asyncio.ensure_future(self.line_waits())
            await asyncio.wait({task, line}, return_when=asyncio.FIRST_COMPLETED)
            line.cancel()
        if not task.done():
            return
        del conn.tasks[name]
        outcome, native = task.result()
        if name == "close":
            await self.drop()
        say(outcome, native)

    async def call(self, name, arg):
        old = self.conn.tasks.pop(name, None)
        if old and not (old.done() and name == "read"):
            old.cancel()
            await asyncio.gather(old, return_exceptions=True)
            old = None
        self.conn.tasks[name] = old or asyncio.ensure_future(answered(self.conn, name, arg))
        await asyncio.sleep(0)          # what needs no waiting is done now
        await self.go(name)

    async def drop(self):
        if self.conn:
            await self.conn.drop()
        self.conn = None

    def listen(self):
        if not self.listener:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        say("ok", "127.0.0.1:%d" % self.listener.getsockname()[1])

    async def open(self, words):
        await self.drop()
        role, version, io = words[:3]
        rest = words[3:] if role == "server" else words[4:]
        if role not in ("client", "server") or version not in ("tls1.2", "tls1.3") or io != "nonblocking" or rest:
            return say("unsupported")
        try:
            if role == "server":
                sock, addr = self.listener.accept()
            else:
                host, port = words[3].split(":")
                sock = socket.create_connection((host, int(port)))
                addr = sock.getsockname()
            self.conn = Conn(sock, self.contexts.get(role == "server", version), role == "server")
        except OSError as e:
            return say("error", "open=" + exception_words(e)[1])
        say("ok", "%s:%d" % addr)

    async def line(self, line):
        for name in CALLS:
            if line == name or line.startswith(name + " "):
                return await self.call(name, line[len(name) + 1:]) if self.conn else say("error", '"there is no connection"')
        words = line.split()
        if words[:1] == ["open"] and len(words) > 3:
            await self.open(words[1:])
        elif line == "listen":
            self.listen()
        elif line in ("end", "abandon"):
            await self.drop()
            say("ok")
        elif line == "await":
            if self.conn and self.conn.tasks:
                await self.go(list(self.conn.tasks)[-1])
            else:
                say("error", '"no call is outstanding"')
        else:
            say("unsupported")

    async def main(self):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)     # what goes wrong is told by the calls
        try:
            loop.add_reader(0, self.readable)
        except PermissionError:                         # a file, which no epoll takes: it is ready whenever it is asked
            while self.readable():
                pass
        say("library", "Python %d.%d.%d asyncio (%s)" % (*sys.version_info[:3], " ".join(ssl.OPENSSL_VERSION.split()[:2])))
        say("api asyncio")
        say("can client server tls1.2 tls1.3 nonblocking")
        say("can close abandon interrupt")
        say("ready")
        while (line := await self.lines.get()) is not None:
            await self.line(line)


async def run():
    await Adapter().main()


logging.getLogger("asyncio").setLevel(logging.CRITICAL)
signal.signal(signal.SIGUSR1, lambda *_: None)
asyncio.run(run())
