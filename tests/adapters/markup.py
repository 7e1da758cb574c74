#!/usr/bin/python3
"""What it says of itself and of its calls is markup, quotes and terminal escapes."""

from iut import Iut, run

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\x1b[31mred\x1b[0m\u202e"


class Markup(Iut):
    library = "Evil " + EVIL

    def read(self, n):
        return 'error read=-1 "%s"' % EVIL.replace('"', '\\"')


run(Markup())
