/*
 * src/template/validate.h
 *	  What is wrong with templates that are to be loaded, and what is doubtful.
 *
 * validate.c loads them, looks, and takes all back; what each of the others looks at
 * is what stands in the tables meanwhile.
 */
#ifndef JOSCH_VALIDATE_H
#define JOSCH_VALIDATE_H

#include "base/josch.h"

#include "template/load.h"

/* Tells the load's findings all there is to say; inside of josch_spi_begin_as_caller. */
extern void josch_validate(Load *load);

/* check_nodes.c: commands, SQL and times of the nodes that the load brings. */
extern void josch_check_nodes(const Load *load, JoschFindings *findings);

/* check_jobs.c: calendars and days, of the jobs that it names. */
extern void josch_check_jobs(const Load *load, JoschFindings *findings);

/* check_graph.c: whether nodes can come to run, by what may become of those before them. */
extern void josch_check_graph(const Load *load, JoschFindings *findings);

#endif							/* JOSCH_VALIDATE_H */
