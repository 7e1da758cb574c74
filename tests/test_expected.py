"""Expected traces as their users see them: `closedrill record`, and what `closedrill run` makes of them."""

import html
import json
import os
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from conftest import OWN_CASES, ROOT, files_below, load_results

ONE = ["--role", "client", "--tls", "1.3", "--io", "blocking"]
IGNORE = {"CLOSEDRILL_OPENSSL_OPTIONS": "ignore-eof"}


def text_of(path):
    with open(path) as f:
        return f.read()


def edit(path, pattern, by):
    text = text_of(path)
    changed = re.sub(pattern, by, text, flags=re.M)
    assert changed != text, pattern
    with open(path, "w") as f:
        f.write(changed)


def contents(folder):
    return {f: text_of(os.path.join(folder, f)) for f in files_below(folder)}


def record(tool, into, *args, status=0, **kw):
    ran = tool("record", *args, "--into", str(into), **kw)
    assert ran.status == status, ran
    return ran


def folder_of(into, name):
    """The one folder of that implementation."""
    found = [d for d in os.listdir(into) if d.startswith(name + "-")]
    assert len(found) == 1, os.listdir(into)
    return os.path.join(into, found[0])


@pytest.fixture(scope="module")
def once(small, tmp_path_factory):
    """A recording of openssl and of one that deviates, of the tests' own cases."""
    into = tmp_path_factory.mktemp("expected") / "recorded"
    ran = record(small, into, "openssl", "tests:abrupt", "-j2")
    assert re.search(r"abrupt.py-\S+: 5 cases: 0 as before, 0 changed, 5 new, 0 gone; \d+ known deviations, \d+ without a reason", ran.out)
    return into


