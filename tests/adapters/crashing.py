#!/usr/bin/python3
"""Dies in a read: of a signal, or with `exit` of its own will."""

import os
import signal
import sys

from iut import Iut, run


class Crashing(Iut):
    def read(self, n):
        print("heap corrupted", file=sys.stderr, flush=True)
        if "exit" in sys.argv:
            os._exit(7)
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)


run(Crashing())
