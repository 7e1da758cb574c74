"""`closedrill run` as its users see it: exit statuses, files, selection, interruption, and a machine that fails."""

import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import CASES, OWN_CASES, files_below, load_results, marked_processes, runs_of, wait_for

VERDICTS = ["pass", "warn", "fail", "inconclusive", "unsupported", "broken"]
BLOCKING = ["--io", "blocking"]
ONE = ["--role", "client", "--tls", "1.3", "--io", "blocking"]


def verdicts(results):
    return [r["verdict"] for r in results["runs"]]


# ---- Exit statuses ----

def test_all_pass(small, out):
    results = small.results("openssl", "-j2", out=out, status=0)
    assert len(results["runs"]) == len(OWN_CASES) * 12
    assert set(verdicts(results)) <= {"pass"}
    assert "%d pass" % (len(OWN_CASES) * 12) in results["ran"].out
    assert results["ran"].err == ""


def test_deviation(small):
    ran = small("run", "tests:abrupt", "-c", "plain/close", *ONE)
    assert ran.status == 1
    assert ran.err == ""
    for words in "fail", "plain/close", "[notify-before-fin]", "MUST", "RFC 8446 6.1", "close.case:", "1 fail":
        assert words in ran.out, words
    assert re.search(r"allowed +\S.*\n +observed +\S.*fin", ran.out)


def test_warning_is_no_deviation(small):
    ran = small("run", "tests:ragged", "-c", "plain/cut", *ONE)
    assert ran.status == 0
    assert "1 warn" in ran.out


@pytest.mark.parametrize("args, words", [
    (["run", "opnssl"], ["opnssl", "did you mean openssl"]),
    (["run", "xyzzy"], ["xyzzy", "openssl"]),
    (["run", "-c", "plain/helo"], ["plain/helo", "did you mean plain/hello"]),
    (["run", "-c", "nothing/like*this"], ["nothing/like*this"]),
    (["run", "--role", "peer"], ["peer", "--role"]),
    (["run", "--tls", "1.1"], ["1.1", "--tls"]),
    (["run", "--tls", "client"], ["client", "--tls"]),
    (["run", "--io", "async"], ["async", "--io"]),
    (["run", "-j", "0"], ["-j", "0"]),
    (["run", "-j", "many"], ["-j", "many"]),
    (["run", "-j", "2x"], ["-j", "2x"]),
    (["run", "--keep", "some"], ["some", "--keep"]),
    (["run", "--no-such-option"], ["no-such-option", "usage:"]),
    (["run", "-o"], ["usage:"]),
    (["chekc"], ["chekc", "did you mean check"]),
    ([], ["usage:"]),
    (["list", "things"], ["things"]),
    (["list", "--jsno"], ["--jsno"]),
    (["show"], ["show"]),
    (["show", "plain/helo"], ["did you mean plain/hello"]),
    (["check"], ["check"]),
    (["steps", "all"], ["steps"]),
    (["peer"], ["--listen"]),
    (["peer", "--listen", "99999"], ["--listen"]),
    (["peer", "--connect", "0"], ["--connect"]),
])
def test_usage(small, args, words):
    ran = small(*args)
    assert ran.status == 2
    assert ran.out == ""
    for word in words:
        assert word in ran.err
    assert all(line.startswith(("closedrill:", "usage:", " ", "Exit status", "known:")) for line in ran.err.splitlines()), ran.err


# ---- check ----

GOOD = "# One thing\n# and another.\n\ntitle  one\n\nhandshake\niut read -> closed [end-reported]\niut close\nwire iut -> close_notify fin\n"


