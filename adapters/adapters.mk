# How adapters are built. One that lacks what it needs is left out, and says what to install.
# In C or C++ on the skeleton: the sources are adapters/NAME/*.c or *.cc; the script adapters/NAME/libs prints what to compile and link
# with, or fails.
# In other languages: adapters/NAME/build.sh PROGRAM makes it, or exits with 77 and names the missing package.
ON_IT    := $(patsubst adapters/%/libs,$(OUT)/adapters/%,$(wildcard adapters/*/libs))
SCRIPTED := $(patsubst adapters/%/build.sh,$(OUT)/adapters/%,$(wildcard adapters/*/build.sh))

# The C++ compiler of the same make as the C compiler, with the same warnings but for those that C++ does not have.
ifeq ($(origin CXX),default)
CXX      := $(if $(findstring clang,$(CC)),clang++,g++)
endif
COMPILE_CXX = $(CXX) -std=c++17 $(DEFS) -I. $(filter-out -Wstrict-prototypes -Wmissing-prototypes,$(WARN)) $(CFLAGS) $(if $(SAN),$(SANFLAGS))
HAS_CXX  = { command -v '$(CXX)' >/dev/null || { echo '$(CXX) is missing: apt-get install $(notdir $(CXX))' >&2; false; }; }

.PHONY: adapters
adapters: $(ON_IT) $(SCRIPTED)

# One that is made of the project's own layers names libclosedrill.a as a prerequisite.
$(OUT)/adapters/reference: $(OUT)/libclosedrill.a
# Two share what is common to them.
$(OUT)/adapters/jsse-socket $(OUT)/adapters/jsse-engine: $(wildcard adapters/jsse/*)

.SECONDARY: $(OUT)/adapters/skeleton/skeleton.o
.SECONDEXPANSION:
$(ON_IT): $(OUT)/adapters/%: adapters/%/libs $$(wildcard adapters/$$*/*.[ch] adapters/$$*/*.cc) $(OUT)/adapters/skeleton/skeleton.o
	@mkdir -p $(@D)
	@libs=$$($(if $(filter %.cc,$^),$(HAS_CXX) &&) CC='$(CC)' sh $<) || { echo "  so adapters/$* is left out"; exit 0; }; \
	set -x; $(if $(filter %.cc,$^),$(COMPILE_CXX),$(COMPILE)) -MMD -MP -MF $@.d -MT $@ -o $@ $(filter %.c %.cc %.o %.a,$^) $$libs
$(SCRIPTED): $(OUT)/adapters/%: adapters/%/build.sh $$(wildcard adapters/$$*/*)
	@mkdir -p $(@D)
	@needs=$$(sh $< "$$(realpath -m --relative-to=. $@)"); status=$$?; [ $$status -ne 77 ] || { echo "$$needs is missing"; echo "  so adapters/$* is left out"; exit 0; }; \
	[ $$status -eq 0 ] && touch -c $@ && echo "$< $@"
