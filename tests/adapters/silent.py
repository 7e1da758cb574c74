#!/usr/bin/python3
"""Never greets."""

from iut import sleep_without_end

sleep_without_end()