@pytest.mark.parametrize("text, line, col, word", [
    (GOOD.replace("iut read", "iut raed"), 7, 5, "read"),
    (GOOD.replace("closed", "closd"), 7, 13, "closed"),
    (GOOD.replace("end-reported", "end-reportd"), 7, 21, "end-reported"),
    (GOOD.replace("close_notify fin", "close_notfy fin"), 9, 13, "close_notify"),
    (GOOD.replace("iut close\n", "iut close now\n"), 8, 11, ""),
    (GOOD.replace("title  one\n", "title  one\nrole  peer\n"), 5, 7, ""),
    (GOOD.replace("title  one\n", ""), None, None, "title"),
    (GOOD.replace("iut close\n", 'peer write "hello\n'), 8, 12, ""),
    (GOOD.replace("handshake\n", "handshake\n@1.4 iut close\n"), 7, None, ""),
    ("", None, None, ""),
    ("\0\0\0", None, None, ""),
    ("title one\n\xff\xfe handshake\n", 2, None, ""),
])
def test_check_points_at_it(small, tmp_path, text, line, col, word):
    path = tmp_path / "wrong.case"
    path.write_bytes(text.encode("latin-1"))
    ran = small("check", str(path))
    assert (ran.status, ran.out) == (2, "")
    # A file without text has no line to show.
    at = re.match(re.escape(str(path)) + r":(\d+):(\d+): (\S.*)\n" + (r"  (.*)\n(\s*)\^~*\n$" if text.strip("\0") else ""), ran.err)
    assert at, ran.err
    assert line in (None, int(at[1])) and col in (None, int(at[2])), ran.err
    assert word in at[3]
    if line and text.isascii():
        assert at[4] == text.splitlines()[line - 1]
        assert len(at[5]) == 2 + int(at[2]) - 1                 # the caret stands below the column


def test_check_names_every_file(small, tmp_path):
    for name, text in ("a", GOOD.replace("iut read", "iut raed")), ("b", GOOD), ("c", GOOD.replace("closed", "closd")):
        (tmp_path / (name + ".case")).write_text(text)
    ran = small("check", *[str(tmp_path / (n + ".case")) for n in "abc"])
    assert ran.status == 2
    assert "a.case:7:5" in ran.err and "c.case:7:13" in ran.err and "b.case" not in ran.err
    assert small("check", str(tmp_path / "b.case")) == (0, "", "")


def test_check_of_a_file_that_is_not_there(small, tmp_path):
    ran = small("check", str(tmp_path / "none.case"))
    assert ran.status == 2
    assert "none.case" in ran.err and "No such file" in ran.err


