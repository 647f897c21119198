/*
 * src/runner/survivors.c
 *	  What lives of runs that no runner has seen end.
 *
 * Once an exit code is lost, people have to decide; they must know whether
 * something of the run still works.  One walk through all processes serves all
 * runs that are asked about at a time.
 */
#include "runner.h"

#include <errno.h>
#include <stdlib.h>

/* So many are named. */
#define NAMED 5

/* The clock may have been set a little since. */
#define CLOCK_OFF (2 * SECOND)

/* One run that is asked about. */
typedef struct Asked
{
	Run		   *run;
	int			count;
	Process		first[NAMED];
} Asked;

typedef struct Question
{
	Asked	   *asked;			/* in the order of numbers and nonces */
	Asked	  **sessions;		/* in the order of their sessions */
	int			count;
} Question;

static int
compare_keys(const void *a, const void *b)
{
	const Run  *x = ((const Asked *) a)->run;
	const Run  *y = ((const Asked *) b)->run;

	return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x->nonce > y->nonce) - (x->nonce < y->nonce);
}

static int
compare_sessions(const void *a, const void *b)
{
	pid_t		x = (*(Asked *const *) a)->run->pid;
	pid_t		y = (*(Asked *const *) b)->run->pid;

	return (x > y) - (x < y);
}

/* False when the number has gone over to somebody else. */
static bool
leads_still(const Run *run)
{
	Process		leader;

	return run->start != 0 && (process_look(run->pid, &leader) ? leader.start == run->start : errno == ESRCH);
}

/* By its mark; or by its session, where it has taken the mark out of its environment. */
static Asked *
find(const Question *question, const Process *process, JoschRunKey key)
{
	Run			wanted = {.id = key.run_id, .nonce = key.nonce, .pid = process->session};
	Asked		sample = {.run = &wanted};
	Asked	   *same = &sample;
	Asked	  **found;

	if (key.run_id != 0)
	{
		return bsearch(&sample, question->asked, (size_t) question->count, sizeof(Asked), compare_keys);
	}
	found = bsearch(&same, question->sessions, (size_t) question->count, sizeof(Asked *), compare_sessions);
	return found != NULL && process->start >= (*found)->run->start && leads_still((*found)->run) ? *found : NULL;
}

static void
count_all(const Question *question)
{
	DIR		   *proc = opendir("/proc");
	Process		process;
	JoschRunKey key;

	while (process_next(proc, &process, &key))
	{
		Asked	   *asked = find(question, &process, key);

		if (asked != NULL && asked->count++ < NAMED)
		{
			asked->first[asked->count - 1] = process;
		}
	}
}

/* "12 (sleep), 13 (sh)"; to be freed. */
static char *
name_all(const Asked *asked)
{
	char	   *names = xstrdup("");

	for (int i = 0; i < asked->count && i < NAMED; i++)
	{
		uint32_t	len;
		const Process *process = &asked->first[i];
		char	   *name = utf8_clean(process->name, strlen(process->name), &len);
		char	   *longer = format("%s%s%d (%.*s)", names, i > 0 ? ", " : "", (int) process->pid, (int) len, name);

		free(name);
		free(names);
		names = longer;
	}
	return names;
}

static char *
describe(const Asked *asked)
{
	char	   *names = name_all(asked);
	char	   *text = asked->count > NAMED ? format("%s and %d more", names, asked->count - NAMED) : xstrdup(names);

	free(names);
	return text;
}

/* Writes into the end of each run which processes of it live; an empty text: none was found. */
void
survivors_find(Run **runs, int n)
{
	Question	question = {xcalloc((size_t) n, sizeof(Asked)), xcalloc((size_t) n, sizeof(Asked *)), n};

	for (int i = 0; i < n; i++)
	{
		question.asked[i].run = runs[i];
	}
	qsort(question.asked, (size_t) n, sizeof(Asked), compare_keys);
	for (int i = 0; i < n; i++)
	{
		question.sessions[i] = &question.asked[i];
	}
	qsort(question.sessions, (size_t) n, sizeof(Asked *), compare_sessions);
	if (!runner.other_boot)
	{
		count_all(&question);
	}
	for (int i = 0; i < n; i++)
	{
		JoschSlice *text = &question.asked[i].run->end.survivors;

		free((void *) text->data);
		*text = josch_slice(describe(&question.asked[i]));
	}
	free(question.sessions);
	free(question.asked);
}

static int64_t
started_at(const Process *process)
{
	return now_epoch() - (now_boot() - process_started_boot(process->start));
}

static bool
leads_session_of(const Run *run, const Process *process, JoschRunKey key)
{
	return process->session == process->pid && key.run_id == run->id && key.nonce == run->nonce;
}

/* By its number: only that process is looked at, as thousands of runs may be asked about, one after the other. */
static bool
find_numbered(const Run *run, pid_t pid, int64_t at, Process *found)
{
	JoschRunKey key;
	int64_t		off;

	if (!process_read(pid, found, &key))
	{
		return false;
	}
	off = started_at(found) - at;
	return leads_session_of(run, found, key) ||
		(found->session == pid && key.run_id == 0 && off > -CLOCK_OFF && off < CLOCK_OFF);
}

/* The oldest of all processes. */
static bool
find_marked(const Run *run, Process *found)
{
	DIR		   *proc = opendir("/proc");
	Process		process;
	JoschRunKey key;

	found->pid = 0;
	while (process_next(proc, &process, &key))
	{
		if (leads_session_of(run, &process, key) && (found->pid == 0 || process.start < found->start))
		{
			*found = process;
		}
	}
	return found->pid != 0;
}

/*
 * Finds the main process of a run whose start is not on record here: the one that
 * leads a session and bears the run's mark, the oldest of these where its number
 * is not known.  One that has written over its environment is told by its number
 * and the time of its start.  False when there is none.
 */
bool
survivors_find_main(Run *run, pid_t pid, int64_t at)
{
	Process		found;

	if (pid != 0 ? !find_numbered(run, pid, at, &found) : !find_marked(run, &found))
	{
		return false;
	}
	run->pid = found.pid;
	run->start = found.start;
	run->started_boot = process_started_boot(run->start);
	run->started_at = started_at(&found);
	return true;
}
