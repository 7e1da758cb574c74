#!/usr/bin/python3
"""Takes its time for a read, 300 ms or what the argument says, and then answers rightly."""

import sys
import time

from iut import Iut, run

NAP_S = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3


class Late(Iut):
    def read(self, n):
        time.sleep(NAP_S)
        return super().read(n)


run(Late())
