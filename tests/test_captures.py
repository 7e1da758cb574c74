"""`closedrill capture`, and the gallery in captures/: Wireshark's own tools open each file without a key file, and agree with its text."""

import os
import re
import resource
import subprocess
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import ROOT
from test_tshark import add, items_of, packet_records, show

GALLERY = os.path.join(ROOT, "captures")
LINE = re.compile(r" *(\d+)  (iut  > peer|peer > iut )  (.*?) +((?:line \d+: .*)|after the last line)$")
SVG = "{http://www.w3.org/2000/svg}"

# A record that no key in force opens is no item for tshark, nor is a part of one; and what has the looks of no record is not TLS to it.
OURS_ALONE = {"(part", "unopened", "partial", "raw", "keys"}


def entries():
    """(file, case, implementation, role, version, mode, caption) for each line of the list."""
    with open(os.path.join(GALLERY, "list")) as f:
        lines = [line.split(None, 5) for line in f if line.strip() and not line.startswith("#")]
    cases = [line[0] for line in lines]
    return [(c + ("-" + v if cases.count(c) > 1 else ""), c, i, r, v, m, caption.strip()) for c, i, r, v, m, caption in lines]


ENTRIES = entries()
FILES = [e[0] for e in ENTRIES]


def at(file, ending):
    return os.path.join(GALLERY, file + ending)


def run(*args):
    env = dict(os.environ, HOME="/nonexistent", XDG_CONFIG_HOME="/nonexistent", LC_ALL="C.UTF-8")
    return subprocess.run(args, capture_output=True, text=True, timeout=60, env=env)


def text_lines(path):
    """(end, items) of each line of the text decode."""
    told = []
    with open(path) as f:
        for line in f:
            if line.startswith("#") or not line.strip():
                continue
            m = LINE.match(line.rstrip("\n"))
            assert m, line
            assert int(m[1]) == len(told) + 1
            told.append((m[2].split(" ")[0], m[3]))
    return told


def fields(path, *names):
    words = [w for n in names for w in ("-e", n)]
    ran = run("tshark", "-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-r", path, "-T", "fields", *words)
    assert ran.returncode == 0, ran.stderr
    return [dict(zip(names, line.split("\t"))) for line in ran.stdout.splitlines()]


def packets_of(file):
    """Every packet as an element, with checksums looked at. No key file, and no preferences of the user's."""
    ran = run("tshark", "-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-r", at(file, ".pcapng"), "-T", "pdml")
    assert ran.returncode == 0, ran.stderr
    return ElementTree.fromstring(ran.stdout.encode()).findall("packet")


