#!/usr/bin/python3
"""Talks without end, where the argument says: `greeting`, lines that are none of a greeting; `greeting-line`, one line; `lines`, lines that
are no answers to a read; `line`, one line as an answer to it; `again`, lines that put the answer off; `twice`, every answer two times."""

import os
import sys

from iut import Iut, run

KIND = sys.argv[1]


def flood(data):
    while True:
        os.write(1, data)


class Babbling(Iut):
    def greet(self):
        if KIND == "greeting":
            flood(b"and another thing\n" * 100)
        if KIND == "greeting-line":
            flood(b"library " * 1000)
        super().greet()

    def read(self, n):
        if KIND == "lines":
            flood(b"and another thing\n" * 100)
        if KIND == "line":
            flood(b"data " * 1000)
        if KIND == "again":
            flood(b"again SSLWantReadError\n" * 100)
        return super().read(n)

    def say(self, line):
        super().say(line)
        if KIND == "twice" and line.startswith("data"):
            super().say(line)


run(Babbling())
