#!/usr/bin/python3
"""Does not come back from `end`."""

from iut import Iut, run, sleep_without_end


class Stuck(Iut):
    def end(self):
        sleep_without_end()


run(Stuck())
