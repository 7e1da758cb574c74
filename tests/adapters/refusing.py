#!/usr/bin/python3
"""Says that it can do all, and then that it cannot: nothing, or with `calls` nothing behind the handshake."""

import sys

from iut import Iut, run


class Refusing(Iut):
    def answer(self, line):
        if "calls" in sys.argv and line.split()[0] in ("listen", "open", "handshake", "end"):
            return super().answer(line)
        return "unsupported"


run(Refusing())