@pytest.fixture(scope="module")
def opened():
    """The packets of every file."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(FILES, pool.map(packets_of, FILES)))


# ---- The list and the page ----

def test_the_list_and_the_files_are_the_same():
    for ending in ".pcapng", ".svg", ".txt":
        there = {os.path.relpath(os.path.join(d, n), GALLERY)[:-len(ending)] for d, _, names in os.walk(GALLERY) for n in names if n.endswith(ending)}
        assert there == set(FILES), ending
    assert len(FILES) == len(set(FILES)) >= 40


def test_the_page_shows_them_all():
    with open(os.path.join(GALLERY, "README.md")) as f:
        page = f.read()
    for file, case, implementation, role, version, mode, caption in ENTRIES:
        assert "### %s\n" % caption in page
        assert "](%s.svg)" % file in page and "](%s.pcapng)" % file in page
        assert "closedrill capture %s --implementation %s --role %s --tls %s --io %s " % (case, implementation, role, version, mode) in page
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert os.path.exists(os.path.join(GALLERY, link)), link


# ---- Each file ----

def end_of(packet):
    return "iut" if show(packet, "ip.src") == "127.0.0.1" else "peer"


def is_housekeeping(packets, at, items):
    """A RST that the kernel repeats when more comes in; and the one by which the suite drops a connection before it opens the next."""
    stream, end = show(packets[at], "tcp.stream"), end_of(packets[at])
    same = [p for p in packets if show(p, "tcp.stream") == stream]
    repeats = any(show(p, "tcp.flags.reset") in ("1", "True") and end_of(p) == end for p in same[:same.index(packets[at])])
    dropped = end == "peer" and packets[at] is same[-1] and packets[at] is not packets[-1]
    return items == ["rst"] and (repeats or dropped)


def seen_items(packets):
    """(end, items, comment) of each packet that has a comment, as tshark sees it; and what a packet without one brought."""
    told, suite, bare = [], {}, []
    for at, p in enumerate(packets):
        items = []
        for record in packet_records(p, suite.setdefault(show(p, "tcp.stream"), [None])):
            add(items, record)
        for flag, word in ("fin", "fin"), ("reset", "rst"):
            if show(p, "tcp.flags." + flag) in ("1", "True"):
                add(items, word)
        if show(p, "frame.comment"):
            told.append((end_of(p), items, show(p, "frame.comment")))
        elif items and not is_housekeeping(packets, at, items):
            bare.append((show(p, "frame.number"), items))
    return told, bare


def compare(file, packets):
    """None, or what differs between tshark and the text."""
    told, bare = seen_items(packets)
    text = text_lines(at(file, ".txt"))
    if bare:
        return "%s: without a comment: %s" % (file, bare)
    if len(told) != len(text):
        return "%s: %d comments, %d lines" % (file, len(told), len(text))
    clear = False
    for (end, items, comment), (text_end, text_items) in zip(told, text):
        if end != text_end:
            return "%s: %s is from %s, not %s" % (file, text_items, end, text_end)
        words = text_items.split()
        joined = []
        for item in items_of(words):
            add(joined, item)
        clear |= "raw" in words                                 # behind bytes in clear tshark takes the connection for another protocol
        if clear:
            items, joined = ([i for i in x if i in ("fin", "rst")] for x in (items, joined))
        if not OURS_ALONE & set(words) and joined != items:
            return "%s: text %s, tshark %s" % (file, joined, items)
    return None


def test_tshark_agrees_with_the_text(opened):
    differences = [d for d in map(compare, opened, opened.values()) if d]
    assert not differences, "\n".join(differences)
    # It was no comparison of nothing with nothing.
    words = {w for f in FILES for _, items in text_lines(at(f, ".txt")) for w in items.split()}
    assert words >= {"data", "close_notify", "alert", "fin", "rst", "key_update", "ticket", "raw", "(part"}


@pytest.mark.parametrize("file", FILES)
def test_accepted(opened, file, tmp_path):
    """Checksums are right, only the case's own connections are there, they are decrypted, and the other tools take the file."""
    path = at(file, ".pcapng")
    names = "tcp.stream", "ip.checksum.status", "tcp.checksum.status", "ip.src", "frame.comment"
    rows = [{n: show(p, n) for n in names} for p in opened[file]]
    assert {(r["ip.checksum.status"], r["tcp.checksum.status"]) for r in rows} == {("1", "1")}       # good
    assert {r["ip.src"] for r in rows} == {"127.0.0.1", "127.0.0.2"}
    with open(at(file, ".svg")) as f:
        connections = f.read().count(">TCP, TLS ") or 1         # 1: a handshake by parts
    assert {r["tcp.stream"] for r in rows} == {str(n) for n in range(connections)}
    assert any(r["frame.comment"] for r in rows)
    copy = str(tmp_path / "copy.pcapng")
    ran = run("editcap", path, copy)
    assert ran.returncode == 0, ran.stderr
    info = run("capinfos", "-c", "-M", path, copy)
    assert (info.returncode, info.stderr) == (0, "")
    assert re.findall(r"Number of packets: +(\d+)", info.stdout) == [str(len(rows))] * 2


