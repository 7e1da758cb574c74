#!/usr/bin/python3
"""Its manual forbids to go on after an error and after the end, and it dies of it. With `unknown` its greeting forbids what there is not."""

import os
import sys

from iut import Iut, run


class Strict(Iut):
    over = ()

    def greet(self):
        self.say("forbids " + ("after-lunch" if "unknown" in sys.argv else "after-error after-end"))
        super().greet()

    def answer(self, line):
        if line.startswith("open"):
            self.over = ()
        if line.startswith(self.over):
            os._exit(1)
        said = super().answer(line)
        if said.startswith("closed"):
            self.over = ("read", "write")
        if said.split()[0] in ("truncated", "reset", "pipe", "alert", "refused", "error"):
            self.over = ("read", "write", "shutdown")
        return said


run(Strict())
