"""Two connections at once (`switch`), against real adapters: each has its own packets, ends, settings and findings."""

import shutil

import pytest

from conftest import Tool, make_tree

PROSE = "\n# Two connections at once;\n# each is looked at for itself.\n\ntitle  two connections\nneeds  siblings\n\n"
SIBLING_CASES = {
    # A broken path on one is none on the other, and what is lost is the other's no more.
    "two/paths": PROSE + """
handshake
switch
handshake
path  cut
iut   write "lost"     -> ok
wire  iut              -> data 4
switch
peer  write "hello"
iut   read             -> data "hello"
iut   write "found"    -> ok
wire  iut              -> data 5
tcp   iut              -> established
switch
path  mend
tcp   iut              -> established
iut   close
wire  iut              -> close_notify fin
""",
    # A descriptor that is held belongs to one of them.
    "two/held": PROSE + """
handshake
fd    iut hold
iut   close
wire  iut              -> close_notify
switch
handshake
iut   close
wire  iut              -> close_notify fin
switch
wire  iut              -> nothing
fd    iut drop
wire  iut              -> fin
""",
    # A third connection takes the place of the present one; the other stays.
    "two/third": PROSE + """
handshake
switch
handshake
iut   write "b"        -> ok
wire  iut              -> data 1
handshake
iut   write "cc"       -> ok
wire  iut              -> data 2
switch
iut   write "a"        -> ok
wire  iut              -> data 1
tcp   iut              -> established
tcp   peer             -> established
""",
    # One closes, and that its descriptor is left is told although the other one is looked at last.
    "two/left": PROSE + """
handshake
switch
handshake
iut   close
wire  iut              -> close_notify fin
switch
iut   write "x"        -> ok
wire  iut              -> data 1
""",
}


@pytest.fixture(scope="module")
def siblings():
    top = make_tree(SIBLING_CASES)
    yield Tool(top + "/build", top + "/adapters")
    shutil.rmtree(top)


@pytest.mark.parametrize("implementation", ["reference", "openssl"])
def test_each_for_itself(siblings, out, implementation):
    results = siblings.results(implementation, out=out, status=0)
    assert len(results["runs"]) == 12 * len(SIBLING_CASES)
    assert {(r["verdict"], len(r["findings"])) for r in results["runs"]} == {("pass", 0)}


def test_left_behind_on_the_other(siblings, out):
    results = siblings.results("reference --fault descriptor-leaked", "-c", "two/left", out=out, status=1)
    assert {f["requirement"] for r in results["runs"] for f in r["findings"]} >= {"nothing-left-behind"}


def test_adapter_without(siblings, out):
    results = siblings.results("tests:honest", out=out, status=0)
    assert {r["verdict"] for r in results["runs"]} == {"unsupported"}


def test_trace_and_capture(siblings, out):
    siblings.results("reference", "-c", "two/third", "--role", "client", "--tls", "1.3", "--io", "blocking", "--keep", "all", out=out, status=0)
    stem = out / "reference" / "two" / "third" / "client-1.3-blocking"
    lines = stem.with_name(stem.name + ".trace").read_text().splitlines()
    assert lines.count("switch") == 2
    assert [line for line in lines if line.startswith("wire  iut -> data")] == ["wire  iut -> data 1", "wire  iut -> data 2", "wire  iut -> data 1"]
    assert b"iut: data 1, during `iut write \"a\"`" in stem.with_name(stem.name + ".pcapng").read_bytes()