@pytest.mark.parametrize("file, implementation, case, variant", [(e[0], e[2], e[1], " ".join(e[3:6])) for e in ENTRIES])
def test_what_is_inside(file, implementation, case, variant):
    with open(at(file, ".pcapng"), "rb") as f:
        data = f.read()
    assert data[:4] == b"\x0a\x0d\x0d\x0a"
    assert ("closedrill: %s, %s, %s" % (implementation, case, variant)).encode() in data
    assert b"SERVER_HANDSHAKE_TRAFFIC_SECRET" in data or b"CLIENT_RANDOM" in data
    assert b"\x7f\0\0\x02peer\0" in data and b"\x7f\0\0\x01" + implementation.encode() + b"\0" in data


def test_names_are_shown():
    ran = run("tshark", "-N", "n", "-r", at(FILES[0], ".pcapng"), "-T", "fields", "-e", "_ws.col.Source")
    assert set(ran.stdout.split()) == {"openssl", "peer"}


def test_text_in_clear():
    """Decrypted with no key file: the stream can be followed."""
    ran = run("tshark", "-n", "-q", "-r", at("truncation/fin-at-record-boundary", ".pcapng"), "-z", "follow,tls,ascii,0")
    assert "half" in ran.stdout or "hello" in ran.stdout, ran.stdout


@pytest.mark.parametrize("file", FILES)
def test_ladder(file):
    root = ElementTree.parse(at(file, ".svg")).getroot()
    texts = ["".join(t.itertext()) for t in root.iter(SVG + "text")]
    assert root.tag == SVG + "svg" and root.get("role") == "img"
    labels = {e.get("id") for e in root.iter() if e.get("id")}
    assert set(root.get("aria-labelledby").split()) == labels
    assert root.find(SVG + "title").text and root.find(SVG + "desc").text
    assert "peer" in texts
    assert any(re.search(r"(MUST|SHOULD|MAY|PROMISE), ", t) for t in texts)
    assert "prefers-color-scheme:dark" in root.find(SVG + "style").text
    # A word of every kind that the text has stands in the picture, too, but for the handshake's.
    told = [i.split()[0] for _, line in text_lines(at(file, ".txt")) for i in items_of(line.split()) if not line.startswith("(part")]
    for word in set(told) - {"handshake", "change_cipher_spec"}:
        assert any(word in t for t in texts), word


# ---- The command ----

ONE = ["--role", "client", "--tls", "1.3", "--io", "blocking"]


def test_capture(small, tmp_path):
    pcapng, svg, text = (str(tmp_path / ("x." + e)) for e in ("pcapng", "svg", "txt"))
    ran = small("capture", "plain/hello", *ONE, "-o", pcapng, "--ladder", svg, "--text", text)
    assert ran == (0, "pass: openssl, plain/hello client 1.3 blocking\n", "")
    assert [end for end, items in text_lines(text) if items == "data 5"] == ["peer"]
    assert len(fields(pcapng, "frame.comment")) > 5
    assert ElementTree.parse(svg).getroot().tag == SVG + "svg"
    assert sorted(os.listdir(tmp_path)) == ["x.pcapng", "x.svg", "x.txt"]           # no part of a file is left


def test_the_first_variant_is_the_default(small, tmp_path):
    ran = small("capture", "plain/hello", "--implementation", "reference", "--text", str(tmp_path / "x"))
    assert ran == (0, "pass: reference, plain/hello client 1.2 blocking\n", "")


def test_a_deviation_is_captured_as_well(small, tmp_path):
    ran = small("capture", "plain/close", "--implementation", "tests:abrupt", *ONE, "-o", str(tmp_path / "x"))
    assert (ran.status, ran.err) == (1, "")
    assert "fail [notify-before-fin] line " in ran.out
    assert os.path.exists(tmp_path / "x")


