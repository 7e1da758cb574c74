"""Results for machines: results.json and its schema, JUnit XML, TAP, GitHub's annotations, merge, diff, shards; each read by what others
read it with, and from sessions that went wrong."""

import copy
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import jsonschema
import junitparser
import pytest

from conftest import ADAPTERS, OWN_CASES, ROOT, files_below, load_results

BLOCKING = ["--io", "blocking"]
ONE = ["--role", "client", "--tls", "1.3", "--io", "blocking"]
FORMATS = ["text", "tap", "junit", "github", "json"]

# An adapter's words that are more than text somewhere must not get there as they are.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]")


def write(folder, results):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "results.json"), "w") as f:
        json.dump(results, f)
    return os.path.join(str(folder), "results.json")


def timeless(results):
    """The runs without what differs from one time to the next."""
    return [{k: v for k, v in r.items() if k != "ms"} for r in results["runs"]]


@pytest.fixture(scope="module")
def session(small, tmp_path_factory):
    """A session with something of everything: passes, warnings, failures, what is unsupported. Its folder."""
    out = tmp_path_factory.mktemp("session")
    ran = small("run", "tests:abrupt", "tests:ragged", "tests:hostile", "openssl", "-j2", "-o", str(out), *BLOCKING)
    assert ran.status == 1, ran
    results = load_results(out)
    assert {"pass", "warn", "fail"} <= {r["verdict"] for r in results["runs"]}
    return out


@pytest.fixture
def results(session):
    return load_results(session)


@pytest.fixture
def every_kind(session, tmp_path):
    """The same with verdicts and comparisons that no adapter here brings about. Gives (path of the file, its runs)."""
    results = load_results(session)
    runs = [r for r in results["runs"] if r["implementation"] == "abrupt.py"]
    finding = next(f for r in runs for f in r["findings"])
    for r in runs:
        r.pop("reason", None)
    kinds = [
        {"verdict": "pass", "findings": []},
        {"verdict": "warn", "findings": [dict(finding, weight="warn")]},
        {"verdict": "fail", "findings": [finding]},
        {"verdict": "inconclusive", "findings": [dict(finding, requirement=None, says=None, level=None, clause=None, weight="inconclusive")]},
        {"verdict": "unsupported", "findings": [], "reason": "no such # call"},
        {"verdict": "broken", "findings": [], "reason": "tcpdump <died>\n::error::x"},
        {"verdict": "fail", "findings": [dict(finding, known=True)], "expected": "same", "expected_of": "x-1"},
        {"verdict": "pass", "findings": [], "expected": "changed", "expected_of": "x-1", "diff": "-iut close -> ok\n+iut close -> error"},
    ]
    assert len(runs) >= len(kinds)
    results["runs"] = [dict(r, why="x", **k) for r, k in zip(runs, kinds)]
    return write(tmp_path / "kinds", results), results["runs"]


# ---- The schema ----

@pytest.fixture(scope="module")
def schema():
    with open(os.path.join(ROOT, "results.schema.json")) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_schema(schema, results, every_kind):
    schema.validate(results)
    schema.validate(load_results(os.path.dirname(every_kind[0])))


def run_with_findings(results):
    return next(r for r in results["runs"] if r["findings"])


@pytest.mark.parametrize("spoil", [
    lambda s: s.update(other=1),
    lambda s: s.pop("closedrill"),
    lambda s: s.pop("planned"),
    lambda s: s.update(partial="no"),
    lambda s: s["totals"].update(other=1),
    lambda s: s["totals"].update(fail=-1),
    lambda s: s.update(shard={"index": 0, "total": 1, "runs": 3}),
    lambda s: s["runs"][0].update(other=1),
    lambda s: s["runs"][0].pop("library"),
    lambda s: s["runs"][0].update(verdict="passed"),
    lambda s: s["runs"][0].update(tls="1.1"),
    lambda s: s["runs"][0].update(case="no-theme"),
    lambda s: s["runs"][0].update(verdict="broken"),                    # without a reason
    lambda s: s["runs"][0].update(expected="yes"),
    lambda s: run_with_findings(s).pop("why"),
    lambda s: run_with_findings(s)["findings"][0].update(other=1),
    lambda s: run_with_findings(s)["findings"][0].pop("says"),
    lambda s: run_with_findings(s)["findings"][0].update(weight="pass"),
    lambda s: run_with_findings(s)["findings"][0].update(line="3"),
])
def test_schema_is_strict(schema, results, spoil):
    spoil(results)
    assert not schema.is_valid(results)


