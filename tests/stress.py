"""Does a verdict move with the machine's load? Records what the reference and OpenSSL do while the machine is at rest, then plays the same
again and again on one that is not: twice as many busy processes as cores, a process that takes memory and touches it, from 1 to 32 workers,
and workers, adapters, tcpdump and the runner stopped and continued at random. Every run has to end as the first one did: the same verdict,
the same findings, the same trace. One that does not is printed, with what changed.

    stress.py                       2,000 runs of cases chosen at random, in less than a minute; the seed is printed
    STRESS_RUNS=100000 stress.py    the whole catalogue, so many runs
    STRESS_SEED=N                   the same choice and the same order again
    STRESS_SECONDS=N                begins no further round after so many seconds
    STRESS_CASES="reset nonblocking/*"          these cases, not a choice
    STRESS_ADAPTERS="go jsse-socket"            instead of reference and openssl

Status 1 when any run differed. What differed lies in BUILD/stress/differing.json, the recorded traces in BUILD/stress/first."""

import ctypes
import json
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("CLOSEDRILL_BUILD", os.path.join(HERE, "..", "build")))
TOOL = os.path.join(BUILD, "closedrill")
OUT = os.path.join(BUILD, "stress")
FIRST = os.path.join(OUT, "first")

RUNS = int(os.environ.get("STRESS_RUNS", "2000"))
SEED = int(os.environ.get("STRESS_SEED", random.SystemRandom().randrange(1 << 32)))
SECONDS = float(os.environ.get("STRESS_SECONDS", "inf"))
ADAPTERS = os.environ.get("STRESS_ADAPTERS", "reference openssl").split()
WORKERS = [32, 8, 2, 16, 4] if RUNS <= 2000 else [32, 8, 2, 16, 4, 1]        # in turn
RUNS_A_CASE = 26                        # about: both implementations, all variants
RUNS_A_ROUND = 350 if RUNS <= 20000 else 2500
WHOLE = 20000                           # from so many runs on the whole catalogue is played

