#!/usr/bin/python3
"""Calculates without end in a read."""

from iut import Iut, run


class Spinning(Iut):
    def read(self, n):
        while True:
            pass


run(Spinning())
