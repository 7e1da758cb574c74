# How adapters are built: one rule for those in C on the skeleton. An adapter's sources are adapters/NAME/*.c, what it links is in adapters/NAME/libs.
# One that is made of the project's own layers names libclosedrill.a as a prerequisite.
$(OUT)/adapters/reference: $(OUT)/libclosedrill.a

.SECONDEXPANSION:
$(OUT)/adapters/%: adapters/%/libs $$(wildcard adapters/$$*/*.[ch]) $(OUT)/adapters/skeleton/skeleton.o
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -MF $(OUT)/adapters/$*.d -o $@ $(filter %.c %.o %.a,$^) $$(sh adapters/$*/libs)