def test_wrong_case_stops_the_run(tmp_path, small):
    """A case of the suite that cannot be meant: nothing is run, and it is pointed at."""
    top = tmp_path / "tree"
    shutil.copytree(os.path.dirname(small.build), top)
    (top / "cases" / "plain" / "wrong.case").write_text(GOOD.replace("iut read", "iut raed"))
    ran = subprocess.run([top / "build" / "closedrill", "run", "openssl"], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "plain/wrong.case:7:5" in ran.stderr and "^" in ran.stderr


# ---- results.json ----

def test_shape_of_results(tool, small, out):
    results = small.results("tests:ragged", "openssl", "-c", "plain/cut", *BLOCKING, out=out, status=0)
    assert results["closedrill"] == tool("--version").out.split()[1]
    assert results["partial"] is False
    assert len(results["runs"]) == 8
    for r in results["runs"]:
        assert set(r) >= {"implementation", "library", "case", "role", "tls", "io", "with", "verdict", "ms", "findings"}
        assert r["implementation"] in ("ragged.py", "openssl")
        assert re.match(r"Python-ssl 3\.\d+$" if r["implementation"] == "ragged.py" else r"OpenSSL \d", r["library"]), r["library"]
        assert r["case"] == "plain/cut" and r["role"] in ("client", "server") and r["tls"] in ("1.2", "1.3") and r["io"] == "blocking"
        assert r["with"] is None
        assert r["verdict"] in VERDICTS
        assert 0 < r["ms"] < 60000
        for f in r["findings"]:
            assert set(f) >= {"requirement", "level", "line", "allowed", "observed", "native"}
            assert f["level"] in ("MUST", "SHOULD", "MAY", "PROMISE")
            assert isinstance(f["line"], int) and f["line"] > 0
    warned = [f for r in results["runs"] if r["implementation"] == "ragged.py" for f in r["findings"]]
    told = next(f for f in warned if f["requirement"] == "truncation-visible")
    assert told["allowed"] == "iut read -> truncated" and told["observed"] == "iut read -> closed"
    assert told["native"].startswith("SSL") and told["line"] == 10
    with open(os.path.join(os.path.dirname(small.build), "cases", "plain", "cut.case")) as f:
        assert "truncation-visible" in f.read().splitlines()[told["line"] - 1]


def test_library_in_every_run(small, out):
    """The name is the adapter's own, in the first runs of every worker too."""
    results = small.results("openssl", "-c", "plain/hello", "-j4", out=out, status=0)
    named = {r["library"] for r in results["runs"]}
    assert len(named) == 1 and re.match(r"OpenSSL \d+\.\d+", named.pop())


def test_totals(small, out):
    results = small.results("tests:abrupt", "tests:ragged", *BLOCKING, out=out, status=1)
    totals = results["totals"]
    assert totals["runs"] == len(results["runs"]) == 2 * 4 * len(OWN_CASES)
    for v in VERDICTS:
        assert totals[v] == verdicts(results).count(v)
    assert 0 < totals["seconds"] < 60
    assert totals["fail"] and totals["warn"] and totals["pass"]


def test_junit(small, out):
    """Where JUnit XML is written, it counts what results.json counts."""
    results = small.results("tests:abrupt", "openssl", "-c", "plain/close", *BLOCKING, out=out, status=1)
    root = ElementTree.parse(out / "junit.xml").getroot()
    assert len(root.findall(".//testcase")) == len(results["runs"])
    assert len(root.findall(".//failure")) == verdicts(results).count("fail")


# ---- Files of a run ----

def kept(out):
    """The files of single runs; those of cases, which lie a folder higher, are test_expected.py's."""
    return [f for f in files_below(out) if f.endswith((".trace", ".pcapng")) and f.count("/") == 3]


def test_keep_all(small, out):
    small.results("openssl", "-c", "plain/hello", *BLOCKING, "--keep", "all", out=out, status=0)
    stems = ["openssl/plain/hello/%s-%s-blocking" % (r, v) for r in ("client", "server") for v in ("1.2", "1.3")]
    assert kept(out) == sorted(s + end for s in stems for end in (".trace", ".pcapng"))
    with open(out / (stems[0] + ".trace")) as f:
        text = f.read()
    for words in "# plain/hello", "client 1.2 blocking", "handshake -> ok", 'iut   read -> data "hello"', "wire  peer -> data 5", "wire  iut -> close_notify fin":
        assert words in text
    with open(out / (stems[0] + ".pcapng"), "rb") as f:
        assert f.read(4) == b"\x0a\x0d\x0d\x0a"


def test_keep_findings(small, out):
    small.results("tests:ragged", "-c", "plain/hello", "-c", "plain/cut", *ONE, out=out)        # the default
    assert kept(out) == ["ragged.py/plain/cut/client-1.3-blocking.pcapng", "ragged.py/plain/cut/client-1.3-blocking.trace"]


def test_keep_findings_of_a_passed_run(small, out):
    small.results("openssl", *ONE, "--keep", "findings", out=out, status=0)
    assert kept(out) == []


def test_keep_none(small, out):
    small.results("tests:abrupt", *ONE, "--keep", "none", out=out, status=1)
    assert kept(out) == []


def test_two_of_one_name_keep_apart(small, out):
    results = small.results("openssl", "openssl", "openssl", *ONE, "-c", "plain/hello", "--keep", "all", out=out, status=0)
    version = results["runs"][0]["library"].split()[1]
    names = ["openssl", "openssl-" + ".".join(version.split(".")[:2]), "openssl-" + version]
    assert [r["implementation"] for r in results["runs"]] == names
    assert {f.split("/")[0] for f in kept(out)} == set(names)


def test_without_a_folder(small, tmp_path):
    ran = small("run", "tests:abrupt", *ONE, cwd=tmp_path)
    assert ran.status == 1
    assert os.listdir(tmp_path) == []


def test_folder_below_a_folder(small, tmp_path):
    """The folder is made; one whose parent is missing is a clear message."""
    ran = small("run", "openssl", *ONE, "-o", str(tmp_path / "a" / "b"))
    if ran.status != 0:
        assert ran.status == 3 and "No such file" in ran.err and str(tmp_path / "a") in ran.err
    else:
        assert (tmp_path / "a" / "b" / "results.json").exists()


def test_folder_that_is_a_file(small, tmp_path):
    (tmp_path / "file").write_text("mine")
    ran = small("run", "openssl", *ONE, "-o", str(tmp_path / "file"))
    assert ran.status == 3
    assert "Not a directory" in ran.err or "File exists" in ran.err
    assert (tmp_path / "file").read_text() == "mine"


def test_again_line_works(small, out):
    """What the report says how to run it again does run it again."""
    ran = small("run", "tests:abrupt", "-c", "plain/close", *ONE)
    line = re.search(r"again +closedrill (run .*)", ran.out)[1]
    words = subprocess.run(["sh", "-c", 'printf "%s\\n" ' + line], capture_output=True, text=True).stdout.splitlines()
    again = small(*[str(out) if w == "DIR" else w for w in words])
    assert again.status == 1, again
    assert runs_of(load_results(out), "verdict") == [("abrupt.py", "plain/close", "client", "1.3", "blocking", None, "fail")]


# ---- Selection ----

def test_select_cases(small, out):
    results = small.results("openssl", "-c", "plain/h*", "-c", "plain/close", *ONE, out=out, status=0)
    assert [r["case"] for r in results["runs"]] == ["plain/close", "plain/hello"]


def test_select_theme(small, out):
    results = small.results("openssl", "-c", "plain", *ONE, out=out, status=0)
    assert [r["case"] for r in results["runs"]] == sorted(OWN_CASES)


@pytest.mark.parametrize("option, key, words", [
    ("--role", "role", ["client", "server"]), ("--tls", "tls", ["1.2", "1.3"]), ("--io", "io", ["blocking", "nonblocking", "memory"]),
])
def test_select_variants(small, tmp_path, option, key, words):
    seen = 0
    for w in words:
        results = small.results("openssl", "-c", "plain/hello", option, w, out=tmp_path / w, status=0)
        assert {r[key] for r in results["runs"]} == {w}
        seen += len(results["runs"])
    assert seen == 12
    both = small.results("openssl", "-c", "plain/hello", option, words[0], option, words[1], out=tmp_path / "both", status=0)
    assert {r[key] for r in both["runs"]} == set(words[:2])


def test_with_values(tool, out):
    """A case with values runs once for each, and its files say which."""
    with_values = [f[:-5] for f in files_below(CASES) if f.endswith(".case") and f.startswith("truncation/")
                   and re.search(r"^with ", (open(os.path.join(CASES, f)).read()), re.M)]
    selected = [w for c in with_values for w in ("-c", c)]
    results = tool.results("openssl", *selected, *ONE, "--keep", "all", "-j2", out=out)
    valued = [r for r in results["runs"] if r["with"] is not None]
    assert valued
    by_case = {}
    for r in valued:
        by_case.setdefault(r["case"], []).append(r["with"])
    assert all(len(set(v)) == len(v) for v in by_case.values())
    one = next(r for r in valued if r["verdict"] in ("pass", "warn"))
    stems = {os.path.basename(f)[:-6] for f in kept(out) if f.startswith("openssl/%s/" % one["case"]) and f.endswith(".trace")}
    assert {s.rsplit("=", 1)[1] for s in stems} == set(by_case[one["case"]])


# ---- Workers and users ----

def test_workers_agree(tool, tmp_path):
    """However many work on it: the same runs, in the same order, with the same verdicts and findings."""
    seen = []
    for n in 1, 2, 8:
        results = tool.results("openssl", "-c", "truncation/*", "-c", "orderly/*", *BLOCKING, "-j%d" % n, "-o", "ignored", out=tmp_path / str(n))
        assert results["ran"].status in (0, 1), results["ran"]
        seen.append([(key, sorted((f["requirement"] or "", f["line"], f["observed"]) for f in r["findings"]))
                     for key, r in zip(runs_of(results, "verdict"), results["runs"])])
    assert len(seen[0]) > 40
    assert seen[0] == seen[1] == seen[2]


def test_more_workers_than_runs(small, out):
    results = small.results("openssl", "-c", "plain/hello", *ONE, "-j", "64", out=out, status=0)
    assert verdicts(results) == ["pass"]


def test_ordinary_user(public, ordinary_user, open_dir, tmp_path):
    """In a user namespace the verdicts are those of root. Here we are one of both."""
    if os.geteuid() != 0:
        pytest.skip("only root can be both")
    args = ["openssl", "reference", "-c", "orderly/*", "-c", "middlebox/*", "--tls", "1.3", *BLOCKING, "-j2"]
    as_user = public.results(*args, out=os.path.join(open_dir, "user"), user=ordinary_user)
    as_root = public.results(*args, out=tmp_path / "root")
    assert as_user["ran"].status in (0, 1), as_user["ran"]
    assert runs_of(as_user, "verdict") == runs_of(as_root, "verdict")
    assert "broken" not in verdicts(as_user)
    assert os.stat(os.path.join(open_dir, "user", "results.json")).st_uid == ordinary_user


def test_no_namespaces(public, ordinary_user):
    """Where they are refused, it is said, and how to go on."""
    if not os.path.exists("/proc/self/ns/user"):
        pytest.skip("the kernel has no user namespaces")
    limit = "echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\""
    words = public.command("run", "openssl", "-c", "orderly/*", *ONE)
    # In a user namespace of our own these limits are ours to set, and hold for nobody else.
    ran = subprocess.run(["unshare", "--user", "--map-root-user", "sh", "-c", limit, "sh"] + words, capture_output=True, text=True, timeout=60)
    if "max_user_namespaces" in ran.stderr and "closedrill" not in ran.stderr:
        pytest.skip("this machine does not let us: " + ran.stderr)
    assert ran.returncode == 3
    assert "namespace" in ran.stderr and "root" in ran.stderr and "max_user_namespaces" in ran.stderr
    assert "fail" not in ran.stdout.split()


# ---- list, show, steps, help ----

def test_list_cases(small):
    ran = small("list", "cases")
    assert ran.status == 0 and ran.err == ""
    assert [line.split()[0] for line in ran.out.splitlines()] == sorted(OWN_CASES)
    assert "FIN in place of close_notify" in ran.out
    assert small("list").out == ran.out
    told = json.loads(small("list", "cases", "--json").out)
    assert [(c["case"], c["title"]) for c in told][1] == ("plain/cut", "FIN in place of close_notify")
    assert all(set(c) >= {"case", "title"} for c in told)


def test_list_implementations(tool):
    ran = tool("list", "implementations")
    assert ran.status == 0
    assert re.search(r"^openssl +OpenSSL \d", ran.out, re.M)
    told = {i["implementation"]: i for i in json.loads(tool("list", "implementations", "--json").out)}
    assert told["openssl"]["library"].startswith("OpenSSL ")
    assert {"client", "server", "tls1.3", "blocking"} <= set(told["openssl"]["can"])


def test_list_requirements(tool):
    ran = tool("list", "requirements")
    assert ran.status == 0
    assert re.search(r"^truncation-visible +MUST", ran.out, re.M)
    told = {r["requirement"]: r for r in json.loads(tool("list", "requirements", "--json").out)}
    assert set(told) == {line.split()[1] for line in open(os.path.join(CASES, "requirements")) if line.startswith("requirement ")}
    assert told["notify-once"]["always"] is True
    assert told["notify-once"]["level"] == {"1.2": "MUST", "1.3": "MUST"}
    assert "RFC 8446" in told["notify-once"]["clause"]["1.3"] and "RFC 5246" in told["notify-once"]["clause"]["1.2"]


def test_show(small):
    ran = small("show", "plain/cut")
    assert ran.status == 0 and ran.err == ""
    assert "Whoever sees no difference" in ran.out and "iut   read    -> truncated" in ran.out
    assert "[truncation-visible] " in ran.out and "RFC 8446 6.1" in ran.out and "RFC 5246" in ran.out


def test_steps(tool):
    ran = tool("steps")
    assert ran.status == 0 and ran.err == ""
    assert {line.split()[0] for line in ran.out.split("\n\n")[0].splitlines()} == {"peer", "iut", "fd", "path"}


def test_help_and_version(tool):
    ran = tool("--help")
    assert ran.status == 0 and ran.err == "" and ran.out.startswith("usage: closedrill")
    for command in "run", "list", "show", "check", "peer", "steps":
        assert "closedrill " + command in ran.out
    assert re.fullmatch(r"closedrill \d+\.\d+\S*\n", tool("--version").out)


# ---- No terminal ----

def test_plain_text(small):
    ran = small("run", "tests:abrupt", "-j2", "-v", *BLOCKING)
    assert ran.err == ""
    assert "\033" not in ran.out and "\r" not in ran.out
    assert len(re.findall(r"^(?:pass|fail) +abrupt\.py plain/", ran.out, re.M)) == 4 * len(OWN_CASES)


def test_quiet(small):
    ran = small("run", "tests:abrupt", *ONE, "-q")
    assert ran.status == 1 and ran.err == ""
    assert len(ran.out.splitlines()) == 1 and "fail" in ran.out


def test_output_that_nobody_reads(small):
    """A closed pipe ends nothing before its time."""
    with small.start("run", "tests:abrupt", "-j2", "-v", *BLOCKING) as p:
        p.stdout.close()
        assert p.wait(60) in (1, 3, -signal.SIGPIPE)


# ---- Interruption ----

@pytest.fixture
def slow_run(small, tmp_path):
    """A run of some seconds that has begun: (process, marker of its environment, -o, TMPDIR)."""
    started = []

    def start(*more):
        marker = "CLOSEDRILL_TEST=%s" % uuid.uuid4()
        tmp, out = tmp_path / "tmp", tmp_path / "out"
        tmp.mkdir()
        env = dict([marker.split("=")], TMPDIR=str(tmp))
        p = small.start("run", "tests:late", "-j2", "-c", "plain/[chw]*", "-o", str(out), "--keep", "all", *more, env=env)
        started.append((p, marker))

        def has_begun():
            assert p.poll() is None, p.communicate()
            part = out / "results.json.part"                    # it takes its name when it is whole
            return part.exists() and '"verdict"' in part.read_text()
        wait_for("a first result", has_begun)
        return p, marker, out, tmp
    yield start
    for p, marker in started:
        if p.poll() is None:
            p.kill()
        p.communicate()
        for pid in marked_processes(marker):
            os.kill(pid, signal.SIGKILL)


def gone(marker):
    wait_for("its processes are gone: %s" % marked_processes(marker), lambda: not marked_processes(marker))


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(slow_run, sig):
    p, marker, out, tmp = slow_run()
    assert len(marked_processes(marker)) >= 3                   # so the marker finds them
    p.send_signal(sig)
    told, err = p.communicate(timeout=30)
    assert p.returncode == 3, (told, err)
    results = load_results(out)
    assert results["partial"] is True
    assert 0 < len(results["runs"]) < 16
    assert results["totals"]["runs"] == len(results["runs"])
    assert "broken" not in verdicts(results)
    assert "PARTIAL" in told and "of 16 runs" in told
    gone(marker)
    assert os.listdir(tmp) == []
    assert [f for f in files_below(out) if not f.endswith((".trace", ".pcapng", ".json", ".xml", ".html", ".svg", ".css", ".js"))] == []
    assert (out / "junit.xml").read_text().endswith("</testsuites>\n")


def test_interrupted_twice(slow_run):
    """The second one does not wait for the runs at hand."""
    p, marker, out, tmp = slow_run()
    p.send_signal(signal.SIGINT)
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)
    assert p.returncode == 3
    assert load_results(out)["partial"] is True
    gone(marker)
    assert os.listdir(tmp) == []


