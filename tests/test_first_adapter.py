"""What adapters/README.md and README.md tell whoever brings a library: the commands of the page make an adapter out of the skeleton's first
one, and one that is built with a library from another place, or run with it, loads that."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT

MAKE_WATCHDOG = 300


def block_of(page, heading):
    """The first indented block below a heading, as a shell script."""
    with open(os.path.join(ROOT, page)) as f:
        below = f.read().split("\n" + heading + "\n", 1)[1]
    return re.search(r"(?:^    .*\n)+", below, re.M)[0]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what an adapter is built from, with closedrill built."""
    top = str(tmp_path_factory.mktemp("sources"))
    for folder in "adapters", "peer", "runner", "cases", "tests":
        shutil.copytree(os.path.join(ROOT, folder), os.path.join(top, folder), ignore=shutil.ignore_patterns("__pycache__"))
    for name in "Makefile", "setup.sh":
        shutil.copy(os.path.join(ROOT, name), top)
    os.mkdir(os.path.join(top, "build"))
    shutil.copy(os.path.join(BUILD, "closedrill"), os.path.join(top, "build"))
    return top


def run_in(top, script, **env):
    # Flags of a make around us would be those of the one that is run here.
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SAN", "B", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH")}
    ran = subprocess.run(["sh", "-exc", script], cwd=top, env=dict(clean, **env), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=MAKE_WATCHDOG)
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_from_nothing_to_a_run(sources):
    said = run_in(sources, block_of("adapters/README.md", "## Writing one"))
    passed = re.findall(r"^\d+ runs in \S+ s: (\d+) pass.*$", said, re.M)
    assert len(passed) == 2, said       # of check-adapter and of run
    assert all(int(n) > 20 for n in passed), said
    assert " broken" not in said and "inconclusive" not in said and "warning:" not in said, said


@pytest.fixture(scope="module")
def other_openssl(tmp_path_factory):
    """The installed OpenSSL in a prefix of its own, as `make install_sw` leaves one; it calls itself 3.0.98, say."""
    prefix = str(tmp_path_factory.mktemp("prefix"))
    version, libdir = (subprocess.run(["pkg-config", word, "openssl"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
                       for word in ("--modversion", "--variable=libdir"))
    other = re.sub(r"\d\d?$", lambda m: "98" if len(m[0]) == 2 else "8", version)
    assert other != version
    os.makedirs(os.path.join(prefix, "lib", "pkgconfig"))
    for name in os.listdir(libdir):
        if re.match(r"lib(ssl|crypto)\.so", name):
            with open(os.path.join(libdir, name), "rb") as f, open(os.path.join(prefix, "lib", name), "wb") as to:
                to.write(f.read().replace(version.encode(), other.encode()))
    with open(os.path.join(prefix, "lib", "pkgconfig", "openssl.pc"), "w") as f:
        f.write("libdir=%s/lib\nName: OpenSSL\nDescription: in another place\nVersion: %s\nLibs: -L${libdir} -lssl -lcrypto\n" % (prefix, other))
    return prefix, other


def library_of(top, command):
    """What an adapter says of its library at its start."""
    ran = subprocess.run(command.split(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=top, check=True)
    return ran.stdout.splitlines()[0]


def results_of(top, command):
    """Runs a theme with that adapter: what it printed, and the libraries that results.json names."""
    return run_in(top, "build/closedrill run '%s' --expected none -c orderly -o out || [ $? -eq 1 ]; "
                       "grep -o '\"library\":[^,]*' out/results.json | sort -u; rm -r out" % command)


def test_built_with_a_library_in_another_place(sources, other_openssl):
    prefix, other = other_openssl
    run_in(sources, "make B=build/mine build/mine/adapters/openssl", PKG_CONFIG_PATH=os.path.join(prefix, "lib", "pkgconfig"))
    assert prefix + "/lib/libssl" in run_in(sources, "ldd build/mine/adapters/openssl")
    assert library_of(sources, "build/mine/adapters/openssl") == "library OpenSSL " + other
    said = results_of(sources, "./build/mine/adapters/openssl")
    assert "OpenSSL " + other in said and " broken" not in said, said


def test_run_with_a_library_in_another_place(sources, other_openssl):
    prefix, other = other_openssl
    adapter = os.path.join(BUILD, "adapters", "openssl")
    assert library_of(sources, adapter) != "library OpenSSL " + other
    with_it = "/usr/bin/env LD_LIBRARY_PATH=%s/lib %s" % (prefix, adapter)
    assert library_of(sources, with_it) == "library OpenSSL " + other
    said = results_of(sources, with_it)
    assert "OpenSSL " + other in said and " broken" not in said, said
