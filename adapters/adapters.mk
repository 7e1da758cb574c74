# How adapters are built. One that lacks what it needs is left out, and says what to install.
# In C on the skeleton: the sources are adapters/NAME/*.c; the script adapters/NAME/libs prints what to compile and link with, or fails.
# In other languages: adapters/NAME/build.sh PROGRAM makes it, or exits with 77 and names the missing package.
IN_C     := $(patsubst adapters/%/libs,$(OUT)/adapters/%,$(wildcard adapters/*/libs))
SCRIPTED := $(patsubst adapters/%/build.sh,$(OUT)/adapters/%,$(wildcard adapters/*/build.sh))

.PHONY: adapters
adapters: $(IN_C) $(SCRIPTED)

# One that is made of the project's own layers names libclosedrill.a as a prerequisite.
$(OUT)/adapters/reference: $(OUT)/libclosedrill.a
# Two share what is common to them.
$(OUT)/adapters/jsse-socket $(OUT)/adapters/jsse-engine: $(wildcard adapters/jsse/*)

.SECONDARY: $(OUT)/adapters/skeleton/skeleton.o
.SECONDEXPANSION:
$(IN_C): $(OUT)/adapters/%: adapters/%/libs $$(wildcard adapters/$$*/*.[ch]) $(OUT)/adapters/skeleton/skeleton.o
	@mkdir -p $(@D)
	@libs=$$(CC='$(CC)' sh $<) || { echo "  so adapters/$* is left out"; exit 0; }; \
	set -x; $(COMPILE) -MMD -MP -MF $@.d -MT $@ -o $@ $(filter %.c %.o %.a,$^) $$libs
$(SCRIPTED): $(OUT)/adapters/%: adapters/%/build.sh $$(wildcard adapters/$$*/*)
	@mkdir -p $(@D)
	@needs=$$(sh $< "$$(realpath -m --relative-to=. $@)"); status=$$?; [ $$status -ne 77 ] || { echo "$$needs is missing"; echo "  so adapters/$* is left out"; exit 0; }; \
	[ $$status -eq 0 ] && touch -c $@ && echo "$< $@"
