/*
 * src/runner/table.c
 *	  Who is known: owners, their runs, and which child belongs to what.
 *
 * A burst of a thousand exits must not be a thousand walks along a list, so
 * runs are found by owner, number and nonce and children by pid through hash tables.
 */
#include "runner.h"

#include <stdlib.h>

typedef struct Child
{
	pid_t		pid;
	ChildKind	kind;
	Run		   *run;
	struct Child *next;
} Child;

#define CHILD_BUCKETS 4096

static Owner *owners;
static Run **buckets;
static size_t bucket_count;
static size_t run_count;
static Child *children[CHILD_BUCKETS];

Owner *
owner_first(void)
{
	return owners;
}

static bool
is_text(const char *text, JoschSlice slice)
{
	return strlen(text) == slice.len && (slice.len == 0 || memcmp(text, slice.data, slice.len) == 0);
}

Owner *
owner_find(JoschSlice identity, uint32_t database, JoschSlice token)
{
	Owner	   *owner;

	for (owner = owners; owner != NULL; owner = owner->next)
	{
		if (owner->database == database && is_text(owner->identity, identity) && is_text(owner->token, token))
		{
			return owner;
		}
	}
	return NULL;
}

/* Whether what is asked for with this scope takes in an owner. */
bool
owner_is_meant(const Owner *owner, const Owner *asker, JoschScope scope)
{
	return owner == asker || scope == JOSCH_SCOPE_ALL ||
		(scope == JOSCH_SCOPE_DATABASE && owner->database == asker->database &&
		 strcmp(owner->identity, asker->identity) == 0);
}

Owner *
owner_by_number(uint32_t number)
{
	Owner	   *owner = owners;

	while (owner != NULL && owner->number != number)
	{
		owner = owner->next;
	}
	return owner;
}

/* Number 0: the next free one. */
Owner *
owner_add(uint32_t number, JoschSlice identity, uint32_t database, JoschSlice name, JoschSlice token)
{
	Owner	   *owner = xcalloc(1, sizeof(Owner));
	Owner	  **end = &owners;
	uint32_t	highest = 0;

	for (; *end != NULL; end = &(*end)->next)
	{
		highest = (*end)->number > highest ? (*end)->number : highest;
	}
	owner->number = number ? number : highest + 1;
	owner->identity = slice_dup(identity);
	owner->database = database;
	owner->name = slice_dup(name);
	owner->token = slice_dup(token);
	*end = owner;
	return owner;
}

JoschRunKey
run_key(const Run *run)
{
	return (JoschRunKey) {run->id, run->nonce};
}

static Run **
bucket_of(const Owner *owner, JoschRunKey key)
{
	uint64_t	words[3] = {owner->number, (uint64_t) key.run_id, (uint64_t) key.nonce};

	return &buckets[hash_bytes(words, sizeof(words)) & (bucket_count - 1)];
}

static void
grow(void)
{
	size_t		old_count = bucket_count;
	Run		  **old = buckets;

	bucket_count = old_count ? old_count * 4 : 256;
	buckets = xcalloc(bucket_count, sizeof(Run *));
	for (size_t i = 0; i < old_count; i++)
	{
		while (old[i] != NULL)
		{
			Run		   *run = old[i];
			Run		  **bucket = bucket_of(run->owner, run_key(run));

			old[i] = run->next_in_bucket;
			run->next_in_bucket = *bucket;
			*bucket = run;
		}
	}
	free(old);
}

Run *
run_find(const Owner *owner, JoschRunKey key)
{
	Run		   *run;

	if (bucket_count == 0)
	{
		return NULL;
	}
	run = *bucket_of(owner, key);
	while (run != NULL && (run->owner != owner || run->id != key.run_id || run->nonce != key.nonce))
	{
		run = run->next_in_bucket;
	}
	return run;
}

/* The same for whoever may be meant: of several, the asker's own. */
Run *
run_find_meant(const Owner *asker, JoschScope scope, JoschRunKey key)
{
	Run		   *run = run_find(asker, key);

	for (Owner *owner = owners; owner != NULL && run == NULL; owner = owner->next)
	{
		run = owner_is_meant(owner, asker, scope) ? run_find(owner, key) : NULL;
	}
	return run;
}

/* Numbers only grow. */
void
owner_raise(Owner *owner, int64_t highest, int64_t given)
{
	owner->highest = highest > owner->highest ? highest : owner->highest;
	owner->given = given > owner->given ? given : owner->given;
}