def test_with(tool, tmp_path):
    ran = tool("capture", "tcp-state/inexact-rst-challenged", "--with", "nothing-like-it", "-o", str(tmp_path / "x"))
    assert ran.status == 2 and "it has:" in ran.err
    value = ran.err.split("it has: ")[1].split()[-1]
    ran = tool("capture", "tcp-state/inexact-rst-challenged", "--with", value, "--text", str(tmp_path / "x"))
    assert ran.status == 0, ran
    assert "=%s\n" % value in (tmp_path / "x").read_text()


@pytest.mark.parametrize("args, words", [
    ([], ["capture takes one THEME/CASE"]),
    (["plain/hello"], ["-o FILE.pcapng"]),
    (["plain/hello", "plain/cut", "-o", "x"], ["capture takes one THEME/CASE"]),
    (["plain/helo", "-o", "x"], ["did you mean plain/hello"]),
    (["plain/*", "-o", "x"], ["plain/*"]),
    (["hello", "-o", "x"], ["did you mean plain/hello"]),
    (["plain/hello", "-o"], ["usage:"]),
    (["plain/hello", "-o", "x", "--role", "peer"], ["--role"]),
    (["plain/hello", "-o", "x", "--tls", "1.1"], ["--tls"]),
    (["plain/hello", "-o", "x", "--io", "one"], ["--io"]),
    (["plain/hello", "-o", "x", "--with", "3"], ["plain/hello has no value 3; it has no line `with`"]),
    (["plain/hello", "-o", "x", "--with", "\x1b[2J"], ["\\x1b[2J"]),
    (["plain/hello", "-o", "x", "--implementation", "opnssl"], ["did you mean openssl"]),
])
def test_usage(small, tmp_path, args, words):
    ran = small("capture", *args, cwd=str(tmp_path))
    assert (ran.status, ran.out) == (2, "")
    for word in words:
        assert word in ran.err
    assert "\x1b" not in ran.err and not os.listdir(tmp_path)


def test_a_variant_that_it_has_not(tool, tmp_path):
    ran = tool("capture", "key-update/own-update-then-close", "--tls", "1.2", "-o", str(tmp_path / "x"))
    assert ran.status == 2 and "no such variant" in ran.err
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("option", ["-o", "--ladder", "--text"])
def test_a_full_disk(small, option):
    before = os.stat("/dev/full")
    ran = small("capture", "plain/hello", *ONE, option, "/dev/full")
    assert (ran.status, ran.out) == (3, "")
    assert ran.err == "closedrill: cannot write /dev/full: No space left on device\n"
    assert os.stat("/dev/full").st_rdev == before.st_rdev                           # still the device


def test_a_disk_that_fills(small, tmp_path):
    """What was there before is still there, and nothing else."""
    (tmp_path / "x").write_text("old")
    ran = small("capture", "plain/hello", *ONE, "-o", str(tmp_path / "x"),
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
    assert ran.status == 3 and "x" in ran.err, ran
    assert (tmp_path / "x").read_text() == "old"


@pytest.mark.parametrize("option", ["-o", "--ladder", "--text"])
def test_a_folder(small, tmp_path, option):
    (tmp_path / "dir").mkdir()
    ran = small("capture", "plain/hello", *ONE, option, str(tmp_path / "dir"))
    assert (ran.status, ran.out) == (3, "")
    assert ran.err == "closedrill: cannot write %s/dir: Is a directory\n" % tmp_path
    assert os.listdir(tmp_path) == ["dir"] and os.listdir(tmp_path / "dir") == []


def test_to_a_pipe(small):
    ran = small("capture", "plain/hello", *ONE, "--text", "/dev/stderr")
    assert ran.status == 0 and "line 7: " in ran.err


def test_runs_keep_a_ladder(small, out):
    small.results("openssl", "-c", "plain/*", *ONE, "--keep", "all", out=out, status=0)
    for case in "hello", "cut", "waits", "close", "many":
        root = ElementTree.parse(out / "openssl" / "plain" / case / "client-1.3-blocking.svg").getroot()
        assert root.get("class") == "ladder"