@pytest.fixture
def into(once, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(once, tmp_path / "expected")


def run(tool, into, *args, status=None, out=None, **kw):
    ran = tool("run", *args, "--expected", str(into), *(["-o", str(out)] if out else []), **kw)
    assert status is None or ran.status == status, ran
    return ran


# ---- Recording ----

def test_files(once):
    openssl = folder_of(once, "openssl")
    assert files_below(openssl) == sorted([c + ".trace" for c in OWN_CASES] + ["recorded"])
    assert re.fullmatch(r"recorded with OpenSSL \d\S*\n", text_of(os.path.join(openssl, "recorded")))
    text = text_of(os.path.join(openssl, "plain/cut.trace"))
    assert text.startswith("case plain/cut\n\nvariants ") and text.endswith("\nend\n")
    assert "iut   read -> truncated as SSL_read=0 SSL_ERROR_SSL\n" in text       # its text in quotes is for people
    assert "deviation" not in text
    assert 'deviation notify-before-fin ""\n' in text_of(os.path.join(folder_of(once, "abrupt.py"), "plain/close.trace"))


def test_nothing_changed(small, once, out):
    ran = run(small, once, "openssl", "tests:abrupt", "-j2", status=0, out=out)
    results = load_results(out)
    assert {r["expected"] for r in results["runs"]} == {"same"}
    assert {r["expected_of"] for r in results["runs"]} == {os.path.basename(folder_of(once, n)) for n in ("openssl", "abrupt.py")}
    assert not [r for r in results["runs"] if "diff" in r]
    findings = [f for r in results["runs"] for f in r["findings"] if f["weight"] == "fail"]
    assert findings and all(f["known"] for f in findings)
    assert not re.search(r"^(fail|warn|changed) ", ran.out, re.M)
    assert re.search(r"^openssl: nothing changed: 60 runs as in expected/openssl-\S+ \(recorded with this very version, OpenSSL .*\)$", ran.out, re.M)
    assert re.search(r"^abrupt.py: nothing changed: .*; \d+ known deviations \(-v lists them\)$", ran.out, re.M)
    for name in "openssl", "abrupt.py":         # what -o keeps of each case is what is expected
        kept, folder = os.path.join(out, name), folder_of(once, name)
        for case in OWN_CASES:
            assert text_of(os.path.join(kept, case + ".trace")) == text_of(os.path.join(folder, case + ".trace")), case


def test_stable(tool, tmp_path):
    """The same bytes with any number of workers; the cases are those in which something waits, floods or races."""
    cases = ["nonblocking", "half-close", "reset", "orderly/crossing"]
    selected = [w for c in cases for w in ("-c", c)]
    for n in "1", "2", "8":
        record(tool, tmp_path / n, "openssl", "reference", "-j" + n, *selected)
    first = contents(tmp_path / "1")
    assert len(first) > 50
    for n in "2", "8":
        assert contents(tmp_path / n) == first


def test_recorded_again(small, into):
    """Reasons and links stay, where the deviation is still there; what is new waits for a reason; cases that are gone go."""
    folder = folder_of(into, "abrupt.py")
    edit(os.path.join(folder, "plain/close.trace"), r'^deviation notify-before-fin ""$', r'deviation notify-before-fin "it is \\"so\\"" https://example.org/1')
    edit(os.path.join(folder, "plain/hello.trace"), r'^(variants .*)$', r'\1\ndeviation no-more "it was so"')
    shutil.copy(os.path.join(folder, "plain/close.trace"), os.path.join(folder, "plain/gone.trace"))
    before = contents(folder)
    ran = record(small, into, "tests:abrupt", "-j2")
    assert "4 as before, 1 changed, 0 new, 1 gone" in ran.out
    after = contents(folder)
    assert set(before) - set(after) == {"plain/gone.trace"}
    assert after["plain/close.trace"] == before["plain/close.trace"]
    assert 'deviation notify-before-fin "it is \\"so\\"" https://example.org/1\n' in after["plain/close.trace"]
    assert "no-more" not in after["plain/hello.trace"]
    assert sorted(os.listdir(into)) == sorted(os.path.basename(folder_of(into, n)) for n in ("openssl", "abrupt.py"))   # nothing beside them


def test_selection(small, into):
    folder = folder_of(into, "abrupt.py")
    for name in "plain/close.trace", "plain/hello.trace":
        edit(os.path.join(folder, name), r"^end$", "# by hand\nend")
    shutil.copy(os.path.join(folder, "plain/close.trace"), os.path.join(folder, "plain/other.trace"))
    record(small, into, "tests:abrupt", "-c", "plain/hello")
    after = contents(folder)
    assert "by hand" in after["plain/close.trace"] and "plain/other.trace" in after and "recorded" in after
    assert "by hand" not in after["plain/hello.trace"]
    edit(os.path.join(folder, "recorded"), r"(.)$", r"\1.1")
    ran = record(small, into, "tests:abrupt", "-c", "plain/hello", status=2)
    assert "record all of it" in ran.err
    assert contents(folder) == dict(after, recorded=text_of(os.path.join(folder, "recorded")))


@pytest.mark.parametrize("args, status, words", [
    (["tests:vague", "-c", "plain/cut"], 3, ["broken", "plain/cut", "breaks the contract", "nothing was written"]),
    (["tests:refusing calls", "tests:ragged", "-c", "plain/hello"], 0, []),
    (["--role", "client"], 2, ["whole cases"]),
    (["--io", "one"], 2, ["whole cases"]),
    (["-o", "x"], 2, ["--into"]),
    (["-v"], 2, ["--into"]),
    (["--varies", "why"], 2, ["-c"]),
    (["--varies", "", "-c", "plain/cut"], 2, ["the reason"]),
    (["--times", "1"], 2, ["2 to 1000"]),
    (["--times", "1001"], 2, ["2 to 1000"]),
    (["opnssl"], 2, ["did you mean openssl"]),
    (["openssl", "-c", "plain/helo"], 2, ["did you mean plain/hello"]),
])
def test_refuses(small, tmp_path, args, status, words):
    ran = record(small, tmp_path / "x", *args, status=status)
    for w in words:
        assert w in ran.err, ran.err
    assert status == 0 or not (tmp_path / "x").exists()


def test_refuses_what_differs(small, tmp_path):
    ran = record(small, tmp_path / "x", "tests:moody", "-j1", "-c", "plain/close", status=1, env={"MOODY": str(tmp_path / "count"), "CLOSEDRILL_WRITABLE": str(tmp_path)})
    assert "differs from the first time  moody.py  plain/close  client 1.2 blocking" in ran.err
    assert re.search(r"^    \+deviation notify-before-fin", ran.err, re.M)
    assert re.search(r"^    -wire  iut -> close_notify fin\n    \+wire  iut -> fin", ran.err, re.M)
    assert "nothing was written: 0 runs are broken, 0 inconclusive, 4 differ" in ran.err
    assert not (tmp_path / "x").exists()


def test_varies(small, tmp_path):
    """Somebody says that runs differ, and why; then each account that was seen is as expected, and no other."""
    into, mood = tmp_path / "x", {"MOODY": str(tmp_path / "count"), "CLOSEDRILL_WRITABLE": str(tmp_path)}
    args = ["tests:moody", "-j1", "-c", "plain/close"]
    ran = record(small, into, *args, "--varies", "by its \"mood\"", env=mood)
    assert re.search(r"; 4 known deviations, 4 without a reason; 4 vary$", ran.out, re.M), ran.out       # handshakes differ by role and version
    trace = os.path.join(folder_of(into, "moody.py"), "plain/close.trace")
    text = text_of(trace)
    first, second = re.search(r'^variants client 1\.2 .*\nvaries "by its \\"mood\\""\n((?:.+\n)*?)or\n((?:.+\n)*)', text, re.M).groups()
    assert first.startswith('deviation notify-before-fin ""\n') and "wire  iut -> fin\n" in first and "wire  iut -> close_notify fin\n" in second
    # In either mood nothing changed, and the deviation is known; recorded again the same bytes come of it, whatever was seen.
    for count, known in (0, False), (9, True):
        (tmp_path / "count").write_bytes(b"." * count)
        ran = run(small, into, *args, status=0, env=mood)
        assert "nothing changed: 4 runs" in ran.out and ("known deviations" in ran.out) == known
        (tmp_path / "count").write_bytes(b"." * count)
        assert "1 as before" in record(small, into, *args, env=mood).out
        assert text_of(trace) == text
    # What it was not seen to do is a change, beside what is nearest to it; nothing is added by itself.
    edit(trace, r"^iut   close -> ok as close$", "iut   close -> ok as other")
    for count in 0, 9:
        (tmp_path / "count").write_bytes(b"." * count)
        ran = run(small, into, *args, status=1, env=mood)
        assert "    -iut   close -> ok as other\n    +iut   close -> ok as close\n" in ran.out
        assert "deviation " not in ran.out
        (tmp_path / "count").write_bytes(b"." * count)
        ran = record(small, into, *args, status=1, env=mood)
        assert "none of what it is known to vary between  moody.py  plain/close  client 1.2 blocking" in ran.err and "4 differ" in ran.err
    # Somebody adds it; what was known stays.
    (tmp_path / "count").write_bytes(b"." * 9)
    record(small, into, *args, "--varies", "no matter", "--times", "3", env=mood)
    after = text_of(trace)
    assert after.count("ok as other") == 8 and after.count("ok as close") == 4 and "no matter" not in after
    assert after.count('deviation notify-before-fin ""') == 8


def test_varies_only_what_differs(small, tmp_path):
    """A run that does the same every time does not vary, whatever is said."""
    record(small, tmp_path / "x", "tests:abrupt", "-c", "plain/close", "--varies", "why")
    assert "varies" not in text_of(os.path.join(folder_of(tmp_path / "x", "abrupt.py"), "plain/close.trace"))


INCONCLUSIVE = """
# Nothing.

title  a precondition that cannot hold

handshake
peer  write "hello"
iut   read    -> closed
iut   close
"""


def test_inconclusive(small, tmp_path):
    path = os.path.join(os.path.dirname(small.build), "cases", "plain", "never.case")
    with open(path, "w") as f:
        f.write(INCONCLUSIVE.lstrip())
    try:
        args = ["openssl", "-c", "plain/never", "-j2"]
        ran = record(small, tmp_path / "x", *args, status=1)
        assert "inconclusive  openssl  plain/never  client 1.2 blocking" in ran.err and "12 inconclusive" in ran.err and "--inconclusive" in ran.err
        assert not (tmp_path / "x").exists()
        record(small, tmp_path / "x", "--inconclusive", *args)
        trace = os.path.join(folder_of(tmp_path / "x", "openssl"), "plain/never.trace")
        assert 'inconclusive ""\n' in text_of(trace)
        run(small, tmp_path / "x", *args, status=0)
        edit(trace, '^inconclusive ""', 'inconclusive "so it is"')
        record(small, tmp_path / "x", *args)            # somebody has said that it may be
        assert 'inconclusive "so it is"\n' in text_of(trace)
        edit(trace, '^inconclusive .*\n', '')
        ran = run(small, tmp_path / "x", *args, status=1)
        assert "+inconclusive" in ran.out
    finally:
        os.remove(path)


def test_full_disk(tool, tmp_path):
    """What was recorded before still lies there, and nothing else."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount it")
    disk, seen = tmp_path / "disk", tmp_path / "seen"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=24k none "$1" || exit 77; mkdir "$1/openssl-0.1"; echo "recorded with OpenSSL 0.1" > "$1/openssl-0.1/recorded"; ' \
             'd=$1; shift; "$@"; s=$?; (cd "$d"; find . -type f; cat openssl-0.1/recorded) > "$SEEN"; exit $s'
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", str(disk)] + tool.command("record", "openssl", "-c", "orderly", "-j2", "--into", str(disk)),
                         capture_output=True, text=True, timeout=60, env=dict(os.environ, LC_ALL="C", SEEN=str(seen)))
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("cannot mount here: " + ran.stderr)
    assert ran.returncode == 3, ran
    assert "No space left on device" in ran.stderr
    assert seen.read_text() == "./openssl-0.1/recorded\nrecorded with OpenSSL 0.1\n"


# ---- Comparing ----

def test_one_option(small, once, out):
    """One behaviour of an adapter breaks: told as a change, with the line, once, with its variants; in terminal and JSON."""
    ran = run(small, once, "openssl", "-j2", status=1, out=out, env=IGNORE)
    assert len(re.findall(r"^changed ", ran.out, re.M)) == 1         # what the handshake looks like differs by role and version; the change does not
    assert "changed  openssl  plain/cut\n  against   expected/openssl-" in ran.out
    assert "    -iut   read -> truncated as SSL_read=0 SSL_ERROR_SSL\n" in ran.out
    assert "    +iut   read -> closed as SSL_read=0 SSL_ERROR_ZERO_RETURN\n" in ran.out
    assert "  in        client|server 1.2|1.3 blocking|nonblocking|memory  (12 runs)\n" in ran.out
    assert "closedrill run openssl -c plain/cut --role client --tls 1.2 --io blocking" in ran.out
    assert re.search(r"^openssl: 12 of 60 runs CHANGED since expected/openssl-\S+ \(recorded with", ran.out, re.M)
    runs = load_results(out)["runs"]
    changed = [r for r in runs if r["expected"] == "changed"]
    assert {r["case"] for r in changed} == {"plain/cut"} and len(changed) == 12
    for r in changed:
        lines = r["diff"].splitlines()
        assert "-iut   read -> truncated as SSL_read=0 SSL_ERROR_SSL" in lines
        assert "+iut   read -> closed as SSL_read=0 SSL_ERROR_ZERO_RETURN" in lines
        assert "+deviation truncation-visible" in lines
        assert lines[1].startswith(" handshake -> ok")
        assert not any(f["known"] for f in r["findings"])
    assert {r["expected"] for r in runs if r["case"] != "plain/cut"} == {"same"}


def test_one_option_everywhere(small, once, out):
    """The same change in all that a run leaves, with the same lines: who reads one of them need not read the others."""
    gone, came = "-iut   read -> truncated as SSL_read=0 SSL_ERROR_SSL", "+iut   read -> closed as SSL_read=0 SSL_ERROR_ZERO_RETURN"
    ran = run(small, once, "openssl", "-j2", status=1, out=out, env=IGNORE)
    assert "    %s\n" % gone in ran.out and "    %s\n" % came in ran.out
    changed = [r for r in load_results(out)["runs"] if r["expected"] == "changed"]
    assert len(changed) == 12 and all(gone in r["diff"].splitlines() and came in r["diff"].splitlines() for r in changed)
    cases = {c: [t for t in ElementTree.parse(str(out / "junit.xml")).iter("testcase") if c.split("/")[1] in t.get("name") + t.get("classname")] for c in OWN_CASES}
    for case, tests in cases.items():
        failures = [t.find("failure") for t in tests if t.find("failure") is not None]
        assert len(tests) == 12 and len(failures) == (12 if case == "plain/cut" else 0), case
        for f in failures:
            assert f.get("type") == "changed" and f.get("message").startswith("changed; fail"), f.attrib
            assert gone in f.text.splitlines() and came in f.text.splitlines()
    index = text_of(out / "index.html")
    assert re.findall(r'<td class=(\w)( data-c)?[^>]*><a href="[^"]*/plain/(\w+)\.html">', index) == [
        (("F", " data-c", "cut") if c == "plain/cut" else ("P", "", c.split("/")[1])) for c in sorted(OWN_CASES)]
    assert index.index("badge changed\"><b>*</b> new") < index.index("plain/cut.html")
    page = text_of(out / "report/cells/openssl/plain/cut.html")
    assert "<del>%s</del>" % html.escape(gone[1:]) in page and "<ins>%s</ins>" % html.escape(came[1:]) in page
    assert "badge changed\"><b>*</b> changed" in page and "known</span>" not in page


def test_known_in_the_report(small, into, out):
    """What is known is told apart from what is new: in the list, in the matrix, and on the cell's page, with its reason."""
    trace = os.path.join(folder_of(into, "abrupt.py"), "plain/close.trace")
    edit(trace, r'notify-before-fin ""', r'notify-before-fin "<why>" https://example.org/?a=1&b="2"')
    run(small, into, "tests:abrupt", "-c", "plain/close", *ONE, status=0, out=out)
    index, page = text_of(out / "index.html"), text_of(out / "report/cells/abrupt.py/plain/close.html")
    assert "No deviation is new" in index and "Not as expected" not in index
    assert re.search(r'<td class=F data-k[^>]*><a [^>]*>f</a>', index)
    for text in index, page:
        assert "badge known\">known</span>" in text and "</b> new</span>" not in text
        assert '<dt>Known</dt><dd>&lt;why&gt; <a rel="noreferrer" href="https://example.org/?a=1&amp;b=&quot;2&quot;">' in text
    edit(trace, r"^deviation .*\n", "")
    run(small, into, "tests:abrupt", "-c", "plain/close", *ONE, status=1, out=out)
    index = text_of(out / "index.html")
    assert "</b> new</span>" in index and "badge known\">known</span>" not in index and "No deviation is new" not in index
    assert re.search(r'<td class=F data-c[^>]*><a [^>]*>F\*</a>', index)


def test_better_is_listed_too(small, into, out):
    """A deviation that is gone is in no list of deviations; the first page leads to it all the same."""
    edit(os.path.join(folder_of(into, "openssl"), "plain/hello.trace"), r"^(variants client 1.3.*)$", r'\1\ndeviation end-reported "it was so"')
    run(small, into, "openssl", "-c", "plain/hello", "--role", "client", "--io", "blocking", status=1, out=out)
    listed = text_of(out / "index.html").split("<h2>Not as expected</h2>")[1].split("</section>")[0]
    assert re.findall('href="([^"]*)"', listed) == ["report/cells/openssl/plain/hello.html"]
    assert "<del>deviation end-reported</del>" in text_of(out / "report/cells/openssl/plain/hello.html")


def test_since(small, into):
    """Recorded with another patch version: that is told."""
    edit(os.path.join(folder_of(into, "openssl"), "recorded"), r"(.)$", r"\1~old")
    assert re.search(r"nothing changed.*\(recorded with OpenSSL \S+~old, now OpenSSL \d", run(small, into, "openssl", *ONE, status=0).out)
    assert re.search(r"against .*: recorded with OpenSSL \S+~old, now OpenSSL \d", run(small, into, "openssl", *ONE, status=1, env=IGNORE).out)


def test_deviation_that_no_longer_happens(small, into, out):
    edit(os.path.join(folder_of(into, "openssl"), "plain/hello.trace"), r"^(variants client 1.3.*)$", r'\1\ndeviation end-reported "it was so"')
    ran = run(small, into, "openssl", "-c", "plain/hello", "--role", "client", "--io", "blocking", status=1, out=out)
    assert "    -deviation end-reported\n" in ran.out
    assert [r["expected"] for r in load_results(out)["runs"]] == ["same", "changed"]


def test_deviation_that_is_not_known(small, into):
    """The trace is the same; that it deviates has not been written down."""
    edit(os.path.join(folder_of(into, "abrupt.py"), "plain/close.trace"), r"^deviation .*\n", "")
    ran = run(small, into, "tests:abrupt", "-c", "plain/close", *ONE, status=1)
    assert re.search(r"^fail +abrupt.py +plain/close +\[notify-before-fin\]", ran.out, re.M)
    assert "    +deviation notify-before-fin\n" in ran.out


def test_known_in_detail(small, into, out):
    """-v lists what is known, with reason and link; what somebody hid in a reason does nothing to a terminal."""
    edit(os.path.join(folder_of(into, "abrupt.py"), "plain/close.trace"), r'notify-before-fin ""', r'notify-before-fin "why\\x1b[31m\\n" https://example.org/?a=(1)')
    args = ["tests:abrupt", "-c", "plain/close", *ONE]
    quiet = run(small, into, *args, status=0)
    assert "notify-before-fin" not in quiet.out
    ran = run(small, into, *args, "-v", status=0, out=out)
    assert "  known     why\\x1b[31m\\x0a\n            https://example.org/?a=(1)\n" in ran.out and "\x1b" not in ran.out
    found = [f for f in load_results(out)["runs"][0]["findings"] if f["requirement"] == "notify-before-fin"]
    assert found[0]["known"] and found[0]["known_reason"] == "why\x1b[31m\n" and found[0]["known_link"] == "https://example.org/?a=(1)"


@pytest.mark.parametrize("case, status", [("plain/hello", 0), ("plain/close", 1)])
def test_new(small, into, out, case, status):
    os.remove(os.path.join(folder_of(into, "abrupt.py"), case + ".trace"))
    edit(os.path.join(folder_of(into, "abrupt.py"), "plain/cut.trace"), r"(?s)\A(.*?)\n\n.*\Z", r"\1\n\nend\n")
    name = "tests:abrupt" if status else "tests:honest"
    if not status:
        os.rename(folder_of(into, "abrupt.py"), os.path.join(into, os.path.basename(folder_of(into, "abrupt.py")).replace("abrupt", "honest")))
    ran = run(small, into, name, "-c", case, *ONE, status=status, out=out)
    assert [r["expected"] for r in load_results(out)["runs"]] == ["new"]
    assert "; 1 new" in ran.out


@pytest.mark.parametrize("versions, taken", [(["0.9"], "0.9"), (["0.9", "2.9"], "2.9"), (["9.0", "0.1", "8.7"], "0.1"), (["3.9999", "4.0"], "3.9999")])
def test_other_version(small, into, out, versions, taken):
    """Beside the nearest version's, as information: the exit status is what it is without."""
    folder = folder_of(into, "openssl")
    for v in versions:
        shutil.copytree(folder, os.path.join(into, "openssl-" + v))
    shutil.rmtree(folder)
    ran = run(small, into, "openssl", "-c", "plain/cut", *ONE, status=0, out=out)
    assert [(r["expected"], r["expected_of"], "diff" in r) for r in load_results(out)["runs"]] == [("other", "openssl-" + taken, False)]
    ran = run(small, into, "openssl", "-c", "plain/cut", *ONE, status=1, out=out, env=IGNORE)        # as the promise is broken
    assert "diff" in load_results(out)["runs"][0]
    assert not re.search("^changed", ran.out, re.M) and "1 of 1 runs differ from expected/openssl-" + taken in ran.out
    assert "-iut   read -> truncated" in run(small, into, "openssl", "-c", "plain/cut", *ONE, "-v", env=IGNORE).out


@pytest.mark.parametrize("args", [["--expected", "none"], []])
def test_none(small, out, args):
    """There is nothing beside the tests' own cases, and nothing is asked for: all as it is without."""
    ran = small("run", "tests:abrupt", "-c", "plain/close", *ONE, "-o", str(out), *args)
    assert ran.status == 1 and "expected/" not in ran.out
    assert [(r["expected"], r["expected_of"]) for r in load_results(out)["runs"]] == [(None, None)]
    assert not load_results(out)["runs"][0]["findings"][0]["known"]
    assert 'deviation notify-before-fin ""' in text_of(out / "abrupt.py" / "plain" / "close.trace")


def test_broken_is_not_compared(small, once, into, out):
    os.rename(folder_of(into, "abrupt.py"), os.path.join(into, os.path.basename(folder_of(into, "abrupt.py")).replace("abrupt", "vague")))
    run(small, into, "tests:vague", "-c", "plain/cut", *ONE, status=3, out=out)
    assert [(r["expected"], r["expected_of"]) for r in load_results(out)["runs"]] == [(None, None)]


# ---- Bad input ----

@pytest.mark.parametrize("pattern, by, words", [
    (r"^iut   read -> truncated", "iut   read -> trunkated", [":12:15:", "did you mean `truncated`?", "\n  iut   read -> trunkated", "\n                ^~~~~~~~~"]),
    (r"^case plain/cut", "case plain/hello", [":1:6:", "another case; expected here: plain/cut", "^~~~~~~~~~~"]),
    (r"^variants client 1.2", "variants client 1.1", [":3:17:", "no version of TLS"]),
    (r"blocking\|nonblocking", "blocking|async", [":3:30:", "no I/O mode"]),
    (r"(?s)\nend\n\Z", "", ["without `end`: it is not complete"]),
    (r"(?s)\A(.{300}).*", r"\1", ["cut.trace:"]),
    (r"^variants client 1.2.*", r'\g<0>\ndeviation x "why" javascript:alert(1)', [":4:19:", "a link"]),
    (r"^variants client 1.3.*", "\\g<0>\ndeviation x \"\x1b[31m\x07\"", [":18:14:", "a byte 0x1b that is no text; write \\x1b"]),
    (r"^variants client 1.3.*", r'\g<0>\ndeviation x "\\x1b[31m\\x07"', []),
])
def test_bad_file(small, into, pattern, by, words):
    path = os.path.join(folder_of(into, "openssl"), "plain/cut.trace")
    edit(path, pattern, by)
    ran = run(small, into, "openssl", "-c", "plain/cut", *ONE)
    assert ran.status == (2 if words else 1)
    for w in words:
        assert w in ran.err, ran.err
    if words:
        assert ran.out == "" and path in ran.err
        assert run(small, into, "openssl", "-c", "plain/hello", *ONE).status == 0       # only what is played is read
    assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize("text", ["", "recorded with", "recorded with x\ny\n", "whatever 3.0\n"])
def test_bad_version(small, into, text):
    path = os.path.join(folder_of(into, "openssl"), "recorded")
    with open(path, "w") as f:
        f.write(text)
    ran = run(small, into, "openssl", *ONE, status=2)
    assert path + ":1:1:" in ran.err and "recorded with NAME VERSION" in ran.err


def test_no_such_folder(small, tmp_path):
    ran = run(small, tmp_path / "nowhere", "openssl", *ONE, status=2)
    assert "there is no" in ran.err and "nowhere" in ran.err


# ---- What is committed ----

def test_committed(tool):
    """Every file of expected/ can be understood, is of a case that there is, and is written as `record` would write it."""
    cases = {c["case"] for c in json.loads(tool("list", "cases", "--json").out)}
    for d in os.listdir(os.path.join(ROOT, "expected")):
        for f in files_below(os.path.join(ROOT, "expected", d)):
            assert f == "recorded" or f[:-6] in cases, f