def test_interrupt_from_the_terminal(slow_run, small):
    """Ctrl-C goes to the whole group; only the parent heeds it."""
    p, marker, out, tmp = slow_run()
    for pid in marked_processes(marker):
        if pid != p.pid and os.getpgid(pid) == os.getpgid(p.pid):
            raise AssertionError("process %d of the run would be hit by Ctrl-C" % pid)
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)
    assert p.returncode == 3


def test_killed(slow_run):
    """Nothing that it started outlives it: no worker, adapter, tcpdump."""
    p, marker, out, tmp = slow_run()
    assert len(marked_processes(marker)) >= 3
    p.kill()
    p.communicate(timeout=30)
    assert p.returncode == -signal.SIGKILL
    gone(marker)
    assert os.listdir(tmp) == []


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(word) for word in f.read().split()]


def is_connected(pid):
    """Has a socket in the process's network namespace an established connection?"""
    with open("/proc/%d/net/tcp" % pid) as f:
        return any(line.split()[3] == "01" for line in f.readlines()[1:])


def test_worker_killed(slow_run):
    """A worker that dies costs the run at hand, and is no verdict."""
    p, marker, out, tmp = slow_run()
    # One that is still making its sandbox, or starting its adapter, has no run to lose.
    busy = []
    wait_for("a worker has a run", lambda: busy.extend(filter(is_connected, children(p.pid))) or busy)
    os.kill(busy[0], signal.SIGKILL)
    told, err = p.communicate(timeout=60)
    assert p.returncode == 3, (told, err)
    results = load_results(out)
    assert verdicts(results).count("broken") == 1
    broken = next(r for r in results["runs"] if r["verdict"] == "broken")
    assert broken["findings"] == [] and "worker" in broken["reason"]
    assert len(results["runs"]) == 16 and "fail" not in verdicts(results)
    gone(marker)


