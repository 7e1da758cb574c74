"""Adapters in the root of another system, and several implementations of one session, of which one cannot be had."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from conftest import BUILD

IN_ROOT = "usr/local/lib/closedrill/adapters"


@pytest.fixture(scope="module")
def root():
    """A small system that everyone may read: an adapter, the libraries that it loads, and nothing else."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="closedrill-root-"))
    os.chmod(top, 0o755)
    adapter = os.path.join(BUILD, "adapters", "openssl")
    listed = subprocess.run(["ldd", adapter], capture_output=True, text=True, check=True).stdout
    files = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    assert files
    for path in files:
        to = top / path.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), to)
    for folder in ("proc", "dev", IN_ROOT):
        (top / folder).mkdir(parents=True)
    shutil.copy(adapter, top / IN_ROOT)
    yield top
    shutil.rmtree(top)


def mounts_below(folder):
    with open("/proc/self/mounts") as f:
        return [line for line in f if str(folder) in line]


def test_root(small, root, out):
    results = small.results("--root", str(root), "openssl", "-c", "plain/hello", out=out, status=0)
    assert {r["implementation"] for r in results["runs"]} == {"openssl-3.0"}
    assert {r["verdict"] for r in results["runs"]} == {"pass"}
    assert len(results["runs"]) == 12
    assert mounts_below(root) == [] and os.listdir(root / "proc") == []


def test_root_as_an_ordinary_user(small, root, open_dir, ordinary_user):
    results = small.results("--root", str(root), "openssl", "-c", "plain/hello", out=os.path.join(open_dir, "out"), status=0, user=ordinary_user)
    assert {r["verdict"] for r in results["runs"]} == {"pass"}


def test_root_holds_for_the_names_behind_it(small, root, out):
    results = small.results("openssl", "--root", str(root), "openssl", "-c", "plain/hello", "--io", "memory", out=out, status=0)
    assert [r["implementation"] for r in results["runs"]] == 4 * ["openssl"] + 4 * ["openssl-3.0"]


def test_same_names_are_told_apart(small, out):
    results = small.results("openssl", "openssl", "openssl", "openssl", "-c", "plain/hello", "--role", "client", "--tls", "1.3", "--io", "memory", out=out, status=0)
    names = [r["implementation"] for r in results["runs"]]
    assert names[:2] == ["openssl", "openssl-3.0"] and names[2].startswith("openssl-3.0.") and names[3] == names[2] + "-2"


@pytest.mark.parametrize("folder, words", [
    (None, ["there is no implementation", "openssl"]),
    ("no adapters", ["there is no implementation", "openssl"]),
    ("no proc", ["cannot enter the root", "No such file"]),
    ("no libraries", ["cannot run", "in the root", "No such file"]),
])
def test_root_that_is_none(small, tmp_path, folder, words):
    if folder:
        tmp_path.joinpath(IN_ROOT).mkdir(parents=True)
    if folder in ("no proc", "no libraries"):
        shutil.copy(os.path.join(BUILD, "adapters", "openssl"), tmp_path / IN_ROOT)
    if folder == "no libraries":
        (tmp_path / "proc").mkdir()
        (tmp_path / "dev").mkdir()
    ran = small("run", "--root", str(tmp_path if folder else tmp_path / "none"), "openssl", "-c", "plain/hello")
    assert ran.status in (2, 3)
    for word in words:
        assert word in ran.err


def test_one_that_cannot_be_had_costs_no_other_its_run(small, out):
    """It has a line for each case, so that no table has a gap, and none of them is a verdict about the library."""
    results = small.results("openssl", "tests:dying", "openssl", "-c", "plain", "-j2", out=out, status=3)
    dying = [r for r in results["runs"] if r["implementation"] == "dying.py"]
    assert {r["verdict"] for r in dying} == {"broken"}
    assert all("no licence for this library" in r["reason"] for r in dying)
    cases = {r["case"] for r in results["runs"] if r["implementation"] == "openssl"}
    assert len(dying) == len(cases) and {r["case"] for r in dying} == cases
    assert {r["verdict"] for r in results["runs"] if r["implementation"] != "dying.py"} == {"pass"}


def test_called_by_a_name(small, root, out):
    results = small.results("--root", str(root), "--as", "mine-3", "openssl", "openssl", "-c", "plain/hello", "--io", "memory", out=out, status=0)
    assert [r["implementation"] for r in results["runs"]] == 4 * ["mine-3"] + 4 * ["openssl-3.0"]


@pytest.mark.parametrize("name", ["", "a/b", "..", "-o", "a b"])
def test_called_by_what_is_no_name(small, name):
    ran = small("run", "--as", name, "openssl", "-c", "plain/hello")
    assert ran.status == 2 and "--as takes a name" in ran.err
