#!/usr/bin/python3
"""Takes the end of the transport for the end of the stream; with `promises` its manual says the contrary."""

import sys

from iut import Iut, run


class Ragged(Iut):
    promises = "truncation-visible" if "promises" in sys.argv else ""

    def answer(self, line):
        return super().answer(line).replace("truncated", "closed")


run(Ragged())
