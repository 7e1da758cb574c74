#!/usr/bin/python3
"""Closes the transport without a close_notify."""

from iut import Iut, run


class Abrupt(Iut):
    def close(self):
        self.drop()
        return "ok close"


run(Abrupt())
