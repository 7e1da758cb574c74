"""The cases as files: each can be meant, says in prose what is at stake, and the language is described as it is."""

import json
import os
import re
from collections import Counter

import pytest

from conftest import CASES

FILES = sorted(os.path.join(at, f) for at, _, names in os.walk(CASES) for f in names if f.endswith(".case"))


def read(path):
    with open(path) as f:
        return f.read()


def name_of(path):
    return os.path.relpath(path, CASES)[:-5]


def prose_of(text):
    """The comment on top of a file."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:].strip())
    return [line for line in lines if line]


def test_there_are_cases():
    assert len(FILES) > 100


def test_all_pass_the_check(tool):
    ran = tool("check", *FILES)
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_places():
    """Every case lies in a theme, and nothing else does."""
    for at, folders, names in os.walk(CASES):
        depth = len(os.path.relpath(at, CASES).split(os.sep)) if at != CASES else 0
        for n in names:
            if depth == 0:
                assert n in ("README.md", "requirements"), n
            else:
                assert depth == 1 and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.case", n), os.path.join(at, n)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_prose(path):
    prose = prose_of(read(path))
    assert len(prose) >= 2
    assert all(len(line) <= 120 for line in prose)


def test_titles_differ(tool):
    cases = json.loads(tool("list", "cases", "--json").out)
    titles = Counter(c["title"] for c in cases)
    assert [t for t, n in titles.items() if n > 1] == []


def test_list_is_complete(tool):
    cases = json.loads(tool("list", "cases", "--json").out)
    assert sorted(c["case"] for c in cases) == sorted(map(name_of, FILES))


# ---- Requirements ----

def test_requirements_have_cases(tool):
    """Those without are listed, and they are the ones that no file names."""
    named = {r for path in FILES for r in re.findall(r"\[([a-z0-9-]+)\]", read(path))}
    everything = json.loads(tool("list", "requirements", "--json").out)
    uncovered = tool("list", "requirements", "--json", "--uncovered")
    assert uncovered.status == 0
    missing = {r["requirement"] for r in json.loads(uncovered.out)}
    implied = {"data-intact", "nothing-else"}
    for r in everything:
        covered = r["always"] or r["requirement"] in named | implied
        assert (r["requirement"] in missing) == (not covered), r["requirement"]
    assert tool("list", "requirements", "--uncovered").status == 0


def test_requirements_name_their_cases(tool):
    texts = {name_of(path): read(path) for path in FILES}
    for r in json.loads(tool("list", "requirements", "--json").out):
        for case in r["cases"]:
            if r["requirement"] not in ("data-intact", "nothing-else"):
                assert "[%s]" % r["requirement"] in texts[case], (case, r["requirement"])


# ---- The description ----

README = read(os.path.join(CASES, "README.md"))


def told_steps(tool):
    """{actor: the words that `closedrill steps` prints}"""
    told = {"": set()}
    ran = tool("steps")
    assert ran.status == 0 and ran.err == ""
    for line in filter(None, ran.out.splitlines()):
        if not line.endswith(":"):
            told.setdefault(line[:6].strip(), set()).add(line[6:22].strip())
    return told


def table_below(heading):
    """The words in the first column of the table behind this text; words after the first that are arguments are left out."""
    rows = re.search(r"\n\|[^\n]*\n\|---[^\n]*\n((?:\|[^\n]*\n)+)", README[README.index(heading):])[1].splitlines()
    cells = [re.split(r"(?<!\\)\|", row)[1] for row in rows]
    return [spell.replace("\\|", "|") for cell in cells for spell in re.findall(r"`([^`]+)`", cell)]


def without_arguments(spell):
    """Words up to the first argument: one in capitals, quotes or brackets."""
    return re.split(r' (?=[A-Z"\[])', spell)[0].strip()


def test_peer_table(tool):
    assert {without_arguments(s) for s in table_below("**peer** steps")} == told_steps(tool)["peer"]


def test_iut_table(tool):
    assert {without_arguments(s) for s in table_below("**iut** steps")} == told_steps(tool)["iut"]


@pytest.mark.parametrize("actor", ["fd", "path"])
def test_fd_and_path(tool, actor):
    named = set()
    for spell in table_below("**%s** steps" % actor):
        head, _, choice = without_arguments(spell).replace(" to iut", "").rpartition(" ")
        named |= {(head + " " + c).strip() for c in choice.split("|")}
    told = told_steps(tool)[actor]
    assert {t for t in told if not any(covers({t}, n) for n in named)} == set()


def covers(told, words):
    """"icmp host-unreachable to iut" is `icmp`: an argument need not be in capitals."""
    return any(words == t or words.startswith(t + " ") for t in told)


def test_modifiers(tool):
    text = re.search(r"\nModifiers follow[^\n]*", README)[0]
    named = {without_arguments(s).split(" ")[0] for s in re.findall(r"`([^`]+)`", text)}
    assert named == told_steps(tool)[""]


CALLS = {"ok": 'write "x"', "sent": "shutdown write", "complete": "shutdown both"}


def test_outcomes(small, tmp_path):
    """Every outcome of the table can stand in a case."""
    for spell in table_below("A call that cannot finish is"):
        outcome = spell.replace('"text"|N', '"x"').replace("NAME", "internal_error")
        path = tmp_path / "one.case"
        path.write_text("# One outcome\n# of the table.\n\ntitle one\nio nonblocking\n\nhandshake\niut %s -> %s [data-intact]\niut close\nwire iut -> nothing\n" % (CALLS.get(outcome, "read"), outcome))
        ran = small("check", str(path))
        assert (ran.status, ran.err) == (0, ""), outcome


def test_header_lines(small, tmp_path):
    """Every line of the header's table can stand in a case."""
    words = {"TEXT": "something", "client|server": "client", "1.2|1.3": "1.3", "blocking|nonblocking|memory ...": "blocking memory",
             "WORD ...": "resumption", "NAME": "quiet", "KEY VALUE": "tcp_fin_timeout 1", "K in V ...": "K in 1 2 3",
             "REQUIREMENT REASON": "notify-once because it is so"}
    spells = table_below("## Header")
    assert len(spells) >= 10
    for spell in spells:
        head, _, rest = spell.partition(" ")
        line = "%s %s" % (head, words.get(rest, rest))
        path = tmp_path / "one.case"
        title = "" if head == "title" else "title one\n"
        path.write_text("# One line\n# of the header.\n\n%s%s\n\nhandshake\niut read %s-> closed [end-reported]\niut close\nwire iut -> nothing\n" %
                        (title, line, "$K " if head == "with" else ""))
        ran = small("check", str(path))
        assert (ran.status, ran.err) == (0, ""), line


def test_example_in_the_description(small, tmp_path):
    """The case that the page shows first is one."""
    example = re.search(r"\n\n((?:    [^\n]*\n|\n)+)", README[README.index("`closedrill show THEME/NAME`"):])[1]
    path = tmp_path / "example.case"
    path.write_text("".join(line[4:] if line.startswith("    ") else line for line in example.splitlines(True)))
    assert "title" in path.read_text()
    ran = small("check", str(path))
    assert (ran.status, ran.err) == (0, "")


def test_index(tool):
    """The index in cases/README.md is what the program lists; `make docs` writes it."""
    ran = tool("list", "cases", "--index")
    assert ran.status == 0
    assert read(os.path.join(CASES, "README.md")).split("## The cases\n\n", 1)[1] == ran.out
