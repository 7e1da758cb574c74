#!/usr/bin/python3
"""Closes without a close_notify, and says things that are more than text to a terminal, to XML, to a log of GitHub, and to TAP."""

from iut import Iut, run


class Hostile(Iut):
    library = "Python-ssl \033[2J\033]0;owned\a <script>alert(1)</script> ]]> & \" ' \u202e # TODO x ##[error]owned %0A"

    def close(self):
        self.drop()
        return "ok close=1 \"<script>\033[31m</system-out> # SKIP ##[error]owned\""


run(Hostile())
