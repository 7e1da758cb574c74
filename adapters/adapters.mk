# How adapters are built: one rule for those in C on the skeleton. An adapter's sources are adapters/NAME/*.c; the script
# adapters/NAME/libs prints what it compiles and links with, and fails where that is not installed: then the adapter is left out.
ADAPTERS := $(patsubst adapters/%/libs,%,$(wildcard adapters/*/libs))

.PHONY: adapters
adapters: $(ADAPTERS:%=$(OUT)/adapters/%)

# One that is made of the project's own layers names libclosedrill.a as a prerequisite.
$(OUT)/adapters/reference: $(OUT)/libclosedrill.a

.SECONDARY: $(OUT)/adapters/skeleton/skeleton.o
.SECONDEXPANSION:
$(OUT)/adapters/%: adapters/%/libs $$(wildcard adapters/$$*/*.[ch]) $(OUT)/adapters/skeleton/skeleton.o
	@mkdir -p $(@D)
	@libs=$$(CC='$(CC)' sh adapters/$*/libs) || { echo "adapters/$*: left out, its library is not installed"; exit 0; }; \
	set -x; $(COMPILE) -MMD -MP -MF $@.d -MT $@ -o $@ $(filter %.c %.o %.a,$^) $$libs
