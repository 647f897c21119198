/*
 * src/node/words.h
 *	  The words of a program that is executed without a shell.
 *
 * Pure.  For what is put before another command's words: executors.
 */
#ifndef JOSCH_WORDS_H
#define JOSCH_WORDS_H

#include "base/josch.h"

typedef struct JoschWords
{
	char	  **list;			/* palloc'd, with a NULL after the last */
	int			n;
	char	   *fault;			/* why there are none; or NULL */
} JoschWords;

/*
 * Split at blanks, but for those in single or double quotes or after a backslash.
 * $NAME and ${NAME} have the value that the environment ("NAME=value", NULL at its
 * end) gives, whole and never split; not in single quotes.  A text NULL has no words.
 */
extern JoschWords josch_words(const char *text, char *const *environment);

#endif							/* JOSCH_WORDS_H */
