/* closedrill: the program. Finds the command; these parse their arguments, and print what is wrong. */
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/command.h"

static const struct { const char *word; int (*run)(int, char **); } commands[] = {
	{ "run", cmd_run }, { "record", cmd_record }, { "convert", cmd_convert }, { "merge", cmd_merge }, { "diff", cmd_diff },
	{ "capture", cmd_capture },
	{ "report", cmd_report },
	{ "list", cmd_list }, { "show", cmd_show }, { "check", cmd_check }, { "peer", cmd_peer }, { "steps", cmd_steps },
	{ "check-adapter", cmd_check_adapter },
};

static int unknown_command(const char *word)
{
	const char *words[countof(commands)], *near;

	for (size_t i = 0; i < countof(commands); i++)
		words[i] = commands[i].word;
	near = fault_nearest(word, words, countof(words));
	fprintf(stderr, "closedrill: no command \"%s\"%s%s%s\n%s", word, near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
	        command_usage);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	/* What the caller had open besides is no business of an adapter's. */
	syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (argc < 2)
		return command_wrong("", NULL);
	for (size_t i = 0; i < countof(commands); i++)
		if (strcmp(argv[1], commands[i].word) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0)
		return printf("closedrill %s\n", CLOSEDRILL_VERSION), EXIT_OK;
	if (strcmp(argv[1], "--help") == 0)
		return fputs(command_usage, stdout), EXIT_OK;
	return unknown_command(argv[1]);
}
