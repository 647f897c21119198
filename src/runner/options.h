/*
 * src/runner/options.h
 *	  What the command line says.
 */
#ifndef RUNNER_OPTIONS_H
#define RUNNER_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_SERVER_USERS 16

typedef struct Options
{
	const char *spool;			/* as given */
	bool		daemon;
	int			umask;			/* of commands; -1: what we were started with */
	bool		resume;			/* execve'd by a former version of ourselves */
	int			resume_listen;	/* descriptors that it left us */
	int			resume_spool;
	bool		lookout;		/* we are the process that looks for files */
	uid_t		server_users[MAX_SERVER_USERS];
	int			server_user_count;
} Options;

extern void options_parse(Options *options, int argc, char **argv);

#endif							/* RUNNER_OPTIONS_H */
