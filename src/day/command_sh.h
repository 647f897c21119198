/*
 * src/day/command_sh.h
 *	  Reads a text as sh does, for the names in it.
 *
 * Pure.  command_sh.c knows commands and words, command_sh_expand.c what
 * "$", quotes and backquotes do inside a word; each calls the other.
 */
#ifndef JOSCH_COMMAND_SH_H
#define JOSCH_COMMAND_SH_H

#include "base/josch.h"

#include "nodes/pg_list.h"

/*
 * A text being read.  A text inside another (the inside of backquotes, the body
 * of a here-document) has a reader of its own that shares the lists.
 */
typedef struct ShReader
{
	const char *at;				/* the next character */
	List	  **used;			/* char *, may have duplicates */
	List	  **set;			/* char *, the names that the command sets */
	bool	   *opaque;			/* out: it runs text that is not here to read */
	List	   *here_docs;		/* those whose bodies start at the next line */
} ShReader;

/*
 * Reads commands up to the end of the text, or to the parenthesis that closes
 * them, which is read too.
 */
extern void josch_command_sh_read(ShReader *reader);

/* Whether the name is in a list that ends with NULL. */
extern bool josch_command_sh_is_one_of(const char *name, const char *const *names);

/* A reader of a text inside another. */
extern ShReader josch_command_sh_expand_inner(const ShReader *outer, const char *text);

/* Length of the name that the text starts with; 0 when it starts with none. */
extern int	josch_command_sh_expand_name(const char *text);

extern void josch_command_sh_expand_note(List **names, const char *name, int length);

/* Each reads what follows the character that it is named after. */
extern void josch_command_sh_expand_single_quoted(ShReader *reader);
extern void josch_command_sh_expand_double_quoted(ShReader *reader);
extern void josch_command_sh_expand_backquoted(ShReader *reader, bool quoted);
extern void josch_command_sh_expand_dollar(ShReader *reader, bool quoted);

/*
 * Reads one character of text in which "$", backquote and backslash mean
 * something and other characters do not: inside double quotes, in a
 * here-document, in arithmetic.
 */
extern void josch_command_sh_expand_character(ShReader *reader);

#endif							/* JOSCH_COMMAND_SH_H */
