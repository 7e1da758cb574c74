"""Verdicts and traces do not hang on when an adapter answers, on what its threads do beside, nor on how it reads: tests/adapters/restless.c is
preloaded into adapters and makes them hard to settle. What they do then is held against what they do without it."""

import json
import os
import subprocess

import pytest
from conftest import BUILD, ROOT

RESTLESS = os.path.join(BUILD, "tests", "restless.so")
BESIDE = ["-c", "orderly", "-c", "half-close", "-c", "nonblocking", "-c", "truncation", "-c", "reset", "-c", "coalesced/last-flight-and-notify",
          "-c", "middlebox/forged-fin*", "-c", "middlebox/black-hole*", "-c", "tcp-state/dead-peer-in-read", "-c", "tcp-state/both-fins-cross",
          "-c", "tcp-state/fin-overtakes-data"]

pytestmark = pytest.mark.skipif(not os.path.exists(RESTLESS), reason="not built: a program with sanitizers takes no preloaded library")


def differing(ran):
    assert ran.status in (0, 1), ran
    runs = json.loads(ran.out)["runs"]
    assert len(runs) > 500
    return [(r["case"], r["role"], r["tls"], r["io"], r["verdict"], r.get("reason"), r.get("diff")) for r in runs if r["expected"] != "same"]


@pytest.mark.parametrize("name", ["reference", "openssl"])
def test_a_restless_adapter_does_the_same(tool, tmp_path, name):
    recorded = tool("record", name, "--into", str(tmp_path), "--inconclusive", "-j4", *BESIDE)
    assert recorded.status == 0, recorded
    restless = "/usr/bin/env LD_PRELOAD=%s %s" % (RESTLESS, os.path.join(tool.build, "adapters", name))
    assert differing(tool("run", restless, "--expected", str(tmp_path), "--format", "json", "-j16", *BESIDE)) == []


def test_it_is_restless(tmp_path):
    """What the test above rests on: the library naps, bites and has its threads."""
    program = "import os, socket, time; a, b = socket.socketpair(); " \
              "c = socket.create_server(('127.0.0.1', 0)); d = socket.create_connection(c.getsockname()); e, _ = c.accept(); e.sendall(b'x' * 10000); " \
              "print(len(os.listdir('/proc/self/task')), sum(len(d.recv(1000)) < 1000 for _ in range(5)))"
    out = subprocess.run(["/usr/bin/python3", "-c", program], env=dict(os.environ, LD_PRELOAD=RESTLESS), capture_output=True, text=True, check=True).stdout
    threads, bitten = map(int, out.split())
    assert threads >= 5 and bitten >= 1