def test_a_finding_says_what_and_why(results):
    found = run_with_findings(results)
    assert found["why"] in [" ".join(t.split("\n\n")[0].replace("#", "").split()) for t in OWN_CASES.values()]
    assert found["findings"][0]["says"].endswith(".")


# ---- For people ----

def test_order_of_a_finding(small, out):
    """What the rule is, what happened, why it matters, where to see it, how to do it again; without -o no files are named."""
    for more, files in ([], []), (["-o", str(out)], ["trace", "capture", "ladder"]):
        ran = small("run", "tests:abrupt", "-c", "plain/close", *ONE, *more)
        found = re.search(r"^fail .*\n((?:  .*\n)+)", ran.out, re.M)[1]
        assert re.findall(r"^  (\w+)", found, re.M) == ["rule", "allowed", "observed", "native", "in", "why", "case"] + files + ["again"], found
        for key in files:
            assert os.path.exists(re.search(r"^  %s +(.*)" % key, found, re.M)[1])
        assert re.search(r"rule      \S.*\.\n +MUST, RFC 8446", found)
        assert "why       Nothing but a close; no read at all.\n" in found


# ---- The formats ----

def test_convert_is_what_run_writes(small, session, tmp_path):
    """One definition of each format: told while it runs, or from results.json."""
    path = str(session / "results.json")
    assert small("convert", path, "--format", "junit").out == (session / "junit.xml").read_text()
    told = json.loads(small("convert", path, "--format", "json").out)
    want = load_results(session)
    for r in told, want:
        r["totals"].pop("runner_rss_kib")
    assert told == want
    for form in "tap", "text":
        run = small("run", "openssl", "-c", "plain/hello", *ONE, "--format", form, "-o", str(tmp_path / form)).out
        assert small("convert", str(tmp_path / form / "results.json"), "--format", form).out == re.sub(r"^Report: .*\n", "", run, flags=re.M)


@pytest.mark.parametrize("seconds", [0.0, 0.000001, 1.000001, 1.000004, 1.999999, 4321.123457])
def test_convert_keeps_the_times(small, session, tmp_path, seconds):
    """To the microsecond: many fractions have no exact double, and lie below themselves."""
    results = load_results(session)
    results["totals"].update(seconds=seconds, run_seconds=seconds)
    (tmp_path / "results.json").write_text(json.dumps(results))
    told = json.loads(small("convert", str(tmp_path / "results.json"), "--format", "json").out)["totals"]
    assert (told["seconds"], told["run_seconds"]) == (seconds, seconds)


OUTCOMES = [None, None, "failure", "error", "skipped", "error", "skipped", "failure"]


def junit_outcomes(text):
    return [next((e.tag for e in case if e.tag in ("failure", "error", "skipped")), None) for case in ElementTree.fromstring(text).iter("testcase")]


def test_junit(small, every_kind, tmp_path):
    path, runs = every_kind
    ran = small("convert", path, "--format", "junit")
    assert ran.status == 0
    assert junit_outcomes(ran.out) == OUTCOMES
    xml = tmp_path / "junit.xml"
    xml.write_text(ran.out)
    subprocess.run(["xmllint", "--noout", "--schema", os.path.join(ROOT, "tests", "junit.xsd"), str(xml)], check=True, capture_output=True)
    cases = list(ElementTree.fromstring(ran.out).iter("testcase"))
    assert cases[5].find("error").get("message") == r"tcpdump <died>\x0a::error::x"
    assert cases[2].find("failure").get("type") == "fail" and runs[2]["findings"][0]["observed"] in cases[2].find("failure").text
    assert "known" in cases[6].find("skipped").get("message")
    assert cases[7].find("failure").get("type") == "changed" and "+iut close -> error" in cases[7].find("failure").text
    assert cases[1].find("system-out") is not None              # a warning is told, and fails nothing


