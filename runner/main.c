/* closedrill: the program. Finds the command; these parse their arguments, and print what is wrong. */
#include <stdio.h>
#include <string.h>

#include "runner/command.h"

int main(int argc, char **argv)
{
	static const struct { const char *word; int (*run)(int, char **); } commands[] = {
		{ "run", cmd_run }, { "list", cmd_list }, { "show", cmd_show }, { "check", cmd_check }, { "peer", cmd_peer }, { "steps", cmd_steps },
		{ "check-adapter", cmd_check_adapter },
	};
	static const char *const words[] = { "run", "list", "show", "check", "peer", "steps", "check-adapter" };
	const char *near;

	if (argc < 2)
		return command_wrong("", NULL);
	for (size_t i = 0; i < countof(commands); i++)
		if (strcmp(argv[1], commands[i].word) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0)
		return printf("closedrill %s\n", CLOSEDRILL_VERSION), EXIT_OK;
	if (strcmp(argv[1], "--help") == 0)
		return fputs(command_usage, stdout), EXIT_OK;
	near = fault_nearest(argv[1], words, countof(words));
	fprintf(stderr, "closedrill: no command \"%s\"%s%s%s\n%s", argv[1], near ? "; did you mean " : "", near ? near : "", near ? "?" : "", command_usage);
	return EXIT_USAGE;
}
