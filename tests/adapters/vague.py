#!/usr/bin/python3
"""Answers a read with a word that is no outcome."""

from iut import Iut, run


class Vague(Iut):
    def read(self, n):
        return "maybe read=?"


run(Vague())
