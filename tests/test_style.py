"""The layout of the sources that a machine can tell: HACKING.md, "House style"."""

import os

import pytest

from conftest import ROOT

FOLDERS = ("peer", "runner", "adapters")
ENDINGS = (".c", ".h", ".cc")
COLUMNS = 140
TAB = 8


def sources():
    for folder in FOLDERS:
        for at, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if name.endswith(ENDINGS):
                    yield os.path.relpath(os.path.join(at, name), ROOT)


def lines():
    for path in sources():
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                yield "%s:%d" % (path, number), line.rstrip("\n")


# What is wrong with a line, by name. The last column is a line that breaks the rule, so that no rule goes blind.
RULES = [
    ("more than 140 columns", lambda line: len(line.expandtabs(TAB)) > COLUMNS, "\t\t" + "x" * 125),
    ("white space at the end", lambda line: line != line.rstrip(), "\treturn; "),
]


@pytest.mark.parametrize("rule, breaks, example", RULES, ids=[r[0] for r in RULES])
def test_lines(rule, breaks, example):
    assert breaks(example)
    assert [place for place, line in lines() if breaks(line)] == [], rule


def test_that_there_are_sources():
    found = list(sources())
    assert len(found) > 150 and all(any(f.startswith(folder + "/") for f in found) for folder in FOLDERS)
