#!/usr/bin/python3
"""Nothing is wrong with this one."""

from iut import Iut, run

run(Iut())