def test_junit_of_a_session(session, results, tmp_path):
    """Valid, counted by a reader of others as results.json counts, with the trace where one was kept."""
    subprocess.run(["xmllint", "--noout", "--schema", os.path.join(ROOT, "tests", "junit.xsd"), str(session / "junit.xml")], check=True, capture_output=True)
    suites = list(junitparser.JUnitXml.fromfile(str(session / "junit.xml")))
    assert [s.name for s in suites] == ["abrupt.py.plain", "ragged.py.plain", "hostile.py.plain", "openssl.plain"]
    assert sum(s.failures for s in suites) == results["totals"]["fail"]
    assert sum(s.tests for s in suites) == results["totals"]["runs"]
    for s in suites:
        assert sum(len([r for r in c.result if isinstance(r, junitparser.Failure)]) for c in s) == s.failures
        assert {p.name for p in s.properties()} >= {"implementation", "library", "theme"}
    broken = next(c for c in suites[0] if c.result)
    assert broken.classname.startswith("abrupt.py.plain.") and re.match(r"(client|server) 1\.[23] blocking$", broken.name)
    assert "handshake -> ok" in broken.system_out and "wire  iut -> " in broken.system_out


def prove(text, tmp_path):
    """Reads it with perl's TAP::Parser, which knows the protocol up to version 13: of what we use of 14 only the number is new to it."""
    assert text.startswith("TAP version 14\n")
    (tmp_path / "t.tap").write_text(text.replace("version 14", "version 13", 1))
    script = """
        use TAP::Parser; use JSON::PP;
        my $p = TAP::Parser->new({ source => $ARGV[0] }); my @tests; my $yaml = 0; my @bail;
        while (my $r = $p->next) {
            if ($r->is_test) { push @tests, [ $r->is_actual_ok ? 1 : 0, $r->is_ok ? 1 : 0, $r->directive, $r->description ] }
            elsif ($r->is_yaml) { $yaml++ } elsif ($r->is_bailout) { push @bail, $r->explanation }
            elsif ($r->is_unknown) { die "unknown: " . $r->raw }
        }
        print encode_json({ tests => \\@tests, yaml => $yaml, errors => [ $p->parse_errors ], failed => [ $p->failed ], bail => \\@bail });
    """
    ran = subprocess.run(["perl", "-e", script, str(tmp_path / "t.tap")], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_tap(small, every_kind, tmp_path):
    path, runs = every_kind
    ran = small("convert", path, "--format", "tap")
    assert ran.status == 0
    told = prove(ran.out, tmp_path)
    assert told["errors"] == []
    assert [t[0] for t in told["tests"]] == [1, 1, 0, 0, 1, 0, 0, 0]
    assert [t[2] for t in told["tests"]] == ["", "", "", "", "SKIP", "", "TODO", ""]
    assert told["failed"] == [3, 4, 6, 8]
    assert told["yaml"] == 6                                    # all but the pass and the skip
    assert told["tests"][2][3] == "- abrupt.py %s %s %s %s" % tuple(runs[2][k] for k in ("case", "role", "tls", "io"))


def test_tap_of_a_session(small, session, results, tmp_path):
    told = prove(small("convert", str(session / "results.json"), "--format", "tap").out, tmp_path)
    assert told["errors"] == []
    assert len(told["failed"]) == results["totals"]["fail"]
    assert len(told["tests"]) == results["totals"]["runs"]
    assert {t[2] for t in told["tests"]} == {""}                # what hostile.py says is no directive


def commands(text):
    """As GitHub's runner takes them: (command, properties, message); none between stop-commands and its word."""
    found, stopped = [], None
    for line in text.split("\n"):
        if stopped:
            stopped = None if line == "::%s::" % stopped else stopped
            continue
        at = re.match(r"::([\w-]+)(?: (.*?))?::(.*)$", line)
        if not at:
            assert line == "", line
            continue
        if at[1] == "stop-commands":
            stopped = at[3]
            continue
        def decode(s):
            return s.replace("%2C", ",").replace("%3A", ":").replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
        found.append((at[1], {k: decode(v) for k, v in (p.split("=", 1) for p in (at[2] or "").split(","))}, decode(at[3])))
    assert not stopped
    return found


def test_github(small, session, every_kind):
    found = commands(small("convert", every_kind[0], "--format", "github").out)
    assert [c[0] for c in found].count("warning") == 1
    assert all(re.match(r"cases/plain/\w+\.case$", c[1]["file"]) for c in found)
    broken = next(c for c in found if "tcpdump" in c[2])
    assert broken[0] == "error" and "::error" in broken[2] and "line" not in broken[1]
    ran = small("convert", str(session / "results.json"), "--format", "github")
    found = commands(ran.out)
    assert {c[0] for c in found} == {"error", "warning"}
    close = next(c for c in found if "plain/close" in c[1]["title"] and "abrupt" in c[1]["title"])
    assert close[1]["file"] == "cases/plain/close.case" and int(close[1]["line"]) > 0
    assert "observed" in close[2] and "again     closedrill run " in close[2]
    assert small("convert", str(session / "results.json")).out in ran.out       # what people read stands there as well


def test_unknown_format(small):
    for command in ["run"], ["convert", "x"], ["merge", "x"], ["diff", "x", "y"]:
        ran = small(*command, "--format", "junt")
        assert ran.status == 2 and "did you mean junit" in ran.err and ran.out == ""


# ---- Words that are more than text ----

@pytest.mark.parametrize("form", FORMATS)
def test_hostile(small, session, results, form):
    assert any("\033" in r["library"] for r in results["runs"])
    ran = small("convert", str(session / "results.json"), "--format", form, "-v")
    assert not CONTROL.search(ran.out)
    if form == "junit":
        assert "<script>" not in ran.out and "]]>" not in ran.out
        properties = {p.get("value") for p in ElementTree.fromstring(ran.out).iter("property")}
        assert any("<script>alert(1)</script> ]]> & \" '" in p for p in properties)
    if form == "text":
        assert r"\x1b[31m" in ran.out                           # it is shown, not lost


def test_hostile_while_it_runs(small):
    for form in FORMATS:
        ran = small("run", "tests:hostile", *ONE, "--format", form, "-v")
        assert ran.status == 1 and not CONTROL.search(ran.out + ran.err)


def test_hostile_results(small, results, tmp_path):
    """A file from who knows where: names with paths and escapes lead nowhere."""
    run = run_with_findings(results)
    run.update(implementation="../../etc", case="a/\033[2J\n::error::x")
    (tmp_path / "etc" / "a").mkdir(parents=True)
    results["runs"] = [run]
    path = write(tmp_path / "x" / "y", results)
    for form in FORMATS:
        ran = small("convert", path, "--format", form)
        assert ran.status == 0 and not CONTROL.search(ran.out), form
        assert not re.search(r"^::error::x", ran.out, re.M)


# ---- Files that are none of ours, or not whole ----

@pytest.mark.parametrize("command", [["convert"], ["merge"], ["diff"]])
@pytest.mark.parametrize("spoil, words", [
    (lambda text: text[:-40], "not complete"),
    (lambda text: text[:len(text) // 2], "not complete"),
    (lambda text: "", "not complete"),
    (lambda text: text.replace('"closedrill": "', '"closedrill": "9.', 1), "written by closedrill 9."),
    (lambda text: '{"tests": []}', "no array"),
    (lambda text: "<html>", "should begin with {"),
    (lambda text: text.replace('"verdict": "pass"', '"verdict": "passed"', 1).replace('"verdict":"pass"', '"verdict":"passed"', 1), '"passed"'),
    (lambda text: text.replace('"findings"', '"found"'), '"findings"'),
    (lambda text: text.replace('"case"', '"cas"'), '"case"'),
])
def test_wrong_file(small, session, tmp_path, command, spoil, words):
    good = (session / "results.json").read_text()
    path = tmp_path / "wrong.json"
    path.write_text(spoil(good))
    assert path.read_text() != good
    files = [str(session / "results.json"), str(path)] if command == ["diff"] else [str(path)]
    ran = small(*command, *files, *([] if command == ["diff"] else ["-o", str(tmp_path / "out")]))
    assert ran.status == 2, ran
    assert ran.out == "" and words in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("args", [["run", "openssl", "-c", "plain/hello"] + ONE, ["convert", "RESULTS"], ["diff", "RESULTS", "RESULTS"]])
def test_full_output(small, session, args):
    with open("/dev/full", "w") as full:
        with small.start(*[str(session / "results.json") if a == "RESULTS" else a for a in args], stdout=full) as p:
            err = p.communicate(timeout=60)[1]
    assert p.returncode == 3
    assert "cannot write to standard output: No space left on device" in err


# ---- merge ----

@pytest.fixture(scope="module")
def shards(small, tmp_path_factory):
    """(the unsharded session's folder, those of its three shards)"""
    top = tmp_path_factory.mktemp("shards")
    args = ["tests:abrupt", "openssl", "-j2", "--keep", "all"]
    assert small("run", *args, "-o", str(top / "whole")).status == 1
    for k in 1, 2, 3:
        assert small("run", *args, "--shard", "%d/3" % k, "-o", str(top / str(k))).status == 1
    return top / "whole", [top / str(k) for k in (1, 2, 3)]


def files_of(folders):
    return [str(f / "results.json") for f in folders]


def test_merged_shards(small, shards, schema, out):
    whole, parts = shards
    sizes = [len(load_results(p)["runs"]) for p in parts]
    assert max(sizes) - min(sizes) <= 1
    ran = small("merge", *files_of([parts[2], parts[0], parts[1]]), "-o", str(out))
    assert ran.status == 1 and ran.err == ""                    # as the whole: it deviates
    merged, want = load_results(out), load_results(whole)
    schema.validate(merged)
    schema.validate(load_results(parts[0]))
    assert timeless(merged) == timeless(want)
    assert {k: v for k, v in merged["totals"].items() if "seconds" not in k and "kib" not in k} == \
           {k: v for k, v in want["totals"].items() if "seconds" not in k and "kib" not in k}
    assert (merged["partial"], merged["planned"], merged.get("shard")) == (False, len(want["runs"]), None)
    assert junit_outcomes((out / "junit.xml").read_text()) == junit_outcomes((whole / "junit.xml").read_text())
    assert files_below(out) == files_below(whole)               # traces and captures came along
    assert small("diff", str(whole / "results.json"), str(out / "results.json")) == (0, "%d the same\n" % len(want["runs"]), "")


def test_shards_take_equal_shares(shards):
    """Each has some of every variant, so none has all that is slow."""
    for p in shards[1]:
        runs = load_results(p)["runs"]
        for key, values in (("role", 2), ("tls", 2), ("io", 3), ("case", len(OWN_CASES))):
            assert len({r[key] for r in runs if r["implementation"] == "openssl"}) == values


def test_missing_shard(small, shards, out):
    whole, parts = shards
    ran = small("merge", *files_of([parts[0], parts[2]]), "-o", str(out))
    assert ran.status == 3
    assert "shard 2 of 3" in ran.err and "PARTIAL" in ran.out
    merged = load_results(out)
    assert merged["partial"] is True and merged["planned"] == len(load_results(whole)["runs"])
    order = timeless(load_results(whole))
    at = [order.index(r) for r in timeless(merged)]
    assert at == sorted(at)
    assert ElementTree.parse(out / "junit.xml").find(".//testcase[@name='the session is complete']/error") is not None


def test_merge_refuses(small, shards, session, tmp_path):
    whole, parts = shards
    for files, words in [
        ([parts[0], parts[0]], ["twice", str(parts[0])]),
        ([whole, session], ["twice", str(whole), str(session), "abrupt.py plain/"]),
        ([whole, parts[0]], ["shard", str(parts[0])]),
    ]:
        ran = small("merge", *files_of(files), "-o", str(tmp_path / "out"))
        assert ran.status == 2, ran
        assert all(w in ran.err for w in words), ran.err
        assert not (tmp_path / "out").exists()
    other = load_results(parts[1])
    other["shard"]["runs"] += 1
    assert "different sessions" in small("merge", *files_of(parts[:1]), write(tmp_path / "a", other)).err
    other = load_results(whole)
    half = dict(other, runs=other["runs"][::2])
    rest = dict(other, runs=[dict(r, library="OpenSSL 9") for r in other["runs"][1::2]])
    assert "these are two" in small("merge", write(tmp_path / "b", half), write(tmp_path / "c", rest)).err


def test_merge_of_implementations(small, results, tmp_path):
    """One behind the other, in the order that they are named in."""
    names = ["openssl", "abrupt.py"]
    files = []
    for n in names:
        own = dict(results, runs=[r for r in results["runs"] if r["implementation"] == n])
        files.append(write(tmp_path / n, dict(own, planned=len(own["runs"]))))
    assert small("merge", *files, "-o", str(tmp_path / "all"), "-q").status == 1
    merged = load_results(tmp_path / "all")
    assert merged["runs"] == [r for n in names for r in results["runs"] if r["implementation"] == n]


def test_merge_to_a_full_disk(small, shards, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount it")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=16k none "$0" || exit 77; "$@"; s=$?; find "$0" -name "*.part" -o -name "*.json"; exit $s'
    command = small.command("merge", *files_of(shards[1]), "-o", str(disk), "-q")
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", script, str(disk)] + command, capture_output=True, text=True, timeout=60)
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("cannot mount here: " + ran.stderr)
    assert ran.returncode == 3
    assert "No space left on device" in ran.stderr
    assert str(disk) not in ran.stdout                          # nothing half-written


# ---- diff ----

def spoiled(run, **fields):
    return dict(copy.deepcopy(run), **fields)


def test_diff(small, results, tmp_path):
    good = [r for r in results["runs"] if r["verdict"] == "pass"]
    bad = [r for r in results["runs"] if r["verdict"] == "fail"]
    failing = {"verdict": "fail", "findings": bad[0]["findings"], "why": "because"}
    other = [dict(bad[0]["findings"][0], requirement="of-another-rule", weight="fail")]
    rows = [                                    # what it was, what it is, what is said of it
        (good[0], spoiled(good[0], ms=9.9), None),
        (good[1], spoiled(good[1], **failing), "broken"),
        (bad[0], spoiled(bad[0], verdict="pass", findings=[]), "fixed"),
        (bad[1], spoiled(bad[1], findings=bad[1]["findings"] + other), "broken"),
        (bad[2], spoiled(bad[2], findings=[dict(f, observed="something else") for f in bad[2]["findings"]]), "changed"),
        (bad[3], spoiled(bad[3], findings=[dict(f, line=f["line"] + 1) for f in bad[3]["findings"]]), None),       # the case was edited
        (good[2], spoiled(good[2], verdict="warn", findings=[dict(other[0], weight="warn")], why="x"), "changed"),
        (good[3], spoiled(good[3], verdict="unsupported", reason="gone"), "changed"),
        (None, good[4], "new"),
        (None, bad[4], "new"),
        (good[5], None, "gone"),
    ]
    assert len({json.dumps(r[0] or r[1], sort_keys=True) for r in rows}) == len(rows)
    before = write(tmp_path / "old", dict(results, runs=[r[0] for r in rows if r[0]]))
    after = write(tmp_path / "new", dict(results, runs=[r[1] for r in rows if r[1]]))
    ran = small("diff", before, after, "--format", "json")
    assert ran.status == 1
    told = json.loads(ran.out)
    assert told["totals"] == {"gone": 1, "new": 2, "changed": 3, "fixed": 1, "broken": 2, "same": 2}
    order = [c["change"] for c in told["changes"]]
    assert order == sorted(order, key=["gone", "new", "changed", "fixed", "broken"].index)
    for was, is_, word in rows:
        any_ = is_ or was
        said = [c["change"] for c in told["changes"] if c["case"] == any_["case"] and c["implementation"] == any_["implementation"]
                and {k: any_[k] for k in ("role", "tls", "io")} in c["in"]]
        assert said == ([word] if word else []), (word, said)
    text = small("diff", before, after)
    assert text.status == 1
    assert re.findall(r"^(\w+) +\S+ +plain/", text.out, re.M) == order
    quiet = small("diff", before, after, "-q")
    assert quiet == (1, "1 gone, 2 new, 3 changed, 1 fixed, 2 broken, 2 the same\n", "")
    assert small("diff", before, after).out == text.out
    assert small("diff", after, before, "-q").status == 1       # what was fixed is broken, the other way round


def test_diff_without_regression(small, results, tmp_path):
    worse = write(tmp_path / "old", results)
    better = write(tmp_path / "new", dict(results, runs=[spoiled(r, verdict="pass", findings=[]) for r in results["runs"]]))
    assert small("diff", worse, better, "-q").status == 0
    assert small("diff", worse, worse, "-q") == (0, "%d the same\n" % len(results["runs"]), "")


def test_diff_that_cannot_tell(small, results, tmp_path):
    """A session that broke says nothing of the library: neither well nor worse."""
    before = write(tmp_path / "old", results)
    broken = write(tmp_path / "new", dict(results, runs=[spoiled(results["runs"][0], verdict="broken", findings=[], reason="x")] + results["runs"][1:]))
    assert small("diff", before, broken, "-q").status == 3
    partial = write(tmp_path / "half", dict(results, partial=True))
    ran = small("diff", before, partial, "-q")
    assert ran.status == 3 and "half/results.json is not complete" in ran.err


# ---- Shards ----

@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/", "/2", "a/b", "1/0", "-1/2", "1/2/3", "1/99999", ""])
def test_shard_usage(small, text):
    ran = small("run", "openssl", "--shard", text)
    assert ran.status == 2 and ran.out == "" and "--shard" in ran.err


def test_shards_of_the_environment(small, shards, out, tmp_path):
    """Bazel's protocol: counts from 0, and the status file tells the caller that we know it."""
    status = tmp_path / "status" / "file"
    env = {"TEST_TOTAL_SHARDS": "3", "TEST_SHARD_INDEX": "1", "TEST_SHARD_STATUS_FILE": str(status)}
    assert small("run", "tests:abrupt", "openssl", "-j2", "-o", str(out), env=env).status == 1
    assert timeless(load_results(out)) == timeless(load_results(shards[1][1]))
    assert status.read_text() == ""


@pytest.mark.parametrize("env", [
    {"TEST_TOTAL_SHARDS": "2"}, {"TEST_SHARD_INDEX": "0"}, {"TEST_TOTAL_SHARDS": "2", "TEST_SHARD_INDEX": "2"},
    {"TEST_TOTAL_SHARDS": "0", "TEST_SHARD_INDEX": "0"}, {"TEST_TOTAL_SHARDS": "x", "TEST_SHARD_INDEX": "0"},
])
def test_wrong_environment(small, env):
    ran = small("run", "openssl", env=env)
    assert ran.status == 2 and "TEST_" in ran.err and ran.out == ""


def test_status_file_that_cannot_be(small, tmp_path):
    (tmp_path / "file").write_text("")
    ran = small("run", "openssl", env={"TEST_TOTAL_SHARDS": "2", "TEST_SHARD_INDEX": "0", "TEST_SHARD_STATUS_FILE": str(tmp_path / "file" / "below")})
    assert ran.status in (2, 3) and "file" in ran.err and ran.out == ""


def test_more_shards_than_runs(small, tmp_path):
    for k in range(1, 6):
        ran = small("run", "openssl", "-c", "plain/hello", *ONE, "--shard", "%d/5" % k, "-o", str(tmp_path / str(k)))
        assert ran.status == 0, ran
    ran = small("merge", *files_of([tmp_path / str(k) for k in range(1, 6)]))
    assert ran.status == 0 and "1 pass" in ran.out


def test_with_gnu_parallel(small, tmp_path):
    """As README.md shows it, for real."""
    words = small.command("run", "openssl", "-j1", "--shard", "{}/2", "-o", str(tmp_path / "{}"))
    subprocess.run(["parallel", "--will-cite", "-j2", *words, ":::", "1", "2"], check=True, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert small("merge", *files_of([tmp_path / "1", tmp_path / "2"]), "-o", str(tmp_path / "all"), "-q").status == 0
    assert small("run", "openssl", "-j2", "-q", "-o", str(tmp_path / "whole")).status == 0
    assert timeless(load_results(tmp_path / "all")) == timeless(load_results(tmp_path / "whole"))
