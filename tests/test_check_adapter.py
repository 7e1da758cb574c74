"""closedrill check-adapter: what keeps the adapter contract passes, and each breach of it is told."""

import re

import pytest

LEAKS = re.compile(r"^(LEAK: )?(\S+): over 900 connections its descriptors went from (\d+) to (\d+) \(sockets: (\d+) to (\d+)\), "
                   r"its memory from \d+ to \d+ KiB$", re.M)


def leaks_of(ran):
    found = LEAKS.search(ran.out)
    assert found, ran
    return found


def test_every_built_adapter_keeps_it(tool, built):
    for name in built:
        ran = tool("check-adapter", name, "-j2")
        assert ran.status == 0, ran
        assert not leaks_of(ran)[1]


def test_one_of_the_tests(small):
    ran = small("check-adapter", "tests:honest")
    assert ran.status == 0, ran
    assert leaks_of(ran)[2] == "honest.py"


def test_descriptors_that_pile_up(small):
    ran = small("check-adapter", "tests:hoarding")
    assert ran.status == 1
    found = leaks_of(ran)
    assert found[1] and int(found[4]) - int(found[3]) == 900 and found[5] == found[6]
    assert " fail" not in ran.out


def test_sockets_that_pile_up(small):
    ran = small("check-adapter", "tests:leaking")
    assert ran.status == 1
    assert leaks_of(ran)[1] and "[nothing-left-behind]" in ran.out


@pytest.mark.parametrize("adapter, status, words", [
    ("agreeable", 3, ["answers a call that does not exist"]),
    ("dying", 3, ["before its greeting"]),
    ("babbling greeting", 3, ["breaks the contract"]),
    ("vague", 3, ["maybe"]),
    ("crashing", 1, ["[no-crash]"]),
])
def test_breaches(small, adapter, status, words):
    ran = small("check-adapter", "tests:" + adapter, "-c", "calls/data")
    assert ran.status == status, ran
    for word in words:
        assert word in ran.out + ran.err


def test_case_that_is_none(small):
    ran = small("check-adapter", "tests:honest", "-c", "orderly")
    assert ran.status == 2 and 'no case "orderly"' in ran.err
