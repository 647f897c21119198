/*
 * src/day/server_variables.c
 *	  What a command finds in its environment about this server.
 *
 * Where libpq finds the very server and database that started it: another cluster
 * of the host has another port, and may have the usual folder of sockets.  Who it
 * is to the server, and how it proves that, is not said: a password in the
 * environment is one that others read.
 */
#include "base/josch.h"

#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "postmaster/postmaster.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "day/server_variables.h"

/* The first of a list as postgresql.conf has it; NULL when it is empty. */
static char *
first_of(const char *list, bool (*split) (char *, char, List **))
{
	List	   *items = NIL;

	if (list == NULL || !split(pstrdup(list), ',', &items) || items == NIL)
	{
		return NULL;
	}
	return linitial(items);
}

/* A folder of sockets; where there is none, an address that the server listens at. */
static const char *
host(void)
{
	char	   *folder = first_of(Unix_socket_directories, SplitDirectoriesString);
	char	   *address;

	if (folder != NULL)
	{
		return folder;
	}
	address = first_of(ListenAddresses, SplitGUCList);
	if (address == NULL || strcmp(address, "*") == 0 || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
	{
		return address == NULL ? NULL : "localhost";
	}
	return address;
}

const char *
josch_server_variable(CommandDefault variable)
{
	switch (variable)
	{
		case COMMAND_PGHOST:
			return host();
		case COMMAND_PGPORT:
			return psprintf("%d", PostPortNumber);
		case COMMAND_PGDATABASE:
			return get_database_name(MyDatabaseId);
		case COMMAND_PYTHONUNBUFFERED:
			return "1";			/* what it prints is seen when it is printed */
		case COMMAND_DEFAULT_COUNT:
			break;
	}
	return NULL;
}
