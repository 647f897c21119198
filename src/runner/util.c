/*
 * src/runner/util.c
 *	  Memory, strings, clocks.
 *
 * The runner is the parent of every command: it does not try to live on
 * without memory, where any later step could go wrong half-way.  It ends, and
 * the next runner takes over from the journal.
 */
#include "runner.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Also the allocator of the protocol's buffers. */
void *
xrealloc(void *ptr, size_t size)
{
	void	   *block = realloc(ptr, size ? size : 1);

	if (block == NULL)
	{
		log_line("out of memory for %zu bytes: leaving; running commands go on", size);
		_exit(0);
	}
	return block;
}

void *
xcalloc(size_t count, size_t size)
{
	void	   *block = xrealloc(NULL, count * size);

	memset(block, 0, count * size);
	return block;
}

char *
xstrdup(const char *text)
{
	return slice_dup(josch_slice(text));
}

char *
slice_dup(JoschSlice slice)
{
	char	   *copy = xrealloc(NULL, (size_t) slice.len + 1);

	if (slice.len > 0)
	{
		memcpy(copy, slice.data, slice.len);
	}
	copy[slice.len] = '\0';
	return copy;
}

/* sprintf into memory that the caller frees. */
char *
format(const char *fmt,...)
{
	va_list		args;
	char	   *text = NULL;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
	{
		text = xstrdup("(out of memory)");
	}
	va_end(args);
	return text;
}

/* The list as a NULL-terminated array, in one block of memory. */
char **
strings_dup(JoschStrings list)
{
	size_t		head = ((size_t) list.count + 1) * sizeof(char *);
	char	  **items = xrealloc(NULL, head + list.packed.len + list.count);
	char	   *text = (char *) items + head;
	JoschSlice	item;
	uint32_t	i = 0;

	while (josch_strings_next(&list, &item))
	{
		items[i++] = text;
		if (item.len > 0)
		{
			memcpy(text, item.data, item.len);
		}
		text[item.len] = '\0';
		text += item.len + 1;
	}
	items[i] = NULL;
	return items;
}

/* The other way round; `items` may be NULL. */
bool
strings_pack(char *const *items, JoschBuffer *packed, JoschStrings *list)
{
	memset(list, 0, sizeof(*list));
	for (; items != NULL && *items != NULL; items++)
	{
		if (!josch_strings_add(packed, list, josch_slice(*items)))
		{
			return false;
		}
	}
	return true;
}

/* Length of the valid UTF-8 character at p, 0 when there is none. */
static size_t
utf8_length(const unsigned char *p, size_t left)
{
	size_t		n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left || p[0] == 0)
	{
		return 0;
	}
	for (size_t i = 1; i < n; i++)
	{
		if ((p[i] & 0xc0) != 0x80)
		{
			return 0;
		}
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
	{
		return 0;
	}
	return n;
}

/*
 * A copy that is valid UTF-8 without zeroes, no longer than what came in: a
 * byte that fits nowhere becomes "?", which every encoding of a database has.
 */
char *
utf8_clean(const char *data, size_t len, uint32_t *clean_len)
{
	char	   *clean = xrealloc(NULL, len + 1);
	size_t		i = 0;

	while (i < len)
	{
		size_t		n = utf8_length((const unsigned char *) data + i, len - i);

		if (n == 0)
		{
			clean[i++] = '?';
			continue;
		}
		memcpy(clean + i, data + i, n);
		i += n;
	}
	clean[len] = '\0';
	*clean_len = (uint32_t) len;
	return clean;
}

static int64_t
read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t) ts.tv_sec * SECOND + ts.tv_nsec / 1000;
}

int64_t
now_boot(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

int64_t
now_epoch(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* All that inotify has to tell by now. */
void
take_events(int fd, void (*take) (const struct inotify_event *event, void *argument), void *argument)
{
	char		buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t		n;

	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
	{
		const struct inotify_event *event;

		for (char *p = buffer; p < buffer + n; p += sizeof(*event) + event->len)
		{
			event = (const struct inotify_event *) p;
			take(event, argument);
		}
	}
}

/* FNV-1a. */
uint64_t
hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);

	while (len-- > 0)
	{
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	}
	return hash;
}
