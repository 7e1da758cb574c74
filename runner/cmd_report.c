/* cmd_report: `closedrill report`: writes the report of a session anew, from its folder. */
#include <stdio.h>
#include <string.h>

#include "runner/command.h"
#include "runner/site.h"

int cmd_report(int argc, char **argv)
{
	struct places at;
	struct catalogue c;
	struct fault f = { 0 };
	bool wrong_input, ok;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(command_usage, stdout), EXIT_OK;
	if (argc != 2 || argv[1][0] == '-')
		return command_wrong("report takes one folder, that of `run -o`", NULL);
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if (!catalogue_load(&c, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	ok = site_write(argv[1], &c, &wrong_input, &f);
	catalogue_free(&c);
	if (!ok)
		return command_failed(wrong_input ? EXIT_USAGE : EXIT_BROKEN, &f);
	printf("%s/index.html\n", argv[1]);
	return EXIT_OK;
}
