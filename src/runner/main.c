/*
 * src/runner/main.c
 *
 * josch-runner: starts commands for the schedulers of one server, and
 * remembers how they ended until a scheduler says that it is committed.
 *
 * It outlives the server, and it is the parent of every command.  So it must
 * not depend on anything that can fail with the server: no library of
 * PostgreSQL, one thread, and no state that its journal cannot give back.
 */
#include "options.h"

int
main(int argc, char **argv)
{
	Options		options;

	options_parse(&options, argc, argv);
	return 0;
}
