/*
 * src/base/encoding.h
 *	  Text from outside, brought into the encoding of the database.
 */
#ifndef JOSCH_ENCODING_H
#define JOSCH_ENCODING_H

#include "base/josch.h"

/*
 * The text, valid UTF-8, in the database's encoding; a character that this does
 * not have becomes a question mark, so that no output of a command can ever be
 * an error.  palloc'd in the current context; needs a transaction.
 */
extern char *josch_encoding_from_utf8(const char *text);

#endif							/* JOSCH_ENCODING_H */
