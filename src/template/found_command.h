/*
 * src/template/found_command.h
 *	  Whether this host has the program that a command begins with, where that can be told.
 */
#ifndef JOSCH_FOUND_COMMAND_H
#define JOSCH_FOUND_COMMAND_H

#include "base/josch.h"

/* The value of a variable; NULL when nobody knows. */
typedef const char *(*ValueOfVariable) (const char *name, void *arg);

/*
 * The program that is not there, palloc'd: as it is called, or as a variable has it.
 * NULL when it is there, and when it cannot be told: it is a word of the shell's own, made
 * up of more than a plain word or one variable, relative to a folder that is not known, or
 * on a PATH (NULL) that is not.
 */
extern char *josch_missing_program(const char *command, const char *path, const char *work_dir, ValueOfVariable value, void *arg);

#endif							/* JOSCH_FOUND_COMMAND_H */
