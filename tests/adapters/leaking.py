#!/usr/bin/python3
"""Keeps the socket behind close, although the connection ends as it should."""

import socket

from iut import Iut, run


class Leaking(Iut):
    kept = []

    def drop(self):
        if self.sock:
            self.kept.append(self.sock.dup())
            self.sock.shutdown(socket.SHUT_WR)
        super().drop()


run(Leaking())
