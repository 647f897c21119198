/*
 * src/wire/codec.h
 *	  Framing, numbers and strings: what the messages of the wire are made of.
 *
 * The server's module and a program without any PostgreSQL code include this
 * file.  It therefore needs standard C only, allocates through a function of
 * the caller, and never reads past the frame that it was given: a peer may
 * send anything.  Decoded slices point into the frame and live as long as it.
 *
 * A frame is: u32 length of what follows, u8 type, fields.  Integers are in
 * network order; a string is u32 length and bytes; a list of strings is u32
 * count and one string that holds the strings, each with its length.
 */
#ifndef JOSCH_CODEC_H
#define JOSCH_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JOSCH_FRAME_MAX			(4 * 1024 * 1024)	/* length field of a frame */

/* Bytes of somebody else; not terminated by a zero. */
typedef struct JoschSlice
{
	const char *data;
	uint32_t	len;
} JoschSlice;

/* A list of strings as it lies on the wire; read with josch_strings_next. */
typedef struct JoschStrings
{
	uint32_t	count;
	JoschSlice	packed;
} JoschStrings;

/* Gives a block of size bytes that begins as ptr did; ptr NULL asks for a new one.  NULL: no memory. */
typedef void *(*JoschRealloc) (void *ptr, size_t size);

typedef struct JoschBuffer
{
	uint8_t    *data;
	size_t		len;
	size_t		capacity;
	JoschRealloc grow;
} JoschBuffer;

/* Makes room for `more` bytes after len. */
static inline bool
josch_buffer_reserve(JoschBuffer *buf, size_t more)
{
	size_t		want = buf->capacity ? buf->capacity : 256;
	void	   *data;

	if (buf->capacity - buf->len >= more)
	{
		return true;
	}
	while (want - buf->len < more)
	{
		want *= 2;
	}
	data = buf->grow(buf->data, want);
	if (data == NULL)
	{
		return false;
	}
	buf->data = (uint8_t *) data;
	buf->capacity = want;
	return true;
}

static inline bool
josch_buffer_append(JoschBuffer *buf, const void *data, size_t len)
{
	if (!josch_buffer_reserve(buf, len))
	{
		return false;
	}
	if (len > 0)
	{
		memcpy(buf->data + buf->len, data, len);
	}
	buf->len += len;
	return true;
}

/* Takes the first `len` bytes away. */
static inline void
josch_buffer_consume(JoschBuffer *buf, size_t len)
{
	buf->len -= len;
	if (buf->len > 0)
	{
		memmove(buf->data, buf->data + len, buf->len);
	}
}

static inline JoschSlice
josch_slice(const char *text)
{
	JoschSlice	slice = {text, text ? (uint32_t) strlen(text) : 0};

	return slice;
}

/* Writes to `out`, or reads from `in` when there is no `out`.  After a failure nothing more happens. */
typedef struct JoschCodec
{
	JoschBuffer *out;
	const uint8_t *in;
	size_t		in_len;
	bool		failed;
} JoschCodec;

/* Moves `len` raw bytes; the caller turns them into numbers. */
static inline void
josch_code_raw(JoschCodec *c, uint8_t *bytes, size_t len)
{
	if (c->failed)
	{
		return;
	}
	if (c->out != NULL)
	{
		c->failed = !josch_buffer_append(c->out, bytes, len);
	}
	else if (c->in_len < len)
	{
		c->failed = true;
	}
	else
	{
		memcpy(bytes, c->in, len);
		c->in += len;
		c->in_len -= len;
	}
}

static inline void
josch_code_u64(JoschCodec *c, uint64_t *value)
{
	uint8_t		b[8] = {0};
	uint64_t	v = c->out ? *value : 0;

	for (int i = 0; i < 8; i++)
	{
		b[i] = (uint8_t) (v >> (56 - 8 * i));
	}
	josch_code_raw(c, b, 8);
	v = 0;
	for (int i = 0; i < 8; i++)
	{
		v = v << 8 | b[i];
	}
	if (c->out == NULL)
	{
		*value = c->failed ? 0 : v;
	}
}

static inline void
josch_code_i64(JoschCodec *c, int64_t *value)
{
	uint64_t	v = c->out ? (uint64_t) *value : 0;

	josch_code_u64(c, &v);
	if (c->out == NULL)
	{
		*value = (int64_t) v;
	}
}

static inline void
josch_code_u32(JoschCodec *c, uint32_t *value)
{
	uint8_t		b[4] = {0};
	uint32_t	v = c->out ? *value : 0;

	b[0] = (uint8_t) (v >> 24);
	b[1] = (uint8_t) (v >> 16);
	b[2] = (uint8_t) (v >> 8);
	b[3] = (uint8_t) v;
	josch_code_raw(c, b, 4);
	if (c->out == NULL)
	{
		*value = c->failed ? 0 :
			(uint32_t) b[0] << 24 | (uint32_t) b[1] << 16 | (uint32_t) b[2] << 8 | b[3];
	}
}

