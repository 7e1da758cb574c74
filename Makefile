# closedrill. `make run` and `make check` are all that most people need; `make help` lists the rest.

VERSION := 0.1
PREFIX  ?= /usr/local
B       ?= build
CC      ?= gcc

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
CFLAGS  ?= -g -O2
comma   := ,
SANFLAGS = -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
OUT     := $(B)$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
DEFS    := -D_GNU_SOURCE -DCLOSEDRILL_VERSION='"$(VERSION)"'
COMPILE  = $(CC) -std=c11 $(DEFS) -I. $(WARN) $(CFLAGS) $(if $(SAN),$(SANFLAGS))
LIBS    := -lssl -lcrypto -lpcap -ljansson

LIB     := $(filter-out runner/main.c,$(wildcard peer/*.c runner/*.c))
TESTS   := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/test_*.c))
# Adapters in C and C++ say what they link in adapters/NAME/libs.
ADAPTERS := $(patsubst adapters/%/libs,%,$(wildcard adapters/*/libs))

.PHONY: all
all: $(OUT)/closedrill $(ADAPTERS:%=$(OUT)/adapters/%)

$(OUT)/libclosedrill.a: $(LIB:%.c=$(OUT)/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
$(OUT)/closedrill: $(OUT)/runner/main.o $(OUT)/libclosedrill.a
	$(COMPILE) -o $@ $^ $(LIBS)
$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<
$(OUT)/tests/test_%: tests/test_%.c $(OUT)/libclosedrill.a
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -o $@ $< $(OUT)/libclosedrill.a $(LIBS) $(shell pkg-config --libs check)

include adapters/adapters.mk

.PHONY: unit
unit: $(TESTS)
	@for t in $(TESTS); do $$t || exit 1; done

.PHONY: clean
clean:
	rm -rf $(B)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
