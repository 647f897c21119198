/*
 * src/run/spool_room.c
 *	  How much room there is where the runner and its commands write.
 *
 * By default that is the file system of the data directory, which must not be
 * filled by what commands print: so it is told long before nothing is left.
 */
#include "base/josch.h"

#include "run/spool_room.h"

#include <sys/statvfs.h>

#include "base/spool.h"
#include "wire/protocol.h"

/* Low: less than this part is left, and less than so many bytes. */
#define LOW_PART 10
#define LOW_BYTES (2048 * JOSCH_MB)

/* Of the folder, or of the one in which it will be made. */
static bool
look(char *path, struct statvfs *fs)
{
	int			result;

	while ((result = statvfs(path, fs)) != 0 && errno == ENOENT && strlen(path) > 1)
	{
		get_parent_directory(path);
	}
	return result == 0;
}

SpoolRoom
josch_spool_room(void)
{
	SpoolRoom	room = {false};
	struct statvfs fs;

	if (!look(josch_spool_path(), &fs) || fs.f_blocks == 0)
	{
		return room;
	}
	room.known = true;
	room.left = (uint64) fs.f_bavail * fs.f_frsize;
	room.all = (uint64) fs.f_blocks * fs.f_frsize;
	room.low = room.left < Min(room.all / LOW_PART, LOW_BYTES);
	room.to_start = josch_room_to_start(room.all);
	room.full = room.left < room.to_start;
	return room;
}
