#!/usr/bin/python3
"""Says that the handshake is done before it sends its Finished, which goes with the next call; and ends without a close_notify."""

import ssl

from iut import CHUNK, Iut, run


class Hasty(Iut):
    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                return "ok do_handshake"
            except ssl.SSLWantReadError:
                self.flush()
                self.into.write(self.sock.recv(CHUNK))

    def close(self):
        self.drop()
        return "ok close"


run(Hasty())
