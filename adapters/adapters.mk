# How adapters are built, a folder each. adapters/NAME/packages names the Debian packages that one needs (packages.sh). Without them it is
# left out: a word about that is printed, and kept in NAME.missing for `closedrill list implementations`.
# In C or C++ on the skeleton: the sources are adapters/NAME/*.c or *.cc; the script adapters/NAME/libs prints what to compile and link
# with, or fails.
# In other languages: adapters/NAME/build.sh PROGRAM makes it, or exits with 77. A build with sanitizers leaves these out: they have nothing
# that a sanitizer sees, and are played by the build without.
ON_IT    := $(patsubst adapters/%/libs,$(OUT)/adapters/%,$(wildcard adapters/*/libs))
SCRIPTED := $(patsubst adapters/%/build.sh,$(OUT)/adapters/%,$(wildcard adapters/*/build.sh))

# The C++ compiler of the same make as the C compiler, with the same warnings but for those that C++ does not have.
ifeq ($(origin CXX),default)
CXX      := $(if $(findstring clang,$(CC)),clang++,g++)
endif
COMPILE_CXX = $(CXX) -std=c++17 -pthread $(DEFS) -I. $(filter-out -Wstrict-prototypes -Wmissing-prototypes,$(WARN)) $(CFLAGS) $(if $(SAN),$(SANFLAGS))
LEFT_OUT = { set -- $$(adapters/packages.sh $*); echo "needs $$*" > $@.missing; echo "adapters/$* is left out: apt-get install $$*"; exit 0; }

#: make adapters               build those whose packages are here; SETUP=1: install the packages of all of them first
.PHONY: adapters
ifdef SETUP
adapters:
	@$(NEEDS) adapters
	@$(AGAIN) adapters SETUP=
else
adapters: $(filter-out $(LEAVE_OUT:%=$(OUT)/adapters/%),$(ON_IT) $(if $(SAN),,$(SCRIPTED)))
endif

# One that is made of the project's own layers names libclosedrill.a as a prerequisite.
$(OUT)/adapters/reference: $(OUT)/libclosedrill.a
# Two share what is common to them.
$(OUT)/adapters/jsse-socket $(OUT)/adapters/jsse-engine $(OUT)/adapters/bouncycastle $(OUT)/adapters/bouncycastle-engine: $(wildcard adapters/jsse/* adapters/jsse-*/*.java adapters/bouncycastle/*.java)
$(OUT)/adapters/python $(OUT)/adapters/asyncio: $(wildcard adapters/python-common/*)

SKELETON := $(patsubst %,$(OUT)/adapters/skeleton/%.o,calls lines memory native skeleton)
.SECONDARY: $(SKELETON)
.SECONDEXPANSION:
$(ON_IT): $(OUT)/adapters/%: adapters/%/libs $$(wildcard adapters/$$*/*.[ch] adapters/$$*/*.cc) $(SKELETON)
	@mkdir -p $(@D)
	@$(if $(filter %.cc,$^),command -v '$(firstword $(CXX))' >/dev/null &&) libs=$$(CC='$(CC)' sh $< 2>/dev/null) || $(LEFT_OUT); \
	rm -f $@.missing; set -x; $(if $(filter %.cc,$^),$(COMPILE_CXX),$(COMPILE)) -MMD -MP -MF $@.d -MT $@ -o $@ $(filter %.c %.cc %.o %.a,$^) $$libs
$(SCRIPTED): $(OUT)/adapters/%: adapters/%/build.sh $$(wildcard adapters/$$*/*)
	@mkdir -p $(@D)
	@sh $< "$$(realpath -m --relative-to=. $@)" >$@.log 2>&1; status=$$?; [ $$status -eq 77 ] || cat $@.log; rm -f $@.log; [ $$status -ne 77 ] || $(LEFT_OUT); \
	rm -f $@.missing; [ $$status -eq 0 ] && touch -c $@ && echo "$< $@"
