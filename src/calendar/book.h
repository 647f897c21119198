/*
 * src/calendar/book.h
 *	  The calendars that this session knows, by name.
 */
#ifndef JOSCH_BOOK_H
#define JOSCH_BOOK_H

#include "base/josch.h"

#include "calendar/calendar.h"

/*
 * The calendar as the statement that runs sees it; ERROR when there is none of
 * that name.  It lives until the book is asked for another.
 */
extern Calendar *josch_book_find(const char *name, Size length);

/* Registers the callbacks that forget; called once from _PG_init. */
extern void josch_book_init(void);

#endif							/* JOSCH_BOOK_H */
