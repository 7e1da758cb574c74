#!/usr/bin/python3
"""Says that it is non-blocking, and does not look at a further line before it has answered."""

from iut import Iut, run


class Patient(Iut):
    can = "client tls1.3 nonblocking close abandon"

    def answer(self, line):
        return super().answer(line.replace(" nonblocking ", " blocking "))


run(Patient())
