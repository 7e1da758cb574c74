#!/usr/bin/python3
"""Answers ok to what it cannot know."""

from iut import Iut, run


class Agreeable(Iut):
    def answer(self, line):
        told = super().answer(line)
        return "ok" if told == "unsupported" else told


run(Agreeable())
