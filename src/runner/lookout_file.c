/*
 * src/runner/lookout_file.c
 *	  Whether a file is there, and has not changed for long enough.
 *
 * What the kernel says of its last change counts from then, so that a file of this
 * morning need not be looked at twice.  That moment cannot be set by whoever writes the
 * file, as that of the modification can; but it is of the clock of the machine that has
 * the disk: of a distant one only what we have seen ourselves counts.
 */
#include "lookout.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Files of one pattern that are kept in mind; of more, the first ones that the folder names. */
#define SIGHTINGS_MAX 10000

#define NANO INT64_C(1000000000)

bool
file_is_meant(const Watch *watch, const char *name)
{
	return watch->pattern ? fnmatch(watch->name, name, FNM_PERIOD) == 0 : strcmp(watch->name, name) == 0;
}

static int64_t
nanoseconds(struct timespec time)
{
	return time.tv_sec * NANO + time.tv_nsec;
}

static Sighting *
sighting_of(Watch *watch, uint64_t name)
{
	Sighting   *sighting;

	for (int i = 0; i < watch->count; i++)
	{
		if (watch->sightings[i].name == name)
		{
			return &watch->sightings[i];
		}
	}
	if (watch->count == watch->capacity)
	{
		watch->capacity = watch->capacity ? watch->capacity * 2 : 4;
		watch->sightings = xrealloc(watch->sightings, (size_t) watch->capacity * sizeof(Sighting));
	}
	sighting = &watch->sightings[watch->count++];
	*sighting = (Sighting) {.name = name, .size = -1};
	return sighting;
}

/* How long it is known not to have changed. */
static int64_t
unchanged_for(Watch *watch, const char *name, const struct stat *st)
{
	Sighting   *sighting = sighting_of(watch, hash_bytes(name, strlen(name)));
	int64_t		modified = nanoseconds(st->st_mtim);
	int64_t		changed = nanoseconds(st->st_ctim);
	int64_t		now = now_boot();
	int64_t		seen;
	int64_t		said;

	if (sighting->size != st->st_size || sighting->modified != modified || sighting->changed != changed)
	{
		sighting->size = st->st_size;
		sighting->modified = modified;
		sighting->changed = changed;
		sighting->since_boot = now;
	}
	sighting->seen = true;
	seen = now - sighting->since_boot;
	said = watch->distant ? 0 : now_epoch() - changed / 1000;
	return said > seen ? said : seen;
}

/* Takes one file in: gives the path when it is the one, and else when to look again. */
static bool
take_in(Watch *watch, const char *name, char **found)
{
	char	   *path = format("%s/%s", strcmp(watch->folder, "/") == 0 ? "" : watch->folder, name);
	struct stat st;
	int64_t		left;

	if (stat(path, &st) != 0)
	{
		int			error = errno;

		if (error != ENOENT && error != ENOTDIR)
		{
			char	   *text = format("it cannot be looked for %s: %s", path, strerror(error));

			lookout_tell(watch, JOSCH_LOOKED_HINDERED, NULL, text);
			free(text);
			watch->due_boot = now_boot() + watch->interval;
		}
		free(path);
		return false;
	}
	left = watch->stable - unchanged_for(watch, name, &st);
	if (left > 0)
	{
		int64_t		due = now_boot() + left;

		watch->due_boot = due < watch->due_boot ? due : watch->due_boot;
		free(path);
		return false;
	}
	/* of several the first by name, whatever order the folder has them in */
	if (*found == NULL || strcmp(path, *found) < 0)
	{
		free(*found);
		*found = path;
		return true;
	}
	free(path);
	return true;
}

static void
look_through(Watch *watch, char **found)
{
	DIR		   *dir = opendir(watch->folder);
	struct dirent *entry;

	if (dir == NULL)
	{
		return;					/* folder_place says why */
	}
	while ((entry = readdir(dir)) != NULL)
	{
		if (watch->count < SIGHTINGS_MAX && file_is_meant(watch, entry->d_name))
		{
			(void) take_in(watch, entry->d_name, found);
		}
	}
	closedir(dir);
}

static void
forget_unseen(Watch *watch)
{
	int			kept = 0;

	for (int i = 0; i < watch->count; i++)
	{
		if (watch->sightings[i].seen)
		{
			watch->sightings[kept++] = watch->sightings[i];
		}
	}
	watch->count = kept;
}

/* True when it is there: that has been told, and nobody is to look any more.  Else due_boot may be nearer than it was. */
bool
file_look(Watch *watch)
{
	char	   *found = NULL;

	for (int i = 0; i < watch->count; i++)
	{
		watch->sightings[i].seen = false;
	}
	if (watch->pattern)
	{
		look_through(watch, &found);
	}
	else
	{
		(void) take_in(watch, watch->name, &found);
	}
	forget_unseen(watch);
	if (found == NULL)
	{
		return false;
	}
	lookout_tell(watch, JOSCH_LOOKED_FOUND, found, NULL);
	free(found);
	return true;
}
