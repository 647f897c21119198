/*
 * src/alarm/store_delivery.h
 *	  SQL on josch.alarm_deliveries: alarms on their way to hooks.
 *
 * Only the scheduler takes deliveries, so none is taken twice; how one ends is
 * written by whoever has its nonce.  Every function opens and closes SPI itself, as the
 * schema's owner; results are palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_DELIVERY_H
#define JOSCH_STORE_DELIVERY_H

#include "base/josch.h"

/* One attempt at telling one alarm to one hook. */
typedef struct Delivery
{
	int64		delivery_id;
	int64		run_id;
	int64		nonce;
	bool		sql;
	int32		attempt;
	char	   *hook_name;
	char	   *text;			/* the command, or the SQL; NULL: the hook is gone */
	char	   *owner;			/* name of the role as which SQL runs, */
	Oid			owner_oid;		/* and which that is: of one that was taken; InvalidOid: there is none */
	int64		timeout_ms;
	char	   *log;
	/* the alarm, as text; NULL: it has none */
	char	   *alarm_id;
	char	   *kind;
	char	   *message;
	char	   *due_at;
	char	   *raised_at;
	char	   *job_name;
	char	   *job_date;
	char	   *node_id;
	char	   *node_name;
	char	   *calendar_name;
} Delivery;

/* Takes those whose turn it is: of commands or of SQL, so many at most, and so many of a hook that run at once. */
extern Delivery *josch_store_delivery_take(TimestampTz now, bool sql, int limit, int of_a_hook, const char *log_folder, int *n);

/* What is known of a delivery that was taken; false when it is not that attempt any more. */
extern bool josch_store_delivery_read(int64 delivery_id, int64 nonce, Delivery *delivery);

/* Those that were taken and have not ended; of each its numbers, and whether it is SQL. */
extern Delivery *josch_store_delivery_running(int *n);

/* When the next one waits for its turn; DT_NOEND: none does. */
extern TimestampTz josch_store_delivery_next(void);

typedef struct DeliveryEnd
{
	int64		delivery_id;
	int64		nonce;
	int32		exit_code;		/* -1: none */
	char	   *message;		/* why it failed; NULL: it was delivered */
	char	   *output_tail;	/* or NULL */
} DeliveryEnd;

/* Writes how an attempt ended, and when it is tried again; false when it had ended. */
extern bool josch_store_delivery_end(const DeliveryEnd *end, TimestampTz now);

/* What a hook knows of the alarm: "NAME=value", ended by NULL; environs first, where they are asked for. */
extern char **josch_store_delivery_variables(const Delivery *delivery, bool environs);

#endif							/* JOSCH_STORE_DELIVERY_H */