/* A new run, in phase STARTING; it must not be there yet. */
Run *
run_add(Owner *owner, JoschRunKey key)
{
	Run		   *run = xcalloc(1, sizeof(Run));
	Run		  **bucket;

	if (run_count >= bucket_count * 2)
	{
		grow();
	}
	run_count++;
	run->owner = owner;
	run->id = key.run_id;
	run->nonce = key.nonce;
	run->heap_index = -1;
	run->watch_fd = -1;
	bucket = bucket_of(owner, key);
	run->next_in_bucket = *bucket;
	*bucket = run;
	run->previous = owner->last;
	if (owner->last != NULL)
	{
		owner->last->next = run;
	}
	else
	{
		owner->first = run;
	}
	owner->last = run;
	return run;
}

/* Copies what is needed after the process has been started. */
void
run_set_request(Run *run, const JoschStart *start)
{
	run->log_path = slice_dup(start->log_path);
	run->timeout_ms = start->timeout_ms;
	run->grace_ms = start->grace_ms;
	run->ready_after_ms = start->ready_after_ms;
	run->log_limit = start->log_limit;
	run->executor = (start->flags & JOSCH_START_EXECUTOR) != 0;
	run->attach_argv = start->attach_argv.count > 0 ? strings_dup(start->attach_argv) : NULL;
	run->stop_argv = start->stop_argv.count > 0 ? strings_dup(start->stop_argv) : NULL;
	if (start->flags & JOSCH_START_LONG_RUNNING)
	{
		run->flags |= JOSCH_RUN_LONG_RUNNING;
		run->ready_argv = start->ready_argv.count > 0 ? strings_dup(start->ready_argv) : NULL;
	}
	if (run->ready_argv != NULL || run->attach_argv != NULL || run->stop_argv != NULL)
	{
		run->env = strings_dup(start->env);
		run->cwd = slice_dup(start->cwd);
	}
}

/* What was read of its report is not needed any more. */
void
run_drop_report(Run *run)
{
	if (run->report != NULL)
	{
		free(run->report->kept.results.data);
		free(run->report);
		run->report = NULL;
	}
}

/* Takes a run out and frees it; no child and no timer may point to it any more. */
void
run_remove(Run *run)
{
	Run		  **link = bucket_of(run->owner, run_key(run));

	while (*link != run)
	{
		link = &(*link)->next_in_bucket;
	}
	*link = run->next_in_bucket;
	run_count--;
	if (run->previous != NULL)
	{
		run->previous->next = run->next;
	}
	else
	{
		run->owner->first = run->next;
	}
	if (run->next != NULL)
	{
		run->next->previous = run->previous;
	}
	else
	{
		run->owner->last = run->previous;
	}
	run_drop_report(run);
	free((void *) run->end_report.data);
	free(run->log_path);
	free(run->cwd);
	free(run->env);
	free(run->ready_argv);
	free(run->attach_argv);
	free(run->stop_argv);
	free((void *) run->end.tail.data);
	free((void *) run->end.survivors.data);
	free((void *) run->end.reason.data);
	free(run);
}

/* Says of all runs that they are of a former life. */
void
run_all_former(void)
{
	for (Owner *owner = owners; owner != NULL; owner = owner->next)
	{
		for (Run *run = owner->first; run != NULL; run = run->next)
		{
			run->former = true;
		}
	}
}

void
child_add(pid_t pid, ChildKind kind, Run *run)
{
	Child	   *child = xcalloc(1, sizeof(Child));
	Child	  **bucket = &children[(size_t) pid % CHILD_BUCKETS];

	child->pid = pid;
	child->kind = kind;
	child->run = run;
	child->next = *bucket;
	*bucket = child;
}

/* Finds a child and takes it out.  False for one that is not ours: an adopted orphan. */
bool
child_take(pid_t pid, ChildKind *kind, Run **run)
{
	Child	  **link = &children[(size_t) pid % CHILD_BUCKETS];
	Child	   *child;

	while (*link != NULL && (*link)->pid != pid)
	{
		link = &(*link)->next;
	}
	child = *link;
	if (child == NULL)
	{
		return false;
	}
	*kind = child->kind;
	*run = child->run;
	*link = child->next;
	free(child);
	return true;
}
