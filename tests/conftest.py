"""What the end-to-end tests share. They drive the built program as its users do: /usr/bin/python3 -m pytest tests
CLOSEDRILL_BUILD names the build folder (default: build); CLOSEDRILL_SLOW=1 adds the tests that have to wait for a watchdog."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import namedtuple

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("CLOSEDRILL_BUILD", os.path.join(ROOT, "build")))
CASES = next(c for c in (os.path.join(BUILD, up, "cases") for up in ("..", "../..", "../share/closedrill")) if os.path.isdir(c))
CONTRACT = os.path.join(os.path.dirname(CASES), "adapters", "contract")
ADAPTERS = os.path.join(ROOT, "tests", "adapters")
WATCHDOG = 600     # only ends a wait that has failed; a machine under load takes its time
NOBODY = 65534
ADAPTER_NAMES = sorted(n[:-3] for n in os.listdir(ADAPTERS) if n.endswith(".py") and n != "iut.py")

Ran = namedtuple("Ran", "status out err")

# Cases of the tests' own: so what they expect does not hang on what the suite's cases are called today.
OWN_CASES = {
    "plain/hello": """
# The peer says one thing and ends well;
# the end is seen as what it is.

title  data and a whole end

handshake
peer  write "hello"
iut   read    -> data "hello"
peer  close_notify
iut   read    -> closed         [end-reported]
iut   close
wire  iut     -> close_notify fin
""",
    "plain/cut": """
# The peer's FIN comes where its close_notify should be.
# Whoever sees no difference can be cut short.

title  FIN in place of close_notify

handshake
peer  write "hello"
iut   read    -> data "hello"
peer  fin
iut   read    -> truncated      [truncation-visible]
iut   close
wire  iut     -> (close_notify | alert)? (fin | rst)
""",
    "plain/waits": """
# Nothing comes, so the read cannot end;
# then something does.

title  a read that has to wait

handshake
iut   read    -> blocked        [waiting-is-no-error]
peer  write "hello"
iut   await   -> data "hello"
iut   close
wire  iut     -> close_notify fin
""",
    "plain/close": """
# Nothing but a close;
# no read at all.

title  closing at once

handshake
iut   close
wire  iut     -> close_notify fin
""",
    "plain/many": """
# More than one read can take;
# every byte counts.

title  many reads

handshake
peer  write 100000
peer  close_notify
iut   read*   -> data 100000 closed     [data-intact]
iut   close
wire  iut     -> close_notify fin
""",
}


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: waits for a watchdog; only with CLOSEDRILL_SLOW=1")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("slow") and not os.environ.get("CLOSEDRILL_SLOW"):
            item.add_marker(pytest.mark.skip(reason="slow: CLOSEDRILL_SLOW=1 runs it"))


def wait_for(what, condition, seconds=20):
    """Polls until the condition is true, and gives its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("still not so after %d s: %s" % (seconds, what))


def marked_processes(marker):
    """Living processes with the marker in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as f:
                environ = f.read()
            with open("/proc/%s/stat" % pid) as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if marker.encode() in environ and state != "Z":
            found.append(int(pid))
    return found


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, f), folder) for at, _, names in os.walk(folder) for f in names)


def runs_of(results, *keys):
    """One tuple for each run: enough to tell it from the others, and the fields asked for."""
    return [tuple(r[k] for k in ("implementation", "case", "role", "tls", "io", "with") + keys) for r in results["runs"]]


class Tool:
    """A built closedrill, with the adapters of the tests beside it."""

    def __init__(self, build, tests):
        self.build, self.tests = build, tests
        self.path = os.path.join(build, "closedrill")

    def command(self, *args):
        """The words of a command line; "tests:NAME ..." is an adapter of the tests."""
        return [self.path] + [self.adapter(a[6:]) if a.startswith("tests:") else a for a in args]

    def adapter(self, words):
        name, *rest = words.split()
        return " ".join([os.path.join(self.tests, name + ".py")] + rest)

    def start(self, *args, env=None, user=None, **kw):
        words = self.command(*args)
        if user is not None and os.geteuid() == 0:
            words = ["setpriv", "--reuid=%d" % user, "--regid=%d" % user, "--clear-groups"] + words
        kw = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": self.build, "text": True, "errors": "backslashreplace", **kw}
        return subprocess.Popen(words, env=dict(os.environ, LC_ALL="C", PYTHONDONTWRITEBYTECODE="1", **(env or {})), **kw)

    def __call__(self, *args, **kw):
        with self.start(*args, **kw) as p:
            try:
                out, err = p.communicate(timeout=WATCHDOG)
            except subprocess.TimeoutExpired:
                p.send_signal(signal.SIGKILL)
                raise
        return Ran(p.returncode, out, err)

    def results(self, *args, out, status=None, **kw):
        """Runs with -o, and gives what results.json holds. The command's own outcome goes to `ran` of it."""
        ran = self("run", *args, "-o", str(out), **kw)
        if status is not None:
            assert ran.status == status, ran
        results = load_results(out)
        results["ran"] = ran
        return results


def load_results(folder):
    with open(os.path.join(folder, "results.json")) as f:
        return json.load(f)


@pytest.fixture(scope="session")
def tool():
    """The program as it was built, with the suite's own cases."""
    assert os.access(os.path.join(BUILD, "closedrill"), os.X_OK), "build it first: make"
    return Tool(BUILD, ADAPTERS)


def make_tree(cases):
    """A copy of the program that everyone may read, with the cases given: {name: text}, or a folder to copy. Nothing is expected there."""
    top = tempfile.mkdtemp(prefix="closedrill-test-")
    os.chmod(top, 0o755)
    os.mkdir(os.path.join(top, "build"))
    shutil.copy(os.path.join(BUILD, "closedrill"), os.path.join(top, "build"))
    shutil.copytree(os.path.join(BUILD, "adapters"), os.path.join(top, "build", "adapters"), ignore=lambda at, names: [
        n for n in names if not os.path.isfile(os.path.join(at, n)) or not os.access(os.path.join(at, n), os.X_OK)])
    shutil.copytree(ADAPTERS, os.path.join(top, "adapters"), ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(CONTRACT, os.path.join(top, "adapters", "contract"))
    if isinstance(cases, str):
        shutil.copytree(cases, os.path.join(top, "cases"))
    else:
        for name, text in cases.items():
            path = os.path.join(top, "cases", name + ".case")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text.lstrip("\n"))
        shutil.copy(os.path.join(CASES, "requirements"), os.path.join(top, "cases"))
    subprocess.run(["chmod", "-R", "a+rX", top], check=True)
    return top


@pytest.fixture(scope="session")
def small():
    """The program with the tests' own cases."""
    top = make_tree(OWN_CASES)
    yield Tool(os.path.join(top, "build"), os.path.join(top, "adapters"))
    shutil.rmtree(top)


@pytest.fixture(scope="session")
def public():
    """The program with the suite's cases, readable for everyone."""
    top = make_tree(CASES)
    yield Tool(os.path.join(top, "build"), os.path.join(top, "adapters"))
    shutil.rmtree(top)


@pytest.fixture(scope="session")
def built(tool):
    """The names of the adapters that this machine has the libraries of."""
    listed = json.loads(tool("list", "implementations", "--json").out)
    return [i["implementation"] for i in listed if i["library"]]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def open_dir():
    """A folder that every user may write to."""
    with tempfile.TemporaryDirectory(prefix="closedrill-test-") as d:
        os.chmod(d, 0o777)
        yield d


@pytest.fixture
def ordinary_user():
    """The user that a test runs things as: not root."""
    return NOBODY if os.geteuid() == 0 else os.geteuid()