def test_leaves_nothing(small, tmp_path):
    """Neither does a run that ends by itself."""
    marker = "CLOSEDRILL_TEST=%s" % uuid.uuid4()
    (tmp_path / "tmp").mkdir()
    ran = small("run", "openssl", "tests:leaking", "tests:stuck", "-j2", *BLOCKING, env=dict([marker.split("=")], TMPDIR=str(tmp_path / "tmp")))
    assert ran.status in (0, 1)
    assert os.listdir(tmp_path / "tmp") == []
    gone(marker)


# ---- The machine fails ----

def test_full_disk(tool, tmp_path):
    """A clear message; nothing that is not whole stands under its name, neither results nor captures."""
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=64k none "$1" || exit 77; shift; "$@"; s=$?; cp -r "$0" "$DISK_KEPT"; exit $s'
    if os.geteuid() != 0:
        pytest.skip("only root can mount it")
    run = tool.command("run", "openssl", "-c", "orderly/*", "-j2", "-o", str(disk), "--keep", "all")
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", script, str(disk), str(disk)] + run, capture_output=True, text=True, timeout=60,
                         env=dict(os.environ, LC_ALL="C", DISK_KEPT=str(kept)))
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("cannot mount here: " + ran.stderr)
    assert ran.returncode == 3
    assert "No space left on device" in ran.stdout + ran.stderr
    assert "PARTIAL" in ran.stdout or "broken" in ran.stdout
    assert not re.search(r"^fail ", ran.stdout, re.M)
    left = files_below(kept)
    assert left and not [f for f in left if f.endswith(".part")]
    for f in left:
        data = (kept / f).read_bytes()
        if f.endswith(".json"):
            assert "fail" not in verdicts(json.loads(data))
        elif f.endswith(".xml"):
            ElementTree.fromstring(data)
        elif f.endswith((".trace", ".css", ".js", ".html")):
            assert data.endswith(b"\n")
        elif f.endswith(".svg"):
            ElementTree.fromstring(data)
        else:
            subprocess.run(["capinfos", str(kept / f)], check=True, capture_output=True)


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with nothing but the programs named."""
    def made(*programs):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in programs:
            os.symlink(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin"), folder / name)
        return {"PATH": str(folder)}
    return made


@pytest.mark.parametrize("there, missing", [(["ip"], "tcpdump"), (["tcpdump"], "ip"), ([], "ip")])
def test_program_missing(small, out, bare_path, there, missing):
    ran = small("run", "openssl", "-j2", "-o", str(out), env=bare_path(*there))
    assert ran.status == 3
    assert re.search(r"\b%s\b.*(No such file|not found)" % missing, ran.err), ran.err
    results = load_results(out)
    assert not set(verdicts(results)) - {"broken"}
    assert "fail" not in ran.out.split()


@pytest.mark.parametrize("text, words", [
    ("#!/bin/sh\necho 'lo: permission denied by policy' >&2; exit 1\n", "permission denied by policy"),
    ("#!/bin/sh\nexit 0\n", "tcpdump"),
    ("#!/bin/sh\necho this is no capture, whatever you may think of it; exec sleep 1000\n", "tcpdump"),
])
def test_tcpdump_that_does_not_capture(small, tmp_path, out, bare_path, text, words):
    env = bare_path("ip", "sh", "sleep")
    with open(os.path.join(env["PATH"], "tcpdump"), "w") as f:
        f.write(text)
    os.chmod(os.path.join(env["PATH"], "tcpdump"), 0o755)
    ran = small("run", "openssl", "-j1", *ONE, "-o", str(out), env=env)
    assert ran.status == 3
    assert words in ran.err
    assert not set(verdicts(load_results(out))) - {"broken"}


def tcpdumps(marker):
    return [pid for pid in marked_processes(marker) if pathlib.Path("/proc/%d/comm" % pid).read_text() == "tcpdump\n"]


def test_tcpdump_that_dies(slow_run):
    """In mid-session: broken runs, no verdicts."""
    p, marker, out, tmp = slow_run()
    for pid in tcpdumps(marker):
        os.kill(pid, signal.SIGKILL)
    told, err = p.communicate(timeout=60)
    assert p.returncode == 3, (told, err)
    broken = [r for r in load_results(out)["runs"] if r["verdict"] == "broken"]
    assert broken and all("tcpdump" in r["reason"] and r["findings"] == [] for r in broken)
    gone(marker)


def packet_socket_of(pid):
    """A duplicate of the packet socket of a tcpdump."""
    SYS_pidfd_getfd = 438                                       # one number on all architectures
    pidfd = os.pidfd_open(pid)
    fds = [int(fd) for fd in os.listdir("/proc/%d/fd" % pid) if os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:")]
    copies = [socket.socket(fileno=ctypes.CDLL(None).syscall(SYS_pidfd_getfd, pidfd, fd, 0)) for fd in fds]
    os.close(pidfd)
    return next(s for s in copies if s.family == socket.AF_PACKET)


def test_counters_that_somebody_else_reads(slow_run):
    """Reading the counters of tcpdump's socket, as tcpdump itself does at SIGUSR1, clears them: such a run is broken, and the ones behind
    it are sound."""
    SOL_PACKET, PACKET_STATISTICS = 263, 6
    p, marker, out, tmp = slow_run()
    sockets = [packet_socket_of(pid) for pid in tcpdumps(marker)]
    assert sockets
    frame = bytes(12) + b"\x08\x00" + b"\x45\0\0\x14\0\0\0\0\x40\x01" + bytes(10)     # an ICMP packet that has a wrong checksum
    for s in sockets:
        s.send(frame)                                           # so that there is something to count
        while p.poll() is None and struct.unpack("II", s.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)) == (0, 0):
            s.send(frame)                                       # the runner has been quicker
    told, err = p.communicate(timeout=60)
    runs = load_results(out)["runs"]
    broken = [r for r in runs if r["verdict"] == "broken"]
    assert p.returncode == 3, (told, err)
    assert broken and all("the kernel has counted" in r["reason"] for r in broken), [r["reason"] for r in broken]
    assert any(r["verdict"] != "broken" for r in runs[runs.index(broken[0]):])
