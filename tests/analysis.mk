# What looks at the code and not at what it does: included by the Makefile, which defines OUT, DEFS and AGAIN.
# A tool is told what it need not say where all of it stands with its reason: .clang-tidy, tests/cppcheck.*, and ANALYZER_OFF
# below. Nothing is switched off in the sources.
A        := $(OUT)/analysis
LOOKED   := $(wildcard peer/*.c runner/*.c adapters/skeleton/*.c adapters/reference/*.c adapters/openssl/*.c)
PARSED   := -std=c11 $(DEFS) -I. -I$(OUT)
HEADERS  := $(wildcard peer/*.h runner/*.h adapters/*/*.h)
# gcc 12 loses what is stored behind a pointer to a pointer, and calls each such store a leak. Leaks are found where they happen: by
# LeakSanitizer and valgrind in the units, and by the former in whole runs.
ANALYZER_OFF := -Wno-analyzer-malloc-leak
# Some minutes of one processor for all of it: part of no other target.
#: make analyze                gcc -fanalyzer, clang-tidy and cppcheck over peer/, runner/ and the adapters in C that are ours
.PHONY: analyze cppcheck analyzer tidy
analyze:
	@CC='$(CC)' ./setup.sh analyze
	+@$(AGAIN) -k cppcheck analyzer tidy

cppcheck: $(OUT)/runner/site.css.inc $(OUT)/runner/site.js.inc
	cppcheck -q --error-exitcode=1 --std=c11 --enable=warning,performance,portability,style --suppressions-list=tests/cppcheck.suppressions \
		$(addprefix --library=,gnu posix openssl tests/cppcheck.cfg) $(DEFS) -I. -I$(OUT) $(LOOKED)
analyzer: $(LOOKED:%.c=$(A)/%.analyzer)
tidy: $(LOOKED:%.c=$(A)/%.tidy)
# An empty file says that this source had nothing, as it is and with the headers as they are.
$(A)/%.analyzer: %.c $(HEADERS) tests/analysis.mk
	@mkdir -p $(@D)
	gcc $(PARSED) -O2 -fanalyzer $(ANALYZER_OFF) -Werror -c -o /dev/null $<
	@touch $@
$(A)/%.tidy: %.c $(HEADERS) .clang-tidy
	@mkdir -p $(@D)
	clang-tidy --quiet $< -- $(PARSED)
	@touch $@
$(A)/runner/site.analyzer $(A)/runner/site.tidy: $(OUT)/runner/site.css.inc $(OUT)/runner/site.js.inc

# Every process of the program has one thread. A second one is in the adapters in C: the one that waits in a call while another call goes
# beside it. So `make check SAN=thread` is the cases with calls side by side, played by two adapters: a race ends the adapter, and is a crash.
# The subject of one case is a race: a descriptor that is closed under its reader.
SIDE_BY_SIDE = $(filter-out %/close-under-reader,$(patsubst cases/%.case,%,$(wildcard $(patsubst %,cases/%/*.case,nonblocking descriptor-sharing half-close))))
.PHONY: threads
threads: all
	TSAN_OPTIONS=halt_on_error=1 $(OUT)/closedrill run openssl reference --io blocking $(SIDE_BY_SIDE:%=-c %) -q

# All rows of a unit in one process: forked for each row, valgrind would translate the program anew each time.
#: make valgrind               the unit tests under valgrind: nothing read that was not written, nothing left behind
.PHONY: valgrind
valgrind: $(TESTS)
	@CC='$(CC)' ./setup.sh analyze
	@for t in $(TESTS); do echo "valgrind $$t"; \
		CK_FORK=no valgrind -q --error-exitcode=99 --leak-check=full $$t || exit; done

# What has to be held to 90 per cent: the modules that take memory and give values. Not those that talk to the kernel, to processes and to
# OpenSSL's handshake, nor commands and the browser's report: pytest drives these, partly in processes that end without leaving a count.
# The counts are of the units, and of two files of pytest in which every form that a session is told in is read by another program. Adapters
# see all folders read-only, but count what they run of peer/ as well: theirs stand in a folder that they may write to.
COVERING := tests/test_formats.py tests/test_expected.py
IMPURE := peer/cert peer/handshake peer/inject peer/peer peer/tcp runner/adapter runner/byhand runner/capture runner/child runner/cmd_% \
	runner/command runner/confine runner/drive runner/expectations runner/fdstep runner/gather runner/greet runner/intake runner/join \
	runner/keep runner/kept runner/leaks runner/listing runner/live runner/main runner/outfile runner/parts runner/pathstep runner/peerstep \
	runner/plan runner/pool runner/recording runner/report runner/rights runner/run_args runner/sandbox runner/session runner/settle \
	runner/site% runner/sockdiag runner/talk runner/wait runner/worker
PURE   := $(filter-out $(IMPURE:%=%.c),$(filter peer/% runner/%,$(LOOKED)))
BAR    := 90

#: make coverage               lines and branches that the tests run, by file; fails where a pure module has less than 90 % of its lines
.PHONY: coverage
coverage:
	@CC='$(CC)' ./setup.sh analyze
	@$(AGAIN) B=$(B)/coverage CFLAGS='-g -O0 --coverage' clean-counts unit $(patsubst %,$(B)/coverage/%,closedrill adapters/openssl adapters/reference)
	@CLOSEDRILL_BUILD=$(abspath $(B)/coverage) CLOSEDRILL_WRITABLE=$(abspath $(B)/coverage) $(PYTHON) -B -m pytest -q -p no:cacheprovider $(COVERING)
	@gcovr -r . --object-directory $(B)/coverage --csv -o $(B)/coverage/coverage.csv $(B)/coverage
	@tr , ' ' < $(B)/coverage/coverage.csv | awk -v pure='$(PURE)' -v bar=$(BAR) "$$TABLE"
.PHONY: clean-counts
clean-counts:
	@find $(OUT) -name '*.gcda' -delete 2>/dev/null || :

define TABLE
BEGIN { n = split(pure, name); for (i = 1; i <= n; i++) is_pure[name[i]] = 1; printf "%-28s %6s %7s %9s\n", "file", "lines", "run %", "branch %" }
$$1 ~ /^(peer|runner)\/.*\.c$$/ {
	low = is_pure[$$1] && 100 * $$4 < bar
	printf "%-28s %6d %7.1f %9.1f%s\n", $$1, $$2, 100 * $$4, 100 * $$7, low ? "  below " bar : is_pure[$$1] ? "" : "  (not pure)"
	if (is_pure[$$1]) { lines += $$2; run += $$3; branches += $$5; taken += $$6; bad += low; seen[$$1] = 1 }
}
END {
	for (i = 1; i <= n; i++) if (!seen[name[i]]) { print name[i] ": no unit test links it"; bad++ }
	printf "%-28s %6d %7.1f %9.1f\n", "pure modules", lines, 100 * run / lines, 100 * taken / branches
	exit bad > 0
}
endef
export TABLE
