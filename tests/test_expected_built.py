"""What is committed in expected/ is what the implementations do that are built here, in the versions that were recorded: a few themes of
each, for all of it takes minutes (`make compare`)."""

import json
import os
import re

import pytest

from conftest import ROOT, load_results

EXPECTED = os.path.join(ROOT, "expected")
THEMES = ["orderly", "partial-record", "descriptor-sharing"]
RECORDED = sorted(os.listdir(EXPECTED))
# A connection of Erlang's is two processes that race: what is recorded are the cases in which it did the same every time, so far.
RACES = ["erlang"]


def name_of(folder):
    return re.sub(r"-\d[^-]*$", "", folder)


@pytest.fixture(scope="module")
def built(tool):
    """Name -> the library's line, of those that are built here and start."""
    return {i["implementation"]: i["library"] for i in json.loads(tool("list", "implementations", "--json").out) if i.get("library")}


@pytest.mark.parametrize("folder", RECORDED)
def test_nothing_changed(tool, built, folder, out):
    with open(os.path.join(EXPECTED, folder, "recorded")) as f:
        recorded = f.read()
    if recorded != "recorded with %s\n" % built.get(name_of(folder)):
        pytest.skip("%s; here is %s" % (recorded.strip(), built.get(name_of(folder), "none")))
    ran = tool("run", name_of(folder), "-j2", "-o", str(out), "--keep", "none", *[w for t in THEMES for w in ("-c", t)])
    runs = load_results(out)["runs"]
    assert len(runs) > 50
    if name_of(folder) in RACES:
        assert {r["verdict"] for r in runs}.isdisjoint({"broken"}) and "same" in {r["expected"] for r in runs}, ran.out
        return
    assert {r["expected"] for r in runs} == {"same"} and {r["expected_of"] for r in runs} == {folder}, ran.out
    assert ran.status == 0, ran


def test_some_are(built):
    """The two that every machine has which runs these tests: else nothing was compared above, and nobody would notice."""
    assert {"openssl", "reference"} <= set(built) and {"openssl", "reference"} <= {name_of(f) for f in RECORDED}
