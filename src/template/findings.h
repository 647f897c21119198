/*
 * src/template/findings.h
 *	  What is wrong, or doubtful, with templates: gathered instead of raised.
 */
#ifndef JOSCH_FINDINGS_H
#define JOSCH_FINDINGS_H

#include "base/josch.h"

#include "nodes/pg_list.h"

typedef enum FindingSeverity
{
	FINDING_ERROR,				/* it is refused, or can never work */
	FINDING_WARNING,			/* it is loaded, and will hardly do what was meant */
	FINDING_NOTE				/* worth knowing */
} FindingSeverity;

extern const char *const josch_finding_severities[];

/* Names of tables here are those of the templates: which row it is about is told by the key of a single column. */
typedef struct JoschFinding
{
	FindingSeverity severity;
	char	   *object;			/* "node 12 "Fetch" of job "Shop"" */
	char	   *message;
	char	   *place;			/* where it is written; NULL: not known, or to be looked up by */
	int			table;			/* a TemplateTableNumber; FINDING_NOWHERE: none */
	char	   *key;
} JoschFinding;

#define FINDING_NOWHERE (-1)

/* Of one kind no more than so many are told: who has made one mistake a million times has found it by then. */
#define FINDINGS_OF_A_KIND 100

typedef struct JoschFindings
{
	MemoryContext context;		/* of all of them */
	List	   *list;
	int			errors;
} JoschFindings;

/* In the current memory context, to which what is found is copied. */
extern JoschFindings *josch_findings_create(void);

/* Found at a place that is known, or NULL. */
extern void josch_findings_add(JoschFindings *findings, FindingSeverity severity, const char *object, const char *place,
							   const char *format,...) pg_attribute_printf(5, 6);

/* Found in a row of a template table. */
extern void josch_findings_add_row(JoschFindings *findings, FindingSeverity severity, const char *object,
								   int table, const char *key, const char *format,...) pg_attribute_printf(6, 7);

/* An error as it was raised: its message, with detail and hint. */
extern void josch_findings_add_error(JoschFindings *findings, const char *object, const char *place, const ErrorData *error);

/*
 * In a PG_CATCH around what only reads: an error about the data at hand is told, and is over; its
 * detail is the place.  Any other error is raised again, as all are when there are no findings.
 */
extern void josch_findings_take_or_rethrow(JoschFindings *findings, const char *object, MemoryContext context);

/* How a node and a job are called; palloc'd. */
extern char *josch_findings_node(int64 node_id, const char *node_name, const char *job_name);
extern char *josch_findings_job(const char *job_name);

#endif							/* JOSCH_FINDINGS_H */
