#!/usr/bin/python3
"""Opens a file for each connection and keeps it."""

from iut import Iut, run


class Hoarding(Iut):
    kept = []

    def drop(self):
        if self.sock:
            self.kept.append(open("/dev/null"))
        super().drop()


run(Hoarding())
