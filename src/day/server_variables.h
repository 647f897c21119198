/*
 * src/day/server_variables.h
 *	  What a command finds in its environment about this server.
 */
#ifndef JOSCH_SERVER_VARIABLES_H
#define JOSCH_SERVER_VARIABLES_H

#include "base/josch.h"

#include "node/command.h"

/* NULL: there is nothing to say.  It lives as long as the transaction. */
extern const char *josch_server_variable(CommandDefault variable);

#endif							/* JOSCH_SERVER_VARIABLES_H */