STOP_MS = 300                           # a stop lasts at most so long
STOPS_A_SECOND = 40
RUNNER_SHARE = 0.1                      # of the choices that have the runner among them
STOPPED_AT_ONCE = 4                     # at most one of so many processes is stopped at a time

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def hurry():
    """Who deals the stops is not to be held up by the load; where that is not permitted there are fewer of them."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except PermissionError:
        pass


def as_usual():
    die_with_parent()
    if os.getpriority(os.PRIO_PROCESS, 0) < 0:
        os.setpriority(os.PRIO_PROCESS, 0, 0)


# ---- The load ----

def memory(key):
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":")) * 1024


def hog(size):
    """Touches every page of it, gives half of them back, and begins anew."""
    page = mmap.PAGESIZE
    m = mmap.mmap(-1, size)
    while True:
        for at in range(0, size, 1 << 24):
            part = min(1 << 24, size - at)
            m[at:at + part:page] = b"x" * (-(-part // page))
        m.madvise(mmap.MADV_DONTNEED, 0, size // 2 // page * page)


def spin():
    while True:
        pass


def forked(act, *args):
    pid = os.fork()
    if pid == 0:
        try:
            as_usual()
            act(*args)
        finally:
            os._exit(1)
    return pid


class Load:
    """Busy processes and one that takes memory."""

    def __enter__(self):
        self.busy = 2 * os.cpu_count()
        self.bytes = min(memory("MemTotal") // 4, memory("MemAvailable") // 2)
        self.pids = [forked(spin) for _ in range(self.busy)] + [forked(hog, self.bytes)]
        return self

    def __exit__(self, *why):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


# ---- Stops ----

def children(pid):
    found = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                found += [int(p) for p in f.read().split()]
    except OSError:
        pass
    return found


def descendants(pid):
    """All below it, and itself."""
    found, new = [], [pid]
    while new:
        found += new
        new = [c for p in new for c in children(p)]
    return found


def kind_of(pid, root):
    try:
        with open("/proc/%d/comm" % pid) as f:
            comm = f.read().strip()
    except OSError:
        return None
    if pid == root:
        return "runner"
    return {"closedrill": "worker", "tcpdump": "tcpdump"}.get(comm, "adapter")


class Stopper(threading.Thread):
    """Stops processes of a session and continues them, until the session is over. Holds them by descriptor: a number may be another's by then."""

    def __init__(self, root, dealt, chance):
        super().__init__(daemon=True)
        self.root, self.dealt, self.chance = root, dealt, chance
        self.over = threading.Event()
        self.stopped = []               # (when to continue, descriptor)

    def choose(self, pids):
        """Each kind as often as any other, but for the runner: nothing of a run hangs on it but the way of its result."""
        kinds = {}
        for pid in pids:
            kinds.setdefault(kind_of(pid, self.root), []).append(pid)
        kinds.pop(None, None)
        if not kinds.get("worker") or self.chance.random() > RUNNER_SHARE:
            kinds.pop("runner", None)
        return self.chance.choice(kinds[self.chance.choice(sorted(kinds))]) if kinds else None

    def stop_one(self, pids):
        pid = self.choose(pids)
        if not pid:
            return
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            return
        kind = kind_of(pid, self.root)
        if not kind or (pid != self.root and pid not in descendants(self.root)):
            os.close(fd)
            return
        signal.pidfd_send_signal(fd, signal.SIGSTOP)
        self.dealt[kind] = self.dealt.get(kind, 0) + 1
        self.stopped.append((time.monotonic() + self.chance.uniform(0.001, STOP_MS / 1000), fd))

    def continue_due(self, now):
        for until, fd in [s for s in self.stopped if s[0] <= now]:
            try:
                signal.pidfd_send_signal(fd, signal.SIGCONT)
            except ProcessLookupError:
                pass
            os.close(fd)
            self.stopped.remove((until, fd))

    def run(self):
        pids = []
        while not self.over.wait(self.chance.uniform(0, 2 / STOPS_A_SECOND)):
            self.continue_due(time.monotonic())
            pids = descendants(self.root)
            if len(self.stopped) * STOPPED_AT_ONCE < len(pids) and self.chance.random() * STOPS_A_SECOND < len(pids):
                try:
                    self.stop_one(pids)
                except ProcessLookupError:
                    pass
        self.continue_due(float("inf"))


# ---- Sessions ----

def closedrill(*args):
    return [TOOL, *args]


