/*
 * test/unit/protocol_test.c
 *	  The wire: each message there and back, and nothing that is not what it says.
 */
#include "unit.h"

#include <stdlib.h>

static JoschBuffer out = {NULL, 0, 0, xrealloc};

static JoschSlice
slice(const char *text)
{
	return josch_slice(text);
}

static bool
same(JoschSlice a, JoschSlice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* The one frame in `out`. */
static JoschFrame
frame(void)
{
	JoschFrame	f = {0};

	if (josch_frame_next(out.data, out.len, &f) != JOSCH_FRAME_OK || f.total != out.len)
	{
		OK(false, "one whole frame");
	}
	return f;
}

/*
 * Encodes *m, decodes it into *m_back, and claims that every shorter body is
 * refused, a longer one is not, and another type is.
 */
#define THERE_AND_BACK(name, m, back) \
do { \
	JoschFrame	f; \
	int			accepted = 0; \
\
	out.len = 0; \
	OK(josch_encode_##name(&out, &(m)), #name " is encoded"); \
	f = frame(); \
	for (size_t len = 0; len < f.body_len; len++) \
	{ \
		JoschFrame	cut = f; \
\
		cut.body_len = len; \
		cut.body = copy_of(f.body, len); \
		accepted += josch_decode_##name(&cut, &(back)); \
		free((void *) cut.body); \
	} \
	IS(accepted, 0, #name " is refused when any of its bytes is missing"); \
	f.type++; \
	OK(!josch_decode_##name(&f, &(back)), #name " is not another type"); \
	f.type--; \
	josch_buffer_append(&out, "later", 5); \
	f.body = out.data + 5; \
	f.body_len += 5; \
	OK(josch_decode_##name(&f, &(back)), #name " may have fields that we do not know"); \
} while (0)

/* In memory of its own, so that who reads past its end is caught. */
static uint8_t *
copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t    *copy = xrealloc(NULL, len);

	memcpy(copy, bytes, len);
	return copy;
}

static JoschStrings
list(JoschBuffer *packed, const char *const *items, int n)
{
	JoschStrings strings = {0};

	for (int i = 0; i < n; i++)
	{
		josch_strings_add(packed, &strings, slice(items[i]));
	}
	return strings;
}

static bool
is_list(JoschStrings strings, const char *const *items, int n)
{
	JoschSlice	item;
	int			i = 0;

	while (josch_strings_next(&strings, &item))
	{
		if (i >= n || !same(item, slice(items[i])))
		{
			return false;
		}
		i++;
	}
	return i == n && strings.packed.len == 0;
}

static void
test_requests(void)
{
	static const char *const argv[] = {"sh", "-c", "", "exit 0"};
	static const char *const env[] = {"A=b"};
	static const char *const ready[] = {"true", "x"};
	static const char *const attach[] = {"grid", "attach"};
	static const char *const stop_words[] = {"grid", "stop", "-x"};
	JoschBuffer lists[5] = {{NULL, 0, 0, xrealloc}, {NULL, 0, 0, xrealloc}, {NULL, 0, 0, xrealloc}, {NULL, 0, 0, xrealloc}, {NULL, 0, 0, xrealloc}};
	JoschHello	hello = {0x01020304, slice("1.0"), slice("server"), 0xfedcba98, slice("db"), slice("/runner"), slice("a token"), INT64_MAX};
	JoschHello	hello_back;
	JoschStart	start = {INT64_MAX, INT64_MIN, {0}, {0}, slice("/cwd"), slice("log/1"), UINT64_MAX, 7, 0x80000001, {0}, 9, -5, 77, slice("lost"), 10, {0}, {0}};
	JoschStart	start_back;
	JoschStop	stop = {2, -1, 77, 60000};
	JoschStop	stop_back;
	JoschLogRead read = {5, 55, slice("log/5"), INT64_MIN, 4096};
	JoschLogRead read_back;
	JoschReplace replace = {slice("/new")};
	JoschReplace replace_back;
	JoschWatch	watch = {INT64_MAX, slice("/in"), slice("*.csv"), 1, UINT64_MAX, 7};
	JoschWatch	watch_back;
	JoschUnwatch unwatch = {-3};
	JoschUnwatch unwatch_back;
	JoschLooked looked = {5, JOSCH_LOOKED_SHORT, slice("/in/a"), slice("none is left")};
	JoschLooked looked_back;

	start.argv = list(&lists[0], argv, 4);
	start.env = list(&lists[1], env, 1);
	start.ready_argv = list(&lists[2], ready, 2);
	start.attach_argv = list(&lists[3], attach, 2);
	start.stop_argv = list(&lists[4], stop_words, 3);
	THERE_AND_BACK(hello, hello, hello_back);
	OK(hello_back.protocol == 0x01020304 && same(hello_back.version, hello.version) && same(hello_back.identity, hello.identity) &&
	   hello_back.database == 0xfedcba98 && same(hello_back.database_name, hello.database_name) &&
	   same(hello_back.runner_path, hello.runner_path) && same(hello_back.token, hello.token) && hello_back.highest == hello.highest, "hello says the same");
	THERE_AND_BACK(start, start, start_back);
	OK(start_back.run_id == INT64_MAX && start_back.nonce == INT64_MIN && is_list(start_back.argv, argv, 4) && is_list(start_back.env, env, 1) &&
	   is_list(start_back.ready_argv, ready, 2) && same(start_back.cwd, start.cwd) && same(start_back.log_path, start.log_path) &&
	   start_back.timeout_ms == UINT64_MAX && start_back.grace_ms == 7 && start_back.flags == 0x80000001 &&
	   start_back.ready_after_ms == 9 && start_back.pid == -5 && start_back.started_at == 77 && same(start_back.reason, start.reason) && start_back.log_limit == 10 &&
	   is_list(start_back.attach_argv, attach, 2) && is_list(start_back.stop_argv, stop_words, 3), "start says the same");
	THERE_AND_BACK(stop, stop, stop_back);
	OK(stop_back.scope == 2 && stop_back.run_id == -1 && stop_back.nonce == 77 && stop_back.grace_ms == 60000, "stop says the same");
	THERE_AND_BACK(log_read, read, read_back);
	OK(read_back.run_id == 5 && read_back.nonce == 55 && same(read_back.path, read.path) && read_back.offset == INT64_MIN && read_back.max == 4096, "log says the same");
	THERE_AND_BACK(watch, watch, watch_back);
	OK(watch_back.number == INT64_MAX && same(watch_back.folder, watch.folder) && same(watch_back.name, watch.name) && watch_back.pattern == 1 &&
	   watch_back.stable_ms == UINT64_MAX && watch_back.interval_ms == 7, "watch says the same");
	THERE_AND_BACK(unwatch, unwatch, unwatch_back);
	OK(unwatch_back.number == -3, "unwatch says the same");
	THERE_AND_BACK(looked, looked, looked_back);
	OK(looked_back.number == 5 && looked_back.kind == JOSCH_LOOKED_SHORT && same(looked_back.path, looked.path) && same(looked_back.text, looked.text), "looked says the same");
	THERE_AND_BACK(replace, replace, replace_back);
	OK(same(replace_back.path, replace.path), "replace says the same");
}

static bool
same_end(const JoschExit *a, const JoschExit *b)
{
	return a->kind == b->kind && a->value == b->value && a->ended_at == b->ended_at && a->cpu_user_us == b->cpu_user_us &&
		a->cpu_sys_us == b->cpu_sys_us && a->maxrss_kb == b->maxrss_kb && a->flags == b->flags && same(a->tail, b->tail) &&
		same(a->survivors, b->survivors) && same(a->reason, b->reason);
}

static void
test_answers(void)
{
	JoschExit	end = {2, 15, 1700000000000001, 11, 12, 13, 19, slice("tail\n"), slice("8 (sleep)"), slice("lost")};
	JoschWelcome welcome = {1, slice("1.0"), slice("boot/1/2"), 77, 3, slice("a ledger"), 9, 8};
	JoschWelcome welcome_back;
	JoschStarted started = {1, 21, 2, 3};
	JoschStarted started_back;
	JoschStartFailed start_failed = {1, 21, 2, slice("no"), 1};
	JoschStartFailed start_failed_back;
	JoschUp		up = {1, 21, 2};
	JoschUp		up_back;
	JoschExited exited = {9, 21, end, slice("result a=b\n")};
	JoschReported reported = {9, 21, slice("progress 0.5 half\n")};
	JoschReported reported_back;
	JoschExited exited_back;
	JoschRun	run = {1, 21, 3, 5, 7, 9, 11, end, slice("log/1"), slice("server"), 5, slice("postgres"), slice("a token"), slice("progress 1\n")};
	JoschRun	run_back;
	JoschRefused refused = {1, 21, 2, slice("seen")};
	JoschRefused refused_back;
	JoschLogData data = {1, 21, 2, {"a\0b", 3}, 1};
	JoschLogData data_back;
	JoschError	error = {slice("oops")};
	JoschError	error_back;

	THERE_AND_BACK(welcome, welcome, welcome_back);
	OK(welcome_back.protocol == 1 && same(welcome_back.version, welcome.version) && same(welcome_back.incarnation, welcome.incarnation) &&
	   welcome_back.pid == 77 && welcome_back.started_at == 3 && same(welcome_back.ledger, welcome.ledger) && welcome_back.highest == 9 && welcome_back.given == 8,
	   "welcome says the same");
	THERE_AND_BACK(started, started, started_back);
	OK(started_back.run_id == 1 && started_back.nonce == 21 && started_back.pid == 2 && started_back.started_at == 3, "started says the same");
	THERE_AND_BACK(start_failed, start_failed, start_failed_back);
	OK(start_failed_back.run_id == 1 && start_failed_back.nonce == 21 && start_failed_back.error == 2 && same(start_failed_back.text, start_failed.text) && start_failed_back.passing == 1, "start_failed says the same");
	THERE_AND_BACK(up, up, up_back);
	OK(up_back.run_id == 1 && up_back.nonce == 21 && up_back.up_at == 2, "up says the same");
	THERE_AND_BACK(exited, exited, exited_back);
	OK(exited_back.run_id == 9 && exited_back.nonce == 21 && same_end(&exited_back.end, &end) &&
	   same(exited_back.report, exited.report), "exited says the same");
	THERE_AND_BACK(reported, reported, reported_back);
	OK(reported_back.run_id == 9 && reported_back.nonce == 21 && same(reported_back.report, reported.report), "reported says the same");
	THERE_AND_BACK(run, run, run_back);
	OK(run_back.run_id == 1 && run_back.nonce == 21 && run_back.state == 3 && run_back.flags == 5 && run_back.pid == 7 && run_back.started_at == 9 &&
	   run_back.up_at == 11 && same_end(&run_back.end, &end) && same(run_back.log_path, run.log_path) && same(run_back.identity, run.identity) &&
	   run_back.database == 5 && same(run_back.database_name, run.database_name) && same(run_back.token, run.token) &&
	   same(run_back.report, run.report), "run says the same");
	THERE_AND_BACK(refused, refused, refused_back);
	OK(refused_back.run_id == 1 && refused_back.nonce == 21 && refused_back.reason == 2 && same(refused_back.text, refused.text), "refused says the same");
	THERE_AND_BACK(log_data, data, data_back);
	OK(data_back.run_id == 1 && data_back.nonce == 21 && data_back.offset == 2 && same(data_back.bytes, data.bytes) && data_back.eof == 1, "log_data says the same");
	THERE_AND_BACK(error, error, error_back);
	OK(same(error_back.text, error.text), "error says the same");
}

/* The bytes themselves: two programs that are wrong in the same way would understand each other. */
static void
test_bytes(void)
{
	static const uint8_t want[] = {
		0, 0, 0, 26, 3, 1, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0xde, 0xf0, 0, 0, 0, 0, 0, 0, 0x0a, 0xbc,
		0, 0, 0, 2, 5, 2
	};
	JoschStop	stop = {1, 0x0102030405060708, 0xdef0, 0xabc};
	JoschList	everybody = {2};
	JoschForget forget;
	uint8_t		keys[] = {
		0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 3,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 2, 0, 9
	};

	out.len = 0;
	josch_encode_stop(&out, &stop);
	josch_encode_list(&out, &everybody);
	OK(out.len == sizeof(want) && memcmp(out.data, want, sizeof(want)) == 0, "lengths and numbers in network order, the most significant byte first");
	forget.keys = (JoschSlice) {(const char *) keys, sizeof(keys)};
	IS(josch_forget_count(&forget), 2, "number and nonce are sixteen bytes; what is over is none");
	OK(josch_forget_key(&forget, 0).run_id == 258 && josch_forget_key(&forget, 0).nonce == 3 &&
	   josch_forget_key(&forget, 1).run_id == -1 && josch_forget_key(&forget, 1).nonce == 512, "and read in their place");
}

static void
test_frames(void)
{
	uint8_t    *bytes = xcalloc(1, JOSCH_FRAME_MAX + 8);
	JoschFrame	f;

	for (size_t len = 0; len < 4; len++)
	{
		IS(josch_frame_next(bytes, len, &f), JOSCH_FRAME_MORE, "%zu bytes are no frame yet", len);
	}
	IS(josch_frame_next(bytes, 4, &f), JOSCH_FRAME_BROKEN, "a frame has a type at least");
	bytes[3] = 1;
	IS(josch_frame_next(bytes, 4, &f), JOSCH_FRAME_MORE, "which is waited for");
	IS(josch_frame_next(bytes, 5, &f), JOSCH_FRAME_OK, "a type alone is a frame");
	OK(f.body_len == 0 && f.total == 5, "with nothing in it");
	memcpy(bytes, "\0\x40\0\0", 4);
	IS(josch_frame_next(bytes, JOSCH_FRAME_MAX + 3, &f), JOSCH_FRAME_MORE, "the longest frame, but for one byte");
	IS(josch_frame_next(bytes, JOSCH_FRAME_MAX + 4, &f), JOSCH_FRAME_OK, "and whole");
	OK(f.total == JOSCH_FRAME_MAX + 4 && f.body_len == JOSCH_FRAME_MAX - 1, "of 4 MB after the length");
	bytes[3] = 1;
	IS(josch_frame_next(bytes, 4, &f), JOSCH_FRAME_BROKEN, "one byte more is refused at its length, and not waited for");
	memset(bytes, 0xff, 4);
	IS(josch_frame_next(bytes, JOSCH_FRAME_MAX, &f), JOSCH_FRAME_BROKEN, "so is the largest number");
	free(bytes);
}

static void
test_too_long(void)
{
	char	   *bytes = xcalloc(1, JOSCH_FRAME_MAX);
	JoschError	error = {{bytes, JOSCH_FRAME_MAX - 5}};
	JoschNothing nothing = {0};

	out.len = 0;
	josch_encode_list_end(&out, &nothing);
	OK(josch_encode_error(&out, &error), "a message that just fits is encoded");
	out.len = 5;
	error.text.len++;
	OK(!josch_encode_error(&out, &error), "one byte more is not");
	IS(out.len, 5, "and leaves nothing behind what was there");
	free(bytes);
}

static void *
no_memory(void *ptr, size_t size)
{
	(void) ptr, (void) size;
	return NULL;
}

static void
test_memory(void)
{
	char		long_text[600] = "";
	JoschBuffer poor = {NULL, 0, 0, no_memory};
	JoschBuffer small = {NULL, 0, 0, xrealloc};
	JoschError	error = {{long_text, sizeof(long_text)}};

	OK(!josch_encode_error(&poor, &error) && poor.len == 0, "without memory nothing is encoded");
	OK(josch_encode_error(&small, &(JoschError) {slice("x")}) && small.len == 10, "a small one");
	small.grow = no_memory;
	OK(!josch_encode_error(&small, &error) && small.len == 10, "when memory runs out in the middle, what was there stays");
	josch_buffer_consume(&small, 3);
	OK(small.len == 7 && small.data[0] == 6, "what was sent is taken from the front");
	josch_buffer_consume(&small, 7);
	IS(small.len, 0, "up to the last byte");
	free(small.data);
}

/* A list is what a peer says; its count and its bytes have to agree. */
static void
test_lists(void)
{
	static const struct
	{
		uint32_t	count;
		const char *packed;
		uint32_t	len;
		bool		good;
		const char *what;
	}			cases[] = {
		{0, "", 0, true, "none"},
		{1, "\0\0\0\0", 4, true, "one that is empty"},
		{2, "\0\0\0\1a\0\0\0\2bc", 11, true, "two"},
		{1, "\0\0\0\1a\0\0\0\2bc", 11, false, "fewer said than there are"},
		{3, "\0\0\0\1a\0\0\0\2bc", 11, false, "more said than there are"},
		{1, "\0\0\0\2a", 5, false, "one that is longer than the list"},
		{1, "\0\0\0", 3, false, "half a length"},
		{1, "\0\0\0\3a\0b", 7, false, "a zero inside"},
		{1, "\xff\xff\xff\xff", 4, false, "the largest length"},
		{UINT32_MAX, "", 0, false, "the largest count"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		JoschStrings strings = {cases[i].count, {cases[i].packed, cases[i].len}};
		JoschCodec	writer = {&out, NULL, 0, false};
		JoschCodec	reader = {0};

		out.len = 0;
		josch_code_strings(&writer, &strings);
		reader.in = copy_of(out.data, out.len);
		reader.in_len = out.len;
		josch_code_strings(&reader, &strings);
		OK(reader.failed == !cases[i].good, "a list of strings: %s", cases[i].what);
		free((void *) (reader.in - (out.len - reader.in_len)));
	}
}

int
main(void)
{
	unit_test("requests", test_requests);
	unit_test("answers", test_answers);
	unit_test("bytes", test_bytes);
	unit_test("frames", test_frames);
	unit_test("too long", test_too_long);
	unit_test("memory", test_memory);
	unit_test("lists", test_lists);
	return unit_result();
}
