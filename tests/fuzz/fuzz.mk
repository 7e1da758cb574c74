# Fuzzing: each tests/fuzz/NAME.c is a libFuzzer target, compiled by clang with the whole library in a build of its own. tests/fuzz/run.sh
# runs them; tests/fuzz/targets has a line for each.
FUZZ_SAN  := fuzzer-no-link,address,undefined
FUZZ_OUT   = $(B)/san-$(subst $(comma),-,$(FUZZ_SAN))
FUZZ_MAKE  = $(AGAIN) CC=clang CFLAGS='-g -O1' SAN=$(FUZZ_SAN)
FUZZERS   := $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/*.c))

$(OUT)/tests/fuzz/%: tests/fuzz/%.c $(OUT)/libclosedrill.a
	@mkdir -p $(@D)
	$(COMPILE) -fsanitize=fuzzer -MMD -MP -MF $@.d -MT $@ -o $@ $< $(OUT)/libclosedrill.a $(LIBS)

.PHONY: fuzzers
fuzzers: $(FUZZERS)

#: make fuzz                   fuzz every reader for FUZZ_SECONDS=600 each (FUZZ_TARGETS="trace stream": only these); build/fuzz keeps what is found
.PHONY: fuzz
fuzz:
	@$(NEEDS) fuzz
	+@$(FUZZ_MAKE) fuzzers
	@tests/fuzz/run.sh long $(FUZZ_OUT)/tests/fuzz $(B)/fuzz $(FUZZ_TARGETS)

# The same inputs every time, so that it finds tomorrow what it finds today.
.PHONY: fuzz-check
fuzz-check:
	+@$(FUZZ_MAKE) fuzzers
	@tests/fuzz/run.sh short $(FUZZ_OUT)/tests/fuzz $(B)/fuzz $(FUZZ_TARGETS)

-include $(wildcard $(OUT)/tests/fuzz/*.d)
