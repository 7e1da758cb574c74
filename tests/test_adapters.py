"""Adapters that misbehave: each gives a clear message, and never a verdict about the implementation where the adapter broke the contract."""

import pathlib

import pytest

from conftest import ADAPTER_NAMES, OWN_CASES, files_below

VARIANT = ["--role", "client", "--tls", "1.3", "--io", "blocking"]


@pytest.fixture
def play(small, out):
    """Plays cases with an adapter of the tests; gives the results, the findings by case among them."""
    def played(adapter, *cases, status, more=()):
        selected = [w for c in cases for w in ("-c", c)]
        results = small.results("tests:" + adapter, *selected, *VARIANT, *more, "-j1", out=out, status=status)
        assert [r["case"] for r in results["runs"]] == sorted(cases)
        return results
    return played


def verdicts(results):
    return [r["verdict"] for r in results["runs"]]


def findings(run):
    return {f["requirement"]: f for f in run["findings"]}


# hostile is for tests/test_formats.py.

def test_every_adapter_is_tested():
    text = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    assert [n for n in ADAPTER_NAMES if n not in text] == []


def test_honest(small, out):
    """What the others have in common works, in all that it says that it can."""
    results = small.results("tests:honest", "-j2", out=out, status=0)
    assert len(results["runs"]) == 4 * len(OWN_CASES)
    assert set(verdicts(results)) == {"pass"}
    assert all(r["findings"] == [] for r in results["runs"])
    assert all(r["implementation"] == "honest.py" and r["library"].startswith("Python-ssl 3.") for r in results["runs"])


# ---- The harness failed: broken, or no run at all; no verdict ----

@pytest.mark.parametrize("adapter, words", [
    ("dying", ["before its greeting", "exit 1", "no licence for this library"]),
    ("babbling greeting", ["breaks the contract", "greeting", "and another thing"]),
    ("babbling greeting-line", ["line without end", "greeting"]),
    ("agreeable", ["breaks the contract", "does not exist", '"ok"']),
    ("strict unknown", ["breaks the contract", "greeting"]),
])
def test_no_adapter(small, out, adapter, words):
    ran = small("run", "tests:" + adapter, *VARIANT, "-o", str(out))
    assert ran.status == 3
    assert ran.out == ""
    for word in [adapter.split()[0]] + words:
        assert word in ran.err


def test_adapter_that_is_not_there(small):
    ran = small("run", "./no-such-program", "-j1")
    assert ran.status == 3
    assert "no-such-program" in ran.err and "No such file" in ran.err


def test_adapter_that_cannot_be_run(small, tmp_path):
    (tmp_path / "text").write_text("not a program\n")
    ran = small("run", str(tmp_path / "text"), "-j1")
    assert ran.status == 3
    assert "text" in ran.err and "Permission denied" in ran.err


@pytest.mark.slow
def test_silent(small):
    ran = small("run", "tests:silent", *VARIANT)
    assert ran.status == 3
    assert "silent" in ran.err and "greeting" in ran.err


@pytest.mark.parametrize("adapter, words", [
    ("vague", ["breaks the contract", "maybe"]),
    ("babbling lines", ["breaks the contract", "and another thing"]),
    ("babbling line", ["line without end"]),
    ("babbling twice", ["breaks the contract"]),
    ("refusing", ["open client", "unsupported"]),
])
def test_contract_broken(play, adapter, words):
    results = play(adapter, "plain/hello", status=3)
    assert verdicts(results) == ["broken"]
    assert results["runs"][0]["findings"] == []
    for word in [adapter.split()[0]] + words:
        assert word in results["runs"][0]["reason"]
    assert results["runs"][0]["reason"] in results["ran"].out
    assert "fail" not in results["ran"].out.split()


def test_putting_off_without_end(small, out):
    """`again` may come any number of times; as a flood it is a contract broken, or a library that spins: which of both, the clock decides."""
    results = small.results("tests:babbling again", "-c", "plain/hello", *VARIANT, "-j1", out=out)
    run = results["runs"][0]
    assert (results["ran"].status, run["verdict"]) in ((3, "broken"), (1, "fail"))
    assert run["verdict"] == "broken" or set(findings(run)) == {"no-spin"}


def test_broken_then_well(play):
    """One broken run does not spoil the next: the adapter is started anew."""
    results = play("vague", "plain/close", "plain/hello", "plain/waits", status=3)
    assert verdicts(results) == ["pass", "broken", "broken"]


# ---- The adapter says that it cannot ----

def test_refusing_every_call(play):
    results = play("refusing calls", "plain/hello", "plain/cut", status=0)
    assert verdicts(results) == ["unsupported", "unsupported"]
    assert all(r["findings"] == [] and "read" in r["reason"] for r in results["runs"])


def test_other_api(small):
    ran = small("run", "tests:honest", "--io", "memory")
    assert ran.status == 2
    assert "nothing to run" in ran.err


# ---- The implementation failed ----

@pytest.mark.parametrize("adapter, how", [("crashing", "SIGSEGV"), ("crashing exit", "exit 7")])
def test_crash(play, adapter, how):
    results = play(adapter, "plain/close", "plain/hello", "plain/waits", status=1)
    assert verdicts(results) == ["pass", "fail", "fail"]        # so it was started anew
    told = findings(results["runs"][1])
    assert set(told) == {"no-crash"}
    assert "read -> crash " + how in told["no-crash"]["observed"]
    assert "heap corrupted" in told["no-crash"]["native"]
    assert "no-crash" in results["ran"].out and how in results["ran"].out


