"""What the adapters for the ssl module and for asyncio share: lines in and out, what the library said, and the contexts."""

import errno
import os
import ssl

READ_MAX = 16384
PATTERN = b"abcdefghijklmnopqrstuvw"
ALERTS = {"user_cancelled": "user_canceled"}    # where OpenSSL's word is not the standard's


class Input:
    """Lines from standard input."""

    def __init__(self):
        self.held = b""

    def fill(self):
        """Reads once. False: there is no more."""
        got = os.read(0, 1 << 16)
        self.held += got
        return bool(got)

    def line(self):
        """Waits for one; None: there are no more."""
        while b"\n" not in self.held:
            if not self.fill():
                return None
        line, self.held = self.held.split(b"\n", 1)
        return line.decode("latin-1")


def quote(data):
    names = {10: "\\n", 13: "\\r", 9: "\\t", 92: "\\\\", 34: '\\"'}
    return '"' + "".join(names.get(c) or (chr(c) if 32 <= c < 127 else f"\\x{c:02x}") for c in data) + '"'


def unquote(text):
    names = {"n": 10, "r": 13, "t": 9, "\\": 92, '"': 34}
    data, i, inner = bytearray(), 0, text[1:-1]
    while i < len(inner):
        if inner[i] != "\\":
            data.append(ord(inner[i]))
        elif inner[i + 1] == "x":
            data.append(int(inner[i + 2:i + 4], 16))
            i += 3
        else:
            data.append(names[inner[i + 1]])
            i += 1
        i += 1
    return bytes(data)


def payload(arg):
    if arg.startswith('"'):
        return unquote(arg)
    return (PATTERN * (int(arg) // len(PATTERN) + 1))[:int(arg)]


def say(*words):
    os.write(1, (" ".join(w for w in words if w) + "\n").encode())


def alert_of(reason):
    word = reason.lower()
    for prefix in "sslv3_alert_", "tlsv1_alert_", "tlsv13_alert_", "tlsv1_":
        if word.startswith(prefix):
            word = word[len(prefix):]
            return ALERTS.get(word, word)
    return None


def exception_words(e):
    """The outcome, and the exception in its own words."""
    code = errno.errorcode.get(e.errno, str(e.errno)) if isinstance(e, OSError) and e.errno else ""
    if isinstance(e, ssl.SSLError):
        code = e.reason or ssl.SSLErrorNumber(e.errno).name
    native = f"{type(e).__name__} {code} {quote(str(e).encode())}".replace("  ", " ")
    if isinstance(e, ssl.SSLZeroReturnError):
        return "closed", native
    if isinstance(e, ssl.SSLEOFError):
        return "truncated", native
    if isinstance(e, ConnectionResetError):
        return "reset", native
    if isinstance(e, BrokenPipeError):
        return "pipe", native
    if isinstance(e, ssl.SSLError) and e.reason == "PROTOCOL_IS_SHUTDOWN" or isinstance(e, ValueError):
        return "refused", native
    if isinstance(e, ssl.SSLError) and e.reason and alert_of(e.reason):
        return "alert " + alert_of(e.reason), native
    return "error", native


class Contexts:
    """One for each role and version, as a session belongs to its context."""

    def __init__(self):
        self.made = {}

    def get(self, server, version):
        if (server, version) not in self.made:
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
            if server:
                ctx.load_cert_chain(os.environ["CLOSEDRILL_CERT"])
            else:
                ctx.check_hostname = False
                ctx.verify_mode = ssl.CERT_NONE
            ctx.minimum_version = ctx.maximum_version = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}[version]
            self.made[server, version] = ctx
        return self.made[server, version]
