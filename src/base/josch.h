/*
 * src/base/josch.h
 *	  Names that every file of the extension shares, and version compatibility.
 *
 * Includes the server's headers only, and holds no logic.
 *
 * Words:
 *	template	rows of tpl_jobs, tpl_nodes, tpl_node_deps, environs: what people write
 *	day			rows of jobs, nodes, node_deps for one job_date: a copy of the templates
 *	node		one task of a day; its key is (node_id, job_date)
 *	run			one attempt at executing a node: a row of runs
 *	parent, child	the ends of a dependency
 *	pass		one turn of the scheduler's loop
 *	act			what a person does to a node; the scheduler takes engine edges
 */
#ifndef JOSCH_H
#define JOSCH_H

#include "postgres.h"
#include "fmgr.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#define JOSCH_SCHEMA "josch"

/* The NOTIFY channel that clients listen to. */
#define JOSCH_CHANNEL "josch"

/* Days that may be stored; those around one, such as dependencies on other days, are readable too. */
#define JOSCH_FIRST_YEAR 100
#define JOSCH_LAST_YEAR 9899

/* The key of a node in a day. */
typedef struct NodeKey
{
	int64		node_id;
	DateADT		job_date;
} NodeKey;

/* 18 made it a word before the declaration */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 16 split varatt.h off postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Whether a role may act as another (needs utils/acl.h): 16 tells SET ROLE from membership. */
#if PG_VERSION_NUM >= 160000
#define josch_can_become(member, role) member_can_set_role(member, role)
#else
#define josch_can_become(member, role) is_member_of_role(member, role)
#endif

/* Whether this transaction holds a lock in that very mode (needs storage/lock.h): 17 can ask for a stronger one, too. */
#if PG_VERSION_NUM >= 170000
#define josch_lock_held_by_me(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define josch_lock_held_by_me(tag, mode) LockHeldByMe(tag, mode)
#endif

#endif							/* JOSCH_H */
