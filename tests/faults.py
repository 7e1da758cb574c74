"""Do the checks catch what they are there for? Runs the reference with each of its faults through the catalogue and holds what was
found against tests/faults.expected.

A suite is as good as the faults that it catches. For each fault the file says which requirement has to be cited, and in which cases
the fault shows; it shows nowhere else. Each case (those about the host aside) and each requirement of level MUST is tripped by some fault.

    faults.py            compare, print the matrix, write BUILD/faults.json; status 1 if anything differs
    faults.py --again    the same with the results that lie in BUILD, without running
    faults.py --record   write what was seen to tests/faults.expected, to be read before it is committed
"""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("CLOSEDRILL_BUILD", os.path.join(HERE, "..", "build"))
EXPECTED = os.path.join(HERE, "faults.expected")
TOLD = ("fail", "warn")


def program(*args):
    return [os.path.join(BUILD, "closedrill"), *args]


def known_faults():
    out = subprocess.run([os.path.join(BUILD, "adapters", "reference"), "--faults"], capture_output=True, text=True, check=True).stdout
    return [line.split("\t")[0] for line in out.splitlines() if line]


def listing(what):
    return json.loads(subprocess.run(program("list", what, "--json"), capture_output=True, text=True, check=True).stdout)


# A read that spins is concluded after 0.4 s of processor time, and these show in hundreds of runs: a theme of each says the same. What the
# third does to TCP shows in cases about the host alone.
NARROWED = {"fin-ignored": "truncation", "read-spins": "nonblocking", "close-shuts-connection": "descriptor-sharing"}


def run(faults, name, *args):
    """The narrowed ones each by itself, the others together."""
    together = [f for f in faults if f not in NARROWED]
    by_fault = run_together(together, name, "--about", "library", *args) if together else {}
    for f in faults:
        if f in NARROWED:
            by_fault.update(run_together([f], name + "-" + f, "-c", NARROWED[f], "--role", "client", *args))
    return by_fault


def run_together(faults, name, *args):
    """Runs of the faulty references, by fault. A harness failure is no catch: it ends everything."""
    out = os.path.join(BUILD, name)
    names = ["reference --fault " + f for f in faults]
    if "--again" in sys.argv:
        return read_results(out, faults)
    done = subprocess.run(program("run", *names, "-o", out, "--keep", "none", "--expected", "none", "-q", *args), capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit("faults: the suite itself failed (status %d):\n%s%s" % (done.returncode, done.stdout, done.stderr))
    return read_results(out, faults)


def read_results(out, faults):
    by_fault = {f: [] for f in faults}
    with open(os.path.join(out, "results.json")) as file:
        for r in json.load(file)["runs"]:
            by_fault[r["implementation"].split(" --fault ")[1]].append(r)
    return by_fault


def catches(runs):
    """(case, requirement) of all that weighs; a fault may make other lines untestable, which catches nothing."""
    found = set()
    for r in runs:
        for f in r["findings"]:
            if f["requirement"] and f["weight"] in TOLD:
                found.add((r["case"], f["requirement"]))
    return found


def read_expected():
    """fault: requirement ... / case / case ..., in paragraphs."""
    expected, fault = {}, None
    if not os.path.exists(EXPECTED):
        return expected
    with open(EXPECTED) as file:
        for line in file:
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line.startswith(" "):
                fault, rules = line.split(":")
                expected[fault] = (set(rules.split()), set())
            else:
                expected[fault][1].add(line.strip())
    return expected


def record(seen, expected):
    with open(EXPECTED, "w") as file:
        file.write("# What each fault of the reference has to be told by: `fault: requirement ...` (at least one of them has to be cited,\n"
                   "# chosen by hand), and the cases in which it shows, recorded by `tests/faults.py --record`.\n")
        for fault in sorted(seen):
            rules = expected.get(fault, (set(), set()))[0] or {max(sorted({q for _, q in seen[fault]}), key=lambda q: sum(p == q for _, p in seen[fault]), default="")}
            file.write("\n%s: %s\n" % (fault, " ".join(sorted(rules))))
            for case in sorted({c for c, _ in seen[fault]}):
                file.write("  %s\n" % case)


def compare(seen, expected, problems):
    for fault in sorted(set(seen) | set(expected)):
        if fault not in seen:
            problems.append("%s: expected, but the reference does not know it" % fault)
            continue
        if fault not in expected:
            problems.append("%s: not in tests/faults.expected" % fault)
            continue
        rules, cases = expected[fault]
        shown = {c for c, _ in seen[fault]}
        if not seen[fault]:
            problems.append("%s: nothing catches it" % fault)
        elif not rules & {q for _, q in seen[fault]}:
            problems.append("%s: caught, but not by %s" % (fault, " or ".join(sorted(rules))))
        for case in sorted(cases - shown):
            problems.append("%s: does not show in %s any more" % (fault, case))
        for case in sorted(shown - cases):
            problems.append("%s: shows in %s, where it did not" % (fault, case))


def untripped(seen):
    caught = set().union(*seen.values()) if seen else set()
    cases = {c["case"] for c in listing("cases") if c["about"] != "host" and not c["api"]}
    own = {r["requirement"]: r for r in listing("requirements")}
    musts = {name for name, r in own.items() if "MUST" in r["level"].values() and (r["always"] or set(r["cases"]) & cases)}
    return sorted(cases - {c for c, _ in caught}), sorted(musts - {q for _, q in caught})


def main():
    faults = known_faults()
    seen = {f: catches(r) for f, r in run(faults, "faults-one", "--io", "one").items()}
    expected = read_expected()
    # Some faults live in one I/O mode only: those that nothing has told yet see all of them.
    rest = [f for f in faults if not seen[f] or expected.get(f, (set(), set()))[1] - {c for c, _ in seen[f]}]
    if rest:
        for fault, runs in run(rest, "faults-all").items():
            # One that one mode told shows in more cases in another; what is asked of those is only what is missing.
            asked = expected.get(fault, (set(), set()))[1] if seen[fault] else None
            seen[fault] |= {(c, q) for c, q in catches(runs) if asked is None or c in asked}
    cases, musts = untripped(seen)
    with open(os.path.join(BUILD, "faults.json"), "w") as file:
        json.dump({"faults": [{"name": f, "caught_by": [{"case": c, "requirement": q} for c, q in sorted(seen[f])]} for f in faults],
                   "untripped": {"cases": cases, "requirements": musts}}, file, indent=1)
    if "--record" in sys.argv:
        record(seen, expected)
        expected = read_expected()
    problems = ["case %s: no fault trips it" % c for c in cases] + ["requirement %s: no fault trips it" % q for q in musts]
    compare(seen, expected, problems)
    for fault in faults:
        rules = sorted({q for _, q in seen[fault]})
        print("%-34s %3d cases  %s" % (fault, len({c for c, _ in seen[fault]}), " ".join(rules)))
    for problem in problems:
        print("PROBLEM " + problem)
    print("%d faults, %d caught; %d problems" % (len(faults), sum(1 for f in faults if seen[f]), len(problems)))
    return 1 if problems else 0


sys.exit(main())
