/*
 * src/base/encoding.h
 *	  Text from outside, brought into the encoding of the database.
 */
#ifndef JOSCH_ENCODING_H
#define JOSCH_ENCODING_H

#include "base/josch.h"

#include "mb/pg_wchar.h"

/*
 * The text, valid UTF-8, in the database's encoding; a character that this does
 * not have becomes a question mark, so that no output of a command can ever be
 * an error.  palloc'd in the current context; needs a transaction.
 */
extern char *josch_encoding_from_utf8(const char *text);

/* False for control characters, ends of line, what is invisible or turns the direction; of ASCII alone unless it is Unicode. */
extern bool josch_encoding_is_seen(pg_wchar c, bool unicode);

/* Whether all characters of a text, in the database's encoding, are seen as they are. */
extern bool josch_encoding_is_one_line(const char *text, int length);

/* A copy with a space for each that is not; palloc'd. */
extern char *josch_encoding_to_one_line(const char *text);

#endif							/* JOSCH_ENCODING_H */
