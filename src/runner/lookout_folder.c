/*
 * src/runner/lookout_folder.c
 *	  Who tells that something is new in a folder: inotify, of one instance for all.
 *
 * A folder that is not there yet is waited for in the nearest parent that is.  Where
 * nobody tells (a file system of another machine, or the system's limits are reached),
 * it is looked now and then, and that is said where it can be mended.
 */
#include "lookout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define BUCKETS 1024

/* A link, a mount or a parent's parent may have changed, of which nobody tells. */
#define SAFETY (300 * SECOND)

/* While folders come and go in the moment between a look and the next. */
#define TRIES 16

static int	notify_fd = -1;
static Watch *buckets[BUCKETS];

/* Descriptor to be read, -1 when there is none. */
int
folder_fd(void)
{
	return notify_fd;
}

/* Where another machine writes, or the kernel itself, nothing is told. */
static bool
is_silent(const char *path)
{
	static const uint32_t silent[] = {
		0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x65735546, 0x01021997, 0x00C36400, 0x5346414F, 0x73757245,
		0x0BD00BD0, 0x47504653, 0x7461636F, 0x01161970, 0x19830326, 0x786F4256, 0xAAD7AAEA, 0x9FA0, 0x62656572
	};
	struct statfs fs;

	if (statfs(path, &fs) != 0)
	{
		return false;
	}
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
	{
		if ((uint32_t) fs.f_type == silent[i])
		{
			return true;
		}
	}
	return false;
}

/* ---- who is told by which descriptor ---- */

static Watch **
bucket_of(int wd)
{
	return &buckets[(unsigned int) wd % BUCKETS];
}

static bool
is_used(int wd)
{
	for (Watch *watch = *bucket_of(wd); watch != NULL; watch = watch->next_of_wd)
	{
		if (watch->wd == wd)
		{
			return true;
		}
	}
	return false;
}

static void
join(Watch *watch, int wd)
{
	watch->wd = wd;
	watch->next_of_wd = *bucket_of(wd);
	*bucket_of(wd) = watch;
}

static void
part(Watch *watch)
{
	Watch	  **link = bucket_of(watch->wd);

	while (*link != watch)
	{
		link = &(*link)->next_of_wd;
	}
	*link = watch->next_of_wd;
	watch->wd = -1;
}

void
folder_leave(Watch *watch)
{
	int			wd = watch->wd;

	if (wd < 0)
	{
		return;
	}
	part(watch);
	if (!is_used(wd))
	{
		inotify_rm_watch(notify_fd, wd);
	}
}

/* ---- where to be told ---- */

static int
listen_to(const char *path)
{
	if (notify_fd < 0)
	{
		notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	}
	return notify_fd < 0 ? -1 : inotify_add_watch(notify_fd, path, EVENTS);
}

/* Takes the last part off; false when there is none any more. */
static bool
go_up(char *path)
{
	char	   *slash = strrchr(path, '/');

	if (strcmp(path, "/") == 0)
	{
		return false;
	}
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}

/* The nearest of the folder and its parents that there is; -1, and errno. */
static int
find_nearest(const char *folder, char *path)
{
	int			wd;

	snprintf(path, PATH_MAX, "%s", folder);
	do
	{
		wd = listen_to(path);
	} while (wd < 0 && (errno == ENOENT || errno == ENOTDIR) && go_up(path));
	return wd;
}

/* Whether the folder, or one of its parents, has come since it was looked for. */
static bool
has_come(const char *folder, const char *nearest)
{
	size_t		len = strcmp(nearest, "/") == 0 ? 0 : strlen(nearest);
	char	   *next = xstrdup(folder);
	struct stat st;
	bool		come;

	next[len + 1 + strcspn(folder + len + 1, "/")] = '\0';
	come = stat(next, &st) == 0 && S_ISDIR(st.st_mode);
	free(next);
	return come;
}

/* Nobody tells: why, and that it is looked now and then. */
static void
say_why(Watch *watch, int error, const char *path)
{
	bool		short_of = error == ENOSPC || error == EMFILE || error == ENFILE || error == ENOMEM;
	char	   *text = error == ENOSPC ? format("no inotify watch is left (fs.inotify.max_user_watches)") :
		error == EMFILE ? format("no inotify instance is left (fs.inotify.max_user_instances)") :
		format("it cannot be looked into the folder %s: %s", path, strerror(error));

	lookout_tell(watch, short_of ? JOSCH_LOOKED_SHORT : JOSCH_LOOKED_HINDERED, NULL, text);
	free(text);
}

/* Finds out who tells, as things are now; sets when to look at the latest. */
void
folder_place(Watch *watch)
{
	char		path[PATH_MAX];
	int			former = watch->wd;
	int			wd = -1;
	int			error = 0;

	for (int i = 0; i < TRIES; i++)
	{
		wd = find_nearest(watch->folder, path);
		error = wd < 0 ? errno : 0;
		watch->there = wd >= 0 && strcmp(path, watch->folder) == 0;
		if (wd < 0 || watch->there || !has_come(watch->folder, path))
		{
			break;
		}
	}
	if (former >= 0 && former != wd)
	{
		folder_leave(watch);
	}
	if (wd >= 0 && watch->wd != wd)
	{
		join(watch, wd);
	}
	watch->distant = wd >= 0 && is_silent(path);
	watch->polls = wd < 0 || watch->distant;
	watch->due_boot = now_boot() + (watch->polls ? watch->interval : SAFETY);
	if (wd < 0)
	{
		say_why(watch, error, path);
	}
}

/* ---- what is told ---- */

static void
take_event(const struct inotify_event *event, void *argument)
{
	Watch	   *next;

	if (event->wd < 0)
	{
		for (Watch *watch = argument; watch != NULL; watch = watch->next)
		{
			watch->stale = true;	/* more has happened than the kernel has kept */
		}
		return;
	}

	for (Watch *watch = *bucket_of(event->wd); watch != NULL; watch = next)
	{
		next = watch->next_of_wd;
		if (watch->wd != event->wd)
		{
			continue;
		}
		if (event->mask & IN_IGNORED)
		{
			part(watch);		/* the kernel has let it go */
			watch->stale = true;
		}
		else if (!watch->there || event->len == 0 || file_is_meant(watch, event->name))
		{
			watch->stale = true;
		}
	}
}

/* Marks those of whom something is told. */
void
folder_take_events(Watch *all)
{
	take_events(notify_fd, take_event, all);
}
