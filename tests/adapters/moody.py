#!/usr/bin/python3
"""Each time it is started it adds a byte to the file that MOODY names; from the third time on it closes without a close_notify."""

import os

from iut import Iut, run

with open(os.environ["MOODY"], "ab") as f:
    f.write(b".")


class Moody(Iut):
    def close(self):
        if os.path.getsize(os.environ["MOODY"]) < 3:
            return super().close()
        self.drop()
        return "ok close"


run(Moody())
