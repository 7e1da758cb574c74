"""What an adapter makes of a library's word where that can be read in two ways: each row was once answered otherwise."""

import os
import shutil

import pytest

from conftest import BUILD, Tool, make_tree

ROWS = {
    # Behind its own closeOutbound an engine says CLOSED for what it does not do any more. That is no end of the peer's.
    "words/own-close": (["jsse-engine", "bouncycastle-engine"], """
# The peer has said nothing; whoever reads is told to wait, or that he cannot,
# and is not told of an end.

title  a read behind the own close
io     memory

handshake
iut   shutdown write  -> sent
iut   read            -> blocked | refused
iut   abandon
"""),
    # The error is told in the words of the call that met it, also where a later one has other words (rustls 0.20: "not complete").
    "words/first-error": (["rustls"], """
# Bytes that are no record;
# the first answer is what the library says of them.

title  bytes that are no record
io     nonblocking memory

handshake
peer  raw "220 ready\\r\\n"
iut   read            -> error
iut   abandon
"""),
    # BearSSL's own loop (br_sslio) forgives that its answer to a close_notify cannot be sent.
    "words/answer-to-nobody": (["bearssl"], """
# The peer ends in good order and is gone before
# the answer, which nobody waits for.

title  the answer to a close_notify cannot be sent
tls    1.2
io     blocking nonblocking

handshake
peer  write "hello"
peer  close_notify
peer  rst
iut   read            -> data "hello"
iut   read            -> closed
iut   abandon
"""),
}


@pytest.fixture(scope="module")
def tool():
    top = make_tree({name: text for name, (_, text) in ROWS.items()})
    yield Tool(os.path.join(top, "build"), os.path.join(top, "adapters"))
    shutil.rmtree(top)


@pytest.mark.parametrize("case,adapter", [(case, a) for case, (adapters, _) in ROWS.items() for a in adapters])
def test_word(tool, out, case, adapter):
    if not os.access(os.path.join(BUILD, "adapters", adapter), os.X_OK):
        pytest.skip(adapter + " is not built")
    runs = tool.results(adapter, "-c", case, "-j1", out=out)["runs"]
    assert runs
    assert [(r["role"], r["tls"], r["io"], r["verdict"], r.get("reason"), r["findings"]) for r in runs if r["verdict"] != "pass"] == []
