/* cmd_show: the commands that only tell: list, show, check, steps; and the peer at a terminal. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "runner/byhand.h"
#include "runner/command.h"
#include "runner/greet.h"
#include "runner/listing.h"

int cmd_list(int argc, char **argv)
{
	bool json = false, uncovered = false, index = false;
	const char *what = "cases", *root = NULL;
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--uncovered") == 0)
			uncovered = true;
		else if (strcmp(argv[i], "--index") == 0)
			index = true;
		else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc)
			root = argv[++i];
		else if (argv[i][0] != '-')
			what = argv[i];
		else
			return command_wrong("list does not know ", argv[i]);
	}
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if (!catalogue_load(&s, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	if (strcmp(what, "cases") == 0 && index)
		list_index(&s);
	else if (strcmp(what, "cases") == 0)
		list_cases(&s, json);
	else if (strcmp(what, "requirements") == 0)
		list_requirements(&s, json, uncovered);
	else if (strcmp(what, "implementations") == 0)
		list_implementations(root ? adapters_in_root : at.adapters, root, json, implementation_greet);
	else
		return catalogue_free(&s), command_wrong("list takes cases, implementations or requirements, not ", what);
	catalogue_free(&s);
	return EXIT_OK;
}

int cmd_show(int argc, char **argv)
{
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };
	size_t index;
	int status;

	if (argc != 2)
		return command_wrong("show takes one THEME/CASE", NULL);
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if (!catalogue_load(&s, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	status = case_known(argv[1], "show", &s, &index);
	if (!status)
		show_case(&s.scripts[index]);
	catalogue_free(&s);
	return status;
}

int cmd_check(int argc, char **argv)
{
	struct places at;
	struct requirements reqs;
	struct fault f = { 0 };
	char path[800];
	int status = EXIT_OK;

	if (argc < 2)
		return command_wrong("check takes case files", NULL);
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	snprintf(path, sizeof(path), "%s/requirements", at.cases);
	if (!requirements_load(&reqs, path, &f))
		return command_failed(EXIT_USAGE, &f);
	for (int i = 1; i < argc; i++) {
		size_t values = 1;

		for (size_t v = 0; v < values; v++) {
			struct script s;

			if (!script_load(&s, argv[i], v, &reqs, &f)) {
				fault_print(stderr, &f);
				status = EXIT_USAGE;
				break;
			}
			values = s.nwith ? s.nwith : 1;
			script_free(&s);
		}
	}
	requirements_free(&reqs);
	return status;
}

int cmd_peer(int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' }, { "connect", required_argument, NULL, 'c' },
		{ "tls", required_argument, NULL, 'T' },
		{ "help", no_argument, NULL, 'h' }, { 0 }
	};
	struct byhand h = { .version = TLS13 };
	struct places at;
	struct fault f = { 0 };
	char requirements[800];
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			return fputs(command_usage, stdout), EXIT_OK;
		if (c == 'T' && (strcmp(optarg, "1.2") == 0 || strcmp(optarg, "1.3") == 0))
			h.version = optarg[2] == '2' ? TLS12 : TLS13;
		else if ((c == 'l' || c == 'c') && arg_number(optarg, c == 'c', 65535) >= 0) {
			h.server = c == 'l';
			h.port = (uint16_t)arg_number(optarg, 0, 65535);
			h.has_port = true;
		} else {
			return command_wrong("peer takes --listen PORT or --connect PORT, and --tls 1.2 or 1.3", NULL);
		}
	}
	if (!h.has_port || optind != argc)
		return command_wrong("peer takes --listen PORT or --connect PORT", NULL);
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	snprintf(requirements, sizeof(requirements), "%s/requirements", at.cases);
	return byhand_run(&h, requirements, &f) ? EXIT_OK : command_failed(EXIT_BROKEN, &f);
}

int cmd_steps(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_wrong("steps takes nothing", NULL);
	list_steps();
	return EXIT_OK;
}

