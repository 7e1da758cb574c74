# closedrill. `make run` and `make check` are all that most people need; `make help` lists the rest.

VERSION := 0.1
PREFIX  ?= /usr/local
B       ?= build
PYTHON  ?= /usr/bin/python3
CFLAGS  ?= -g -O2
ifeq ($(origin CC),default)
CC      := gcc
endif

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
comma   := ,
SANFLAGS = -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
OUT     := $(B)$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
DEFS    := -D_GNU_SOURCE -DCLOSEDRILL_VERSION='"$(VERSION)"'
COMPILE  = $(CC) -std=c11 -pthread $(DEFS) -I. -I$(OUT) $(WARN) $(CFLAGS) $(if $(SAN),$(SANFLAGS))
LIBS    := -lssl -lcrypto -lpcap -ljansson $(LDFLAGS)

LIB     := $(filter-out runner/main.c,$(wildcard peer/*.c runner/*.c))
TESTS   := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/test_*.c))
NEEDS   := CC='$(CC)' ./setup.sh
# `+` in front of it passes the jobs of -j on.
AGAIN   := $(MAKE) --no-print-directory

#: make                        build closedrill and every adapter whose library is here
.PHONY: all
all: $(OUT)/closedrill adapters

$(OUT)/closedrill: $(OUT)/runner/main.o $(OUT)/libclosedrill.a
	$(COMPILE) -o $@ $^ $(LIBS)
$(OUT)/libclosedrill.a: $(LIB:%.c=$(OUT)/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
$(OUT)/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<
# What the report's pages share is part of the program, as C strings.
$(OUT)/runner/site.o: $(OUT)/runner/site.css.inc $(OUT)/runner/site.js.inc
$(OUT)/%.inc: %
	@mkdir -p $(@D)
	@sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@
$(OUT)/tests/%: tests/%.c $(OUT)/libclosedrill.a
	@mkdir -p $(@D)
	$(COMPILE) $(CHECK) -MMD -MP -MF $@.d -MT $@ -o $@ $< $(OUT)/libclosedrill.a $(LIBS) $(CHECK)
$(TESTS): CHECK = $$(pkg-config --cflags --libs check)

# Holds the command that compiles: what another one has compiled is compiled again.
export COMPILED_BY = $(COMPILE) $(LIBS) $(PKG_CONFIG_PATH)
$(OUT)/flags: always
	@mkdir -p $(@D)
	@echo "$$COMPILED_BY" | cmp -s - $@ || echo "$$COMPILED_BY" > $@
.PHONY: always

include adapters/adapters.mk
include tests/fuzz/fuzz.mk
include tests/analysis.mk

#: make run                    run the suite against the installed OpenSSL; results in build/run
.PHONY: run
run:
	@$(NEEDS) run
	+@$(AGAIN) all
	@rm -rf $(OUT)/run
	$(OUT)/closedrill run openssl -o $(OUT)/run || [ $$? -eq 1 ]    # 1: it deviates, which is a result
	@echo "All of it, in a browser: $(OUT)/run/index.html; for programs: $(OUT)/run/results.json; for CI: $(OUT)/run/junit.xml"

#: make record                 record anew what all implementations do that expected/ has traces of and that are built here
.PHONY: record
record: all
	@$(NEEDS) run
	@$(EXPECTED) | xargs -t $(OUT)/closedrill record $(RECORD)
# Those that expected/ has traces of and that are built here.
EXPECTED = for d in expected/*/; do n=$$(basename $$d); n=$${n%-[0-9]*}; [ ! -x $(OUT)/adapters/$$n ] || echo $$n; done | sort -u

#: make compare                run all implementations that expected/ has traces of and that are built here, and tell what changed; minutes
.PHONY: compare
compare: all
	@$(NEEDS) run
	@$(EXPECTED) | xargs -t $(OUT)/closedrill run $(COMPARE)

#: make check                  run all tests; SAN=address,undefined or SAN=thread: built with these sanitizers
CHECKS := $(if $(findstring thread,$(SAN)),threads,unit $(if $(SAN),,faults stress fuzz-check) endtoend)
.PHONY: check
check:
	@$(NEEDS) check
	+@$(AGAIN) all $(TESTS)
	@$(AGAIN) -k -j1 $(CHECKS); status=$$?; [ ! -e $(OUT)/tests/unit.log ] || $(UNIT_TOTAL) $(OUT)/tests/unit.log; exit $$status

.PHONY: unit
unit: $(TESTS)
	@for t in $(TESTS); do $$t || echo "FAILED: $$t"; done > $(OUT)/tests/unit.log 2>&1; cat $(OUT)/tests/unit.log
	@! grep -q '^FAILED' $(OUT)/tests/unit.log
# The closing lines of Check, added up: "100%: Checks: 12, Failures: 0, Errors: 0". A program that died has none, and counts as one.
UNIT_TOTAL := awk '/: Checks: / { n += $$3; bad += $$5 + $$7 } /^FAILED/ { programs++ } \
	END { if (!bad) n += bad = programs + 0; printf "unit: %d passed, %d failed\n", n - bad, bad }'

#: make faults                 hold every fault of the reference against the checks that have to catch it; build/faults.json
.PHONY: faults
faults: all
	@CLOSEDRILL_BUILD=$(abspath $(OUT)) $(PYTHON) -B tests/faults.py

#: make stress                 the same runs on a burdened machine, again and again: do verdicts move? STRESS_RUNS=100000: the long form
.PHONY: stress
stress: $(OUT)/closedrill $(OUT)/adapters/openssl $(OUT)/adapters/reference
	@CLOSEDRILL_BUILD=$(abspath $(OUT)) $(PYTHON) -B tests/stress.py

#: make docs                   write the index of cases/README.md anew
.PHONY: docs
docs: $(OUT)/closedrill
	@sed -i '/^## The cases$$/,$$d' cases/README.md
	@{ printf '## The cases\n\n'; $(OUT)/closedrill list cases --index; } >> cases/README.md

#: make captures               make the captures of captures/list anew, and their gallery; ALL=1: also those that tell the same as before
.PHONY: captures
captures: all
	@$(NEEDS) run
	@ALL='$(ALL)' captures/make $(OUT)/closedrill

# Preloaded into adapters by tests/test_settling.py; one that has sanitizers takes none.
RESTLESS := $(if $(SAN),,$(OUT)/tests/restless.so)
$(OUT)/tests/restless.so: tests/adapters/restless.c $(OUT)/flags
	@mkdir -p $(@D)
	$(COMPILE) -shared -fPIC -o $@ $<

.PHONY: endtoend
endtoend: all $(RESTLESS)
	CLOSEDRILL_BUILD=$(abspath $(OUT)) $(PYTHON) -B -m pytest -q -p no:cacheprovider tests

#: make matrix                 all adapters against the libraries of Debian 11, 12, 13 and sid (SUITES="..."), in roots below build/matrix
.PHONY: matrix
matrix:
	@$(NEEDS) matrix
	@$(AGAIN) $(OUT)/closedrill
	adapters/matrix.sh $(OUT)/closedrill $(OUT)/matrix $(SUITES)

#: make bench                  measure what README.md's figures say; BENCH_LONG=1: also a session of 100,000 runs
#: make bench-each             only how fast each implementation is played beside its own handshake and close; EACH="go node": only these
.PHONY: bench bench-each
bench:
	@$(NEEDS) run
	@$(AGAIN) all $(OUT)/tests/bench $(OUT)/tests/bench_report
	$(OUT)/tests/bench_report
	$(OUT)/tests/bench
bench-each:
	@$(NEEDS) run
	@$(AGAIN) all $(OUT)/tests/bench
	$(OUT)/tests/bench --each $(EACH)

#: make install                install what is built; PREFIX=/usr/local, DESTDIR=
ROOT = $(DESTDIR)$(PREFIX)
.PHONY: install uninstall
install:
	@[ -x $(OUT)/closedrill ] || { echo 'Nothing is built: run `make` first.'; exit 1; }
	install -D -m755 $(OUT)/closedrill $(ROOT)/bin/closedrill
	@for f in cases/requirements cases/*/*.case; do install -D -m644 $$f $(ROOT)/share/closedrill/$$f || exit; done
	install -D -m644 -t $(ROOT)/share/closedrill results.schema.json
	@rm -rf $(ROOT)/share/closedrill/expected
	@for f in expected/*/recorded expected/*/*/*.trace; do install -D -m644 $$f $(ROOT)/share/closedrill/$$f || exit; done
	@for f in adapters/contract/requirements adapters/contract/*/*.case; do install -D -m644 $$f $(ROOT)/share/closedrill/$$f || exit; done
	@for f in $(OUT)/adapters/*; do [ ! -f $$f -o ! -x $$f ] || install -D -m755 -t $(ROOT)/lib/closedrill/adapters $$f || exit; done
	@echo "cases and expected traces: $(ROOT)/share/closedrill; adapters: $(ROOT)/lib/closedrill"
#: make uninstall              remove it; PREFIX and DESTDIR as for install
uninstall:
	rm -f $(ROOT)/bin/closedrill
	rm -rf $(ROOT)/share/closedrill $(ROOT)/lib/closedrill

#: make format                 lay out the C lines that are not committed yet by .clang-format (of Debian's clang-format)
.PHONY: format
format:
	git clang-format --extensions c,h

#: make clean                  remove all that was built, and results
.PHONY: clean
clean:
	rm -rf $(B)

.PHONY: help
help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))
	@echo 'With any of them: CC=clang, CFLAGS=..., B=FOLDER (default: build).'

-include $(wildcard $(OUT)/*/*.d $(OUT)/adapters/*/*.d)
