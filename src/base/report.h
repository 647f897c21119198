/*
 * src/base/report.h
 *	  Error messages that more than one file raises.
 *
 * Functions that return void raise ERROR and do not return; the
 * others return a palloc'd text for use in messages.
 */
#ifndef JOSCH_REPORT_H
#define JOSCH_REPORT_H

#include "base/josch.h"

/* what makes it so that josch is preloaded */
#define JOSCH_REPORT_PRELOAD "Add this line to postgresql.conf and restart the server: shared_preload_libraries = 'josch'"

/* what makes the tables those that the library knows */
#define JOSCH_REPORT_VERSIONS \
	"The extension may be of another version than the library: restart the server after an installation, then ALTER EXTENSION josch UPDATE."

/* "100120 of 2026-11-20" */
extern char *josch_report_key(int64 node_id, DateADT job_date);

/* "2026-11-20": ISO, whatever DateStyle is */
extern char *josch_report_date(DateADT date);

/* At most so many bytes of a text, and how many are left out; palloc'd only when some are. */
extern char *josch_report_cut(char *text, int limit);

/* What somebody wrote, for a sentence of ours: one line, of a length that it can bear; palloc'd. */
extern char *josch_report_words(const char *text);

/*
 * For functions that write, before they do anything: refuses in one sentence on
 * a standby and in a read-only transaction, by the function's own name.
 */
extern void josch_report_if_read_only(FunctionCallInfo fcinfo);

/* ERRCODE_NO_DATA_FOUND: node 42 of 2026-11-20 does not exist */
pg_noreturn extern void josch_report_no_node(int64 node_id, DateADT job_date);

/* ERRCODE_NO_DATA_FOUND: node 42 does not exist in the templates */
pg_noreturn extern void josch_report_no_template_node(int64 node_id);

/* ERRCODE_NO_DATA_FOUND: job "X" does not exist in the templates / on a date */
pg_noreturn extern void josch_report_no_template_job(const char *job_name);
pg_noreturn extern void josch_report_no_job(const char *job_name, DateADT job_date);

/* ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, with the line for postgresql.conf */
pg_noreturn extern void josch_report_not_preloaded(void);

/* ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED: a trigger function called in another way */
pg_noreturn extern void josch_report_trigger_misuse(const char *function_name);

#endif							/* JOSCH_REPORT_H */
