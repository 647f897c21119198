/*
 * src/runner/lookout.h
 *	  What the parts of the lookout know of each other: the process that looks for files.
 *
 * josch-runner --lookout, started by the runner as long as any file is waited for.  It
 * reads WATCH and UNWATCH on descriptor 0 and answers there with LOOKED, so that a file
 * system that hangs makes nobody wait but those who wait for files; the end of its input
 * ends it.
 */
#ifndef RUNNER_LOOKOUT_H
#define RUNNER_LOOKOUT_H

#include "runner.h"

/* A file that might be the one. */
typedef struct Sighting
{
	uint64_t	name;			/* hash */
	int64_t		size;
	int64_t		modified;		/* nanoseconds, and its inode's: */
	int64_t		changed;
	int64_t		since_boot;		/* it has not changed as long as we have looked */
	bool		seen;			/* at the last look */
} Sighting;

typedef struct Watch
{
	int64_t		number;
	char	   *folder;
	char	   *name;
	bool		pattern;
	int64_t		stable;			/* microseconds */
	int64_t		interval;
	int			wd;				/* of the folder, or of its nearest parent that there is; -1: none */
	bool		there;			/* it is the folder itself */
	bool		polls;			/* nobody tells: it is looked for at intervals */
	bool		distant;		/* ... since the file system cannot, and its clock may be another */
	int64_t		due_boot;		/* when to look, whatever is told; and at the folder, too, */
	bool		stale;			/* at once */
	Sighting   *sightings;
	int			count;
	int			capacity;
	uint8_t		told;			/* JoschLookedKind, 0: nothing */
	bool		hindered;		/* at this look */
	struct Watch *next;
	struct Watch *next_of_wd;	/* in its bucket */
} Watch;

/* lookout_say.c */
extern void lookout_tell(Watch *watch, JoschLookedKind kind, const char *path, const char *text);
extern bool lookout_send(int fd);

/* lookout_folder.c */
extern int	folder_fd(void);
extern void folder_place(Watch *watch);
extern void folder_leave(Watch *watch);
extern void folder_take_events(Watch *all);

/* lookout_file.c */
extern bool file_is_meant(const Watch *watch, const char *name);
extern bool file_look(Watch *watch);

#endif							/* RUNNER_LOOKOUT_H */