def started(*args):
    return subprocess.Popen(closedrill(*args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            errors="backslashreplace", preexec_fn=as_usual)


def selectors(cases):
    return [word for c in cases for word in ("-c", c)]


def record(cases):
    """At rest: twice, and the same both times."""
    shutil.rmtree(FIRST, ignore_errors=True)
    os.makedirs(FIRST)
    for name in ADAPTERS:
        with started("record", name, "--into", FIRST, "--inconclusive", "-q", *selectors(cases)) as p:
            out, err = p.communicate()
        if p.returncode:
            sys.exit("stress: what %s does at rest could not be recorded (status %d):\n%s%s" % (name, p.returncode, out, err))


def session(args, dealt, chance):
    """The runs of one session, stopped now and then."""
    with started("run", *ADAPTERS, "--expected", FIRST, "--format", "json", *args) as p:
        stopper = Stopper(p.pid, dealt, random.Random(chance.random()))
        stopper.start()
        try:
            out, err = p.communicate()
        finally:
            stopper.over.set()
            stopper.join()
    try:
        return json.loads(out)["runs"]
    except ValueError:
        sys.exit("stress: a session failed (status %d):\n%s%s" % (p.returncode, out[:2000], err))


# ---- What differs ----

# Not what was observed: how many bytes had room is another number every time, and the comparison of the traces knows where.
FINDING = ("requirement", "weight", "line")


def name_of(run):
    return tuple(run[k] for k in ("implementation", "case", "role", "tls", "io", "with"))


def outcome_of(run):
    return (run["verdict"], run.get("reading"), [tuple(f[k] for k in FINDING) for f in run["findings"]])


class Judge:
    def __init__(self):
        self.first, self.differing = {}, []

    def differs(self, run):
        outcome = outcome_of(run)
        first = self.first.setdefault(name_of(run), outcome)
        return run["expected"] != "same" or outcome != first

    def take(self, run, where):
        if not self.differs(run):
            return
        first = self.first[name_of(run)]
        self.differing.append(dict(run, where=where, first=first))
        print("\nDIFFERS  %s %s %s %s %s%s   (%s)" % (*name_of(run)[:5], " with " + run["with"] if run["with"] else "", where))
        print("  verdict  %s, first %s%s" % (run["verdict"], first[0], ": " + run["reason"] if "reason" in run else ""))
        for f in run["findings"]:
            print("  finding  [%s] line %d: %s; observed: %s" % (f["requirement"], f["line"], f["weight"], f["observed"]))
        for line in run.get("diff", "").splitlines():
            print("    " + line)
        sys.stdout.flush()


# ---- The whole ----

def choice(chance):
    if "STRESS_CASES" in os.environ:
        return os.environ["STRESS_CASES"].split()
    if RUNS >= WHOLE:
        return []
    listed = json.loads(subprocess.run(closedrill("list", "--json"), capture_output=True, text=True, check=True).stdout)
    return chance.sample([c["case"] for c in listed], max(1, min(RUNS // 100, 60, len(listed))))


def planned():
    """About how many runs a session has without a shard."""
    traces = sum(n.endswith(".trace") for _, _, names in os.walk(FIRST) for n in names)
    return traces * RUNS_A_CASE // 2


def stops_text(dealt):
    return "%d stops (%s)" % (sum(dealt.values()), ", ".join("%s %d" % k for k in sorted(dealt.items())) or "none")


def rounds(judge, cases, chance, dealt):
    """Until there were enough runs; gives how many."""
    began, done, at = time.monotonic(), 0, 0
    shards = max(1, round(planned() / RUNS_A_ROUND))
    while done < RUNS and time.monotonic() - began < SECONDS:
        workers = WORKERS[at % len(WORKERS)]
        if at % shards == 0:
            order = chance.sample(range(1, shards + 1), shards)
        shard = "%d/%d" % (order[at % shards], shards)
        runs = session(["-j", str(workers), "--shard", shard, *selectors(cases)], dealt, chance)
        for run in runs:
            judge.take(run, "round %d, -j %d, shard %s" % (at + 1, workers, shard))
        done += len(runs)
        at += 1
        print("round %-3d -j %-3d %6d of %d runs  %5.0f s  %s  %d differed" % (
            at, workers, done, RUNS, time.monotonic() - began, stops_text(dealt), len(judge.differing)))
        sys.stdout.flush()
    return done, time.monotonic() - began


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hurry()
    chance = random.Random(SEED)
    judge, dealt = Judge(), {}
    os.makedirs(OUT, exist_ok=True)
    cases = choice(chance)
    print("STRESS_SEED=%d, %s of %s" % (SEED, "%d selections" % len(cases) if cases else "all cases", ", ".join(ADAPTERS)))
    sys.stdout.flush()
    record(cases)
    with Load() as load:
        print("%d cores, %d busy processes, %d MiB taken" % (os.cpu_count(), load.busy, load.bytes >> 20))
        sys.stdout.flush()
        done, seconds = rounds(judge, cases, chance, dealt)
    with open(os.path.join(OUT, "differing.json"), "w") as f:
        json.dump(judge.differing, f, indent=1)
    print("stress: %d runs in %.0f s, %s: %d differed from the first (STRESS_SEED=%d)" % (done, seconds, stops_text(dealt), len(judge.differing), SEED))
    sys.exit(1 if judge.differing or not done else 0)


if __name__ == "__main__":
    main()
