"""Every adapter that is built: it does the plainest things, in each role, version and mode that it names, and waits without spinning."""

import os
import shutil
import subprocess

import pytest

from conftest import BUILD, Tool, make_tree

BUILT = sorted(n for n in os.listdir(os.path.join(BUILD, "adapters"))
               if os.path.isfile(os.path.join(BUILD, "adapters", n)) and os.access(os.path.join(BUILD, "adapters", n), os.X_OK))
NAMES_NO_VERSION = ["bearssl"]

# What any library can: no close, and no end of the stream, for what each says to those is what the suite is about.
PLAIN = {
    "each/talks": """
# Both sides say something;
# the application then leaves without a word.

title  data both ways

handshake
peer  write "hello"
iut   read     -> data "hello"
iut   write "hey" -> ok
wire  iut      -> data 3
iut   write 100000 -> ok
wire  iut      -> data 100000
iut   abandon
wire  iut      -> fin | rst
""",
    "each/waits": """
# Nothing comes, so the read cannot end;
# then something does, twice as much as is asked for.

title  a read that has to wait

handshake
iut   read 5   -> blocked          [waiting-is-no-error]
peer  write "helloworld"
iut   await    -> data "hello"
iut   read 5   -> data "world"
iut   abandon
wire  iut      -> fin | rst
""",
    "each/twice": """
# A second connection is as good as the first;
# nothing of the first comes with it.

title  two connections, one after the other

handshake
peer  write "one"
iut   read     -> data "one"
iut   abandon
handshake
peer  write "two"
iut   read     -> data "two"
iut   abandon
""",
}

RESUMES = {
    "each/resumes": """
# What is told of resumption is worth nothing
# where none ever comes about.

title  a session that is used again
needs  resumption

handshake
@1.3 @client peer ticket
peer  write "hello"
iut   read              -> data "hello"
iut   write "hey"       -> ok
peer  close_notify
iut   read
iut   close
handshake resume        -> resumed
iut   abandon
""",
}
# Where no session comes about, and why.
NOT_RESUMED = {
    "bouncycastle": {("client", "1.3"), ("server", "1.3")},         # adapters/README.md
    "bouncycastle-engine": {("client", "1.3"), ("server", "1.3")},
    "go": {("client", "1.2"), ("server", "1.2")},           # by tickets alone; in 1.2 the peer neither gives nor takes any
    "libtls": {("client", "1.3"), ("server", "1.2"), ("server", "1.3")},    # adapters/README.md
    "node": {("server", "1.2")},                            # by tickets alone, unless the application keeps a cache
}


@pytest.fixture(scope="module", params=[PLAIN])
def plain(request):
    top = make_tree(request.param)
    yield Tool(os.path.join(top, "build"), os.path.join(top, "adapters"))
    shutil.rmtree(top)


def greeting(name):
    """Its lines, by their first word: all words behind it. Its input ends at once, and then so does the adapter."""
    ran = subprocess.run([os.path.join(BUILD, "adapters", name)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=60)
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0 and lines[-1] == "ready", ran
    said = {}
    for line in lines[:-1]:
        said.setdefault(line.split()[0], []).extend(line.split()[1:])
    return said


def test_some_are_built():
    assert {"openssl", "reference"} <= set(BUILT)


@pytest.mark.parametrize("name", BUILT)
def test_greets(name):
    said = greeting(name)
    assert said["library"] and len(said["api"]) == 1
    assert name in NAMES_NO_VERSION or any(c.isdigit() for c in " ".join(said["library"])), said["library"]
    for words in ("client", "server"), ("tls1.2", "tls1.3"), ("blocking", "nonblocking", "memory"):
        assert set(words) & set(said["can"]), (name, words)


@pytest.mark.parametrize("name", BUILT)
def test_talks_and_waits(plain, out, name):
    """Passing means: no crash, no spin, no socket left, all bytes, and the capture agrees."""
    can = greeting(name)["can"]
    variants = 1
    for words in ("client", "server"), ("tls1.2", "tls1.3"), ("blocking", "nonblocking", "memory"):
        variants *= len(set(words) & set(can))
    results = plain.results(name, "-j1", out=out)
    assert [(r["case"], r["role"], r["tls"], r["io"], r["verdict"], r.get("reason"), r["findings"]) for r in results["runs"] if r["verdict"] != "pass"] == []
    assert len(results["runs"]) == variants * len(PLAIN)


@pytest.mark.parametrize("plain", [RESUMES], indirect=True)
@pytest.mark.parametrize("name", [n for n in BUILT if "resumption" in greeting(n)["can"]])
def test_resumes(plain, out, name):
    results = plain.results(name, "-j1", out=out)
    full = {(r["role"], r["tls"]) for r in results["runs"] if r["verdict"] == "inconclusive"}
    assert full == NOT_RESUMED.get(name, set())
    assert not [r["reason"] for r in results["runs"] if r["verdict"] == "broken"]
