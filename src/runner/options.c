/*
 * src/runner/options.c
 *	  The command line of josch-runner.
 *
 * It is read before anything else happens, and only here may the program end
 * with an exit code above 0 for what a person typed: later on it may be an
 * orphan of a server that is PID 1, and such a server takes an unexpected exit
 * code for a crash of its own.
 */
#include "options.h"

#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
"josch-runner starts commands for JOSCH, and remembers how they ended.\n"
"\n"
"Usage: josch-runner --spool DIR [OPTION]...\n"
"  --spool DIR           folder of the socket, the journal and the logs\n"
"  --daemon              go to the background; returns once the socket answers\n"
"  --server-user NAME    accept this OS user (name or number) besides our own;\n"
"                        may be given several times\n"
"  --umask MODE          umask of commands, in octal; otherwise our own\n"
"  --version             show the version, then exit\n"
"  --help                show this help, then exit\n";

/* Ends the program; the caller has said what is wrong. */
static void
give_up(void)
{
	fprintf(stderr, "Try \"josch-runner --help\" for more information.\n");
	exit(1);
}

static uid_t
parse_user(const char *text)
{
	struct passwd *pw = getpwnam(text);
	char	   *end;
	unsigned long uid;

	if (pw != NULL)
	{
		return pw->pw_uid;
	}
	uid = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0')
	{
		fprintf(stderr, "josch-runner: user \"%s\" does not exist\n", text);
		give_up();
	}
	return (uid_t) uid;
}

static void
add_user(Options *options, const char *text)
{
	if (options->server_user_count == MAX_SERVER_USERS)
	{
		fprintf(stderr, "josch-runner: more than %d times --server-user\n", MAX_SERVER_USERS);
		give_up();
	}
	options->server_users[options->server_user_count++] = parse_user(text);
}

static int
parse_umask(const char *text)
{
	char	   *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end != '\0' || mode > 0777)
	{
		fprintf(stderr, "josch-runner: \"%s\" is not a umask\n", text);
		give_up();
	}
	return (int) mode;
}

/* Fills *options, or ends the program. */
void
options_parse(Options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"spool", required_argument, NULL, 's'},
		{"daemon", no_argument, NULL, 'd'},
		{"server-user", required_argument, NULL, 'u'},
		{"umask", required_argument, NULL, 'm'},
		{"resume", required_argument, NULL, 'r'},
		{"lookout", no_argument, NULL, 'l'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	int			c;

	memset(options, 0, sizeof(*options));
	options->umask = -1;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
	{
		switch (c)
		{
			case 's':
				options->spool = optarg;
				break;
			case 'd':
				options->daemon = true;
				break;
			case 'u':
				add_user(options, optarg);
				break;
			case 'm':
				options->umask = parse_umask(optarg);
				break;
			case 'r':
				options->resume = sscanf(optarg, "%d,%d", &options->resume_listen, &options->resume_spool) == 2;
				break;
			case 'l':
				options->lookout = true;
				return;
			case 'V':
				printf("josch-runner (JOSCH) %s\n", JOSCH_VERSION);
				exit(0);
			case 'h':
				fputs(usage_text, stdout);
				exit(0);
			default:
				give_up();
		}
	}
	if (optind < argc)
	{
		fprintf(stderr, "josch-runner: unrecognized argument \"%s\"\n", argv[optind]);
		give_up();
	}
	if (options->spool == NULL || options->spool[0] == '\0')
	{
		fprintf(stderr, "josch-runner: --spool is missing\n");
		give_up();
	}
}