static inline void
josch_code_u8(JoschCodec *c, uint8_t *value)
{
	uint8_t		b = c->out ? *value : 0;

	josch_code_raw(c, &b, 1);
	if (c->out == NULL)
	{
		*value = c->failed ? 0 : b;
	}
}

static inline void
josch_code_slice(JoschCodec *c, JoschSlice *slice)
{
	uint32_t	len = c->out ? slice->len : 0;

	josch_code_u32(c, &len);
	if (c->failed)
	{
		if (c->out == NULL)
		{
			*slice = josch_slice(NULL);
		}
		return;
	}
	if (c->out != NULL)
	{
		c->failed = !josch_buffer_append(c->out, slice->data, len);
		return;
	}
	c->failed = c->in_len < len;
	slice->data = c->failed ? NULL : (const char *) c->in;
	slice->len = c->failed ? 0 : len;
	c->in += slice->len;
	c->in_len -= slice->len;
}

/* A slice at the end of a record, which older writers do not have: it is empty then. */
static inline void
josch_code_later_slice(JoschCodec *c, JoschSlice *slice)
{
	if (c->out == NULL && c->in_len == 0)
	{
		*slice = josch_slice(NULL);
		return;
	}
	josch_code_slice(c, slice);
}

/*
 * Takes the next string of a list, and moves the list past it.  False at the
 * end, and for a list that is not what it says.
 */
static inline bool
josch_strings_next(JoschStrings *list, JoschSlice *item)
{
	JoschCodec	c = {NULL, (const uint8_t *) list->packed.data, list->packed.len, false};

	if (list->count == 0)
	{
		return false;
	}
	josch_code_slice(&c, item);
	list->count--;
	list->packed.data = (const char *) c.in;
	list->packed.len = (uint32_t) c.in_len;
	return !c.failed;
}

/* Appends one string to the bytes of a list; `packed` starts as an empty buffer. */
static inline bool
josch_strings_add(JoschBuffer *packed, JoschStrings *list, JoschSlice item)
{
	JoschCodec	c = {packed, NULL, 0, false};

	josch_code_slice(&c, &item);
	list->count++;
	list->packed.data = (const char *) packed->data;
	list->packed.len = (uint32_t) packed->len;
	return !c.failed;
}

/* A list that was read is checked whole, so that later walks cannot fail: count and no zero inside. */
static inline void
josch_code_strings(JoschCodec *c, JoschStrings *list)
{
	JoschStrings walk;
	JoschSlice	item;
	uint32_t	seen = 0;

	josch_code_u32(c, &list->count);
	josch_code_slice(c, &list->packed);
	if (c->failed || c->out != NULL)
	{
		return;
	}
	walk = *list;
	while (josch_strings_next(&walk, &item))
	{
		seen++;
		if (item.len > 0 && memchr(item.data, 0, item.len) != NULL)
		{
			c->failed = true;
			return;
		}
	}
	c->failed = seen != list->count || walk.packed.len != 0;
}

typedef struct JoschFrame
{
	uint8_t		type;
	const uint8_t *body;
	size_t		body_len;
	size_t		total;			/* bytes to take out of the stream */
} JoschFrame;

typedef enum JoschFrameStatus
{
	JOSCH_FRAME_MORE,			/* not complete yet */
	JOSCH_FRAME_OK,
	JOSCH_FRAME_BROKEN			/* no length that can be; the stream is lost */
} JoschFrameStatus;

/* Finds the first frame of a stream's bytes. */
static inline JoschFrameStatus
josch_frame_next(const void *data, size_t len, JoschFrame *frame)
{
	JoschCodec	c = {NULL, (const uint8_t *) data, len, false};
	uint32_t	body = 0;

	if (len < 4)
	{
		return JOSCH_FRAME_MORE;
	}
	josch_code_u32(&c, &body);
	if (body < 1 || body > JOSCH_FRAME_MAX)
	{
		return JOSCH_FRAME_BROKEN;
	}
	if (c.in_len < body)
	{
		return JOSCH_FRAME_MORE;
	}
	frame->type = c.in[0];
	frame->body = c.in + 1;
	frame->body_len = body - 1;
	frame->total = (size_t) body + 4;
	return JOSCH_FRAME_OK;
}

/* Starts a frame and gives its place for josch_frame_end. */
static inline size_t
josch_frame_begin(JoschCodec *c, uint8_t type)
{
	size_t		start = c->out->len;
	uint32_t	length = 0;

	josch_code_u32(c, &length);
	josch_code_u8(c, &type);
	return start;
}

/* Fills in the length.  False, and nothing added, when memory ran out or the frame is too long. */
static inline bool
josch_frame_end(JoschCodec *c, size_t start)
{
	size_t		length;
	uint8_t    *p;

	if (c->failed || c->out->len - start - 4 > JOSCH_FRAME_MAX)
	{
		c->out->len = start;
		return false;
	}
	length = c->out->len - start - 4;
	p = c->out->data + start;
	p[0] = (uint8_t) (length >> 24);
	p[1] = (uint8_t) (length >> 16);
	p[2] = (uint8_t) (length >> 8);
	p[3] = (uint8_t) length;
	return true;
}

#endif							/* JOSCH_CODEC_H */