def test_crash_then_well(play, out):
    """The run behind a crash finds a living adapter."""
    results = play("crashing", "plain/cut", "plain/close", status=1)
    assert [(r["case"], r["verdict"]) for r in results["runs"]] == [("plain/close", "pass"), ("plain/cut", "fail")]
    results = play("crashing", "plain/hello", "plain/waits", status=1)
    assert verdicts(results) == ["fail", "fail"]
    assert all("crash SIGSEGV" in findings(r)["no-crash"]["observed"] for r in results["runs"])
    # What the greeting told is of the process that is there now.
    ladders = [pathlib.Path(out, name).read_text() for name in files_below(out) if name.endswith(".svg")]
    assert len(ladders) == 3 and all(r["library"] + ", " in ladder for r, ladder in zip(results["runs"], ladders[1:]))


def test_spin(play):
    results = play("spinning", "plain/close", "plain/hello", status=1)
    assert verdicts(results) == ["pass", "fail"]
    told = findings(results["runs"][1])
    assert set(told) == {"no-spin"}
    assert "read -> spins" in told["no-spin"]["observed"]


def test_leak(play):
    results = play("leaking", "plain/close", status=1)
    assert verdicts(results) == ["fail"]
    assert set(findings(results["runs"][0])) == {"nothing-left-behind"}


def test_closed_on_a_bare_fin(play):
    results = play("ragged", "plain/cut", "plain/hello", status=0)
    assert verdicts(results) == ["warn", "pass"]
    told = findings(results["runs"][0])
    assert set(told) & {"truncation-visible", "closed-means-notified"}
    assert all(f["disputed"] and f["weight"] == "warn" and f["observed"].startswith("iut read -> closed") for f in told.values())


def test_closed_on_a_bare_fin_with_a_promise(play):
    results = play("ragged promises", "plain/cut", "plain/hello", status=1)
    assert verdicts(results) == ["fail", "pass"]
    told = findings(results["runs"][0])
    assert set(told) & {"truncation-visible", "closed-means-notified"}
    assert all(f["weight"] == "fail" for f in told.values())


def test_no_close_notify(play):
    results = play("abrupt", "plain/close", status=1)
    told = findings(results["runs"][0])
    assert told["notify-before-fin"]["weight"] == "fail"
    assert told["notify-before-fin"]["level"] == "MUST"


def test_finished_behind_the_answer(public, out):
    """Where the peer has the Finished later than we the answer, the handshake counts all the same, and what breaks the end is told once."""
    results = public.results("tests:hasty", "-c", "handshake-phase/half-rtt-notify", *VARIANT, "-j1", out=out, status=1)
    assert set(findings(results["runs"][0])) == {"notify-before-fin"}


def test_no_line_crosses_an_answer(public, out):
    """A timer of the kernel ends the call, whenever that is: the answer comes without being asked for."""
    variant = [w.replace("blocking", "nonblocking") for w in VARIANT]
    results = public.results("tests:patient", "-c", "tcp-state/dead-peer-in-read", *variant, "-j1", out=out, status=0)
    assert verdicts(results) == ["pass"], [(r["reason"], r["findings"]) for r in results["runs"]]


# ---- What a manual forbids ----

def test_calls_that_are_forbidden_are_left_out(public, out):
    """The reads behind the first error; and of the wire line behind a call that would have sent nothing is asked."""
    cases = ["truncation/verdict-is-sticky", "after-close/late-data-after-the-end-was-seen"]
    results = public.results("tests:strict", *[w for c in cases for w in ("-c", c)], *VARIANT, "--keep", "all", "-j1", out=out, status=0)
    assert verdicts(results) == ["pass", "pass"]
    with open(out / "strict.py" / "truncation" / "verdict-is-sticky" / "client-1.3-blocking.trace") as f:
        trace = f.read()
    assert trace.count("# left out: line ") == 5 and trace.count("iut   read ->") == 2


# ---- Time ----

def test_late_is_not_blocked(play):
    """A call with a nap in it is waited for, however often the runner looks."""
    results = play("late", *["plain/cut", "plain/hello"], status=0)
    assert verdicts(results) == ["pass", "pass"], [r["findings"] for r in results["runs"]]
    assert all(r["ms"] > 600 for r in results["runs"])          # two reads of 300 ms


def test_naps_without_number(small, out):
    """Whenever the timer fires between two looks of the runner."""
    results = small.results("tests:late 0.01", "-c", "plain/many", "-j2", out=out, status=0)
    assert verdicts(results) == ["pass"] * 4, [r["findings"] for r in results["runs"]]


def test_late_can_still_block(play):
    """Behind the nap the read waits for the peer: that is seen too."""
    results = play("late", "plain/waits", status=0)
    assert verdicts(results) == ["pass"], [r["findings"] for r in results["runs"]]


def test_stuck_between_runs(play):
    """One that does not come back from `end` is started anew, unjudged."""
    results = play("stuck", "plain/close", "plain/cut", "plain/hello", status=0)
    assert verdicts(results) == ["pass", "pass", "pass"]
