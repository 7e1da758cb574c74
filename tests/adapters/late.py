#!/usr/bin/python3
"""Takes its time for a read, and then answers rightly."""

import time

from iut import Iut, run


class Late(Iut):
    def read(self, n):
        time.sleep(0.3)
        return super().read(n)


run(Late())
