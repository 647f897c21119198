/*
 * test/unit/report_test.c
 *	  What is read of a report: lines, what is kept of them, and what a file may hold instead.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static JoschReportLine
read_line(const char *text)
{
	return josch_said_read(text, strlen(text));
}

static bool
says(JoschSlice slice, const char *text)
{
	return slice.len == strlen(text) && (slice.len == 0 || memcmp(slice.data, text, slice.len) == 0);
}

static void
test_progress(void)
{
	static const struct
	{
		const char *line;
		uint32_t	progress;
		const char *text;
	}			good[] = {
		{"progress 0.4 reading book 3", 400000, "reading book 3"}, {"progress 0", 0, ""}, {"progress 1", 1000000, ""},
		{"progress 1.000 done", 1000000, "done"}, {"progress 40%", 400000, ""}, {"progress 12.5% x", 125000, "x"},
		{"  progress\t.25   a  b \t\r", 250000, "a  b"}, {"progress 0.1234567891 y", 123456, "y"}, {"progress 100% z", 1000000, "z"},
		{"progress 1. ", 1000000, ""}, {"progress 000.5 =", 500000, "="}
	};
	static const char *const bad[] = {
		"progress", "progress ", "progress x", "progress 1.1", "progress 2", "progress 101%", "progress -0.1", "progress .", "progress %",
		"progress 0,4", "progress 1e-1", "progress 0.4.5", "progress 99999999999999999999", "Progress 0.4", "progressing 0.4", "0.4",
		"progress nan", "progress 0.4%%", "progress 1000001%"
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		JoschReportLine line = read_line(good[i].line);

		OK(line.kind == JOSCH_REPORT_PROGRESS && says(line.text, good[i].text), "progress: \"%s\"", good[i].line);
		IS(line.progress, good[i].progress, "how much: \"%s\"", good[i].line);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		OK(read_line(bad[i]).kind == JOSCH_REPORT_UNKNOWN, "no progress: \"%s\"", bad[i]);
	}
}

static void
test_results(void)
{
	static const char *const bad[] = {
		"result", "result ", "result rows", "result =1", "result 1a=2", "result a b=1", "result a-b=1", "result a =1", "results a=1",
		"result \xc3\xa4=1", "result a\n=1"
	};
	char		name[80];
	JoschReportLine line = read_line("result rows=1042");

	OK(line.kind == JOSCH_REPORT_RESULT && says(line.name, "rows") && says(line.text, "1042"), "a result");
	line = read_line(" result  _A1= b = c \r");
	OK(line.kind == JOSCH_REPORT_RESULT && says(line.name, "_A1") && says(line.text, " b = c"), "blanks within belong to it, those at its end do not");
	line = read_line("result a=");
	OK(line.kind == JOSCH_REPORT_RESULT && says(line.text, ""), "it may be empty");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		OK(read_line(bad[i]).kind == JOSCH_REPORT_UNKNOWN, "no result: \"%s\"", bad[i]);
	}
	OK(read_line("").kind == JOSCH_REPORT_NOTHING && read_line(" \t\r").kind == JOSCH_REPORT_NOTHING &&
	   read_line("# result a=1").kind == JOSCH_REPORT_NOTHING, "empty lines and comments");
	OK(josch_said_read("result a=\0b", 11).text.len == 2 && josch_said_read("\0", 1).kind == JOSCH_REPORT_UNKNOWN, "zeroes are bytes");
	snprintf(name, sizeof(name), "result %.*s=1", JOSCH_REPORT_NAME_MAX, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	OK(read_line(name).kind == JOSCH_REPORT_RESULT, "the longest name");
	snprintf(name, sizeof(name), "result %.*s=1", JOSCH_REPORT_NAME_MAX + 1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	OK(read_line(name).kind == JOSCH_REPORT_UNKNOWN, "and one that is longer");
}

static void
add(JoschReport *report, const char *text)
{
	(void) josch_said_add(report, text, strlen(text));
}

static bool
kept(const JoschReport *report, const char *results)
{
	return report->results.len == strlen(results) && memcmp(report->results.data, results, report->results.len) == 0;
}

static void
test_kept(void)
{
	JoschReport report = {.results = {NULL, 0, 0, xrealloc}};
	char	   *huge = xcalloc(1, 7000);
	char		name[64];

	add(&report, "result a=1");
	add(&report, "result ab=2");
	add(&report, "result c=3");
	add(&report, "result a=4");
	add(&report, "progress 0.2 one");
	add(&report, "progress 0.3");
	OK(kept(&report, "ab=2\nc=3\na=4\n"), "of a name the last counts");
	IS(report.result_count, 3, "it is counted once");
	OK(report.has_progress && report.progress == 300000 && report.text_len == 0, "the last progress");
	memcpy(huge, "result h=", 9);
	memset(huge + 9, 'x', 5000);
	add(&report, huge);
	IS(report.too_long, 1, "a long one is cut");
	IS(report.results.len, strlen("ab=2\nc=3\na=4\nh=\n") + JOSCH_REPORT_VALUE_MAX, "at its limit");
	for (int i = 0; i < 6; i++)
	{
		huge[7] = (char) ('p' + i);
		add(&report, huge);
	}
	OK(report.results.len <= JOSCH_REPORT_BYTES_MAX && report.too_many == 4, "all of them have a limit (%d)", (int) report.too_many);
	add(&report, "result a=5");
	OK(report.too_many == 4 && josch_said_add(&report, "progress 1", 10), "one that is there may be said anew");
	add(&report, "what is this");
	add(&report, "and this");
	OK(report.not_understood == 2 && report.sample_len == 12 && memcmp(report.sample, "what is this", 12) == 0, "the first line that is none");
	free(report.results.data);

	report = (JoschReport) {.results = {NULL, 0, 0, xrealloc}};
	for (int i = 0; i < JOSCH_REPORT_RESULTS + 7; i++)
	{
		snprintf(name, sizeof(name), "result n%d=%d", i, i);
		add(&report, name);
	}
	OK(report.result_count == JOSCH_REPORT_RESULTS && report.too_many == 7, "so many are kept");
	add(&report, "result n3=x");
	OK(report.result_count == JOSCH_REPORT_RESULTS && report.too_many == 7, "and may change");
	memcpy(huge, "progress 0 ", 11);
	memset(huge + 11, 0, 6000);
	for (int i = 0; i < 150; i++)
	{
		memcpy(huge + 11 + i * 2, "\xc3\xa4", 2);
	}
	huge[11 + 199] = (char) 0xa4;
	add(&report, huge);
	OK(report.text_len <= JOSCH_REPORT_TEXT_MAX && report.text_len > 190, "what is said is cut");
	free(report.results.data);
	free(huge);
}

/* What a program says of the other side, and a command may not. */
static void
test_side(void)
{
	JoschReport report = {.results = {NULL, 0, 0, xrealloc}};

	OK(!josch_said_add(&report, "host node17", 11) && report.not_understood == 1, "a command says nothing of another side");
	report = (JoschReport) {.results = {NULL, 0, 0, xrealloc},.executor = true};
	add(&report, "host node17");
	add(&report, "reason Priority");
	add(&report, "unreachable no route");
	OK(report.sides[JOSCH_SIDE_HOST].len == 6 && report.sides[JOSCH_SIDE_REASON].len == 8 && report.sides[JOSCH_SIDE_UNREACHABLE].len == 8 && report.not_understood == 0,
	   "an executor's program does");
	add(&report, "reason");
	add(&report, "reachable");
	OK(report.sides[JOSCH_SIDE_HOST].len == 6 && report.sides[JOSCH_SIDE_REASON].len == 0 && report.sides[JOSCH_SIDE_UNREACHABLE].len == 0, "and takes it back");
	add(&report, "unknown the node has failed");
	OK(report.sides[JOSCH_SIDE_UNKNOWN].len == 19 && !report.ended, "the end cannot be known");
	add(&report, "ended");
	OK(report.ended, "or its exit is the command's");
	add(&report, "attached");
	OK(report.sides[JOSCH_SIDE_UNKNOWN].len == 0 && !report.ended, "whoever attaches begins anew");
}

/* Whatever comes, what is kept is bounded. */
static void
test_anything(void)
{
	static const char *const pieces[] = {"progress ", "result ", "0.4", "%", "=", "\xff\xfe", "\0x", "a", "9", ".", " ", "\t", "#", "problem "};
	JoschReport report = {.results = {NULL, 0, 0, xrealloc}};
	char		line[256];

	for (int i = 0; i < 200000; i++)
	{
		size_t		len = 0;

		for (uint32_t n = unit_random(8); n > 0; n--)
		{
			const char *piece = pieces[unit_random(sizeof(pieces) / sizeof(pieces[0]))];
			size_t		size = strlen(piece) + (piece[0] == '\0');

			memcpy(line + len, piece, size);
			len += size;
		}
		(void) josch_said_add(&report, line, len);
	}
	OK(report.results.len <= JOSCH_REPORT_BYTES_MAX && report.result_count <= JOSCH_REPORT_RESULTS &&
	   report.progress <= JOSCH_REPORT_WHOLE && report.text_len <= JOSCH_REPORT_TEXT_MAX && report.sample_len <= JOSCH_REPORT_SAMPLE_MAX,
	   "anything");
	free(report.results.data);
}

/* ---- a run's file ---- */

static Run *
new_run(void)
{
	Owner	   *owner = owner_add(0, josch_slice("s"), 1, josch_slice("d"), josch_slice("t"));
	Run		   *run = run_add(owner, unit_key(1));
	JoschStart	start = {.run_id = 1, .nonce = unit_key(1).nonce, .log_path = josch_slice("log/1.log")};
	char	   *entry;

	run_set_request(run, &start);
	run->phase = RUN_LIVE;
	(void) report_init();
	OK(report_create(run, true) && !report_create(run, true), "it is made once");
	entry = report_entry(run, "JOSCH_REPORT", ".report");
	OK(entry != NULL && strncmp(entry, "JOSCH_REPORT=/", 14) == 0 && strcmp(entry + strlen(entry) - 13, "/log/1.report") == 0,
	   "where it is: %s", entry ? entry : "nowhere");
	free(entry);
	return run;
}

static void
look(Run *run, const char *want, const char *what)
{
	JoschSlice	text;

	report_due(run);
	text = report_text(run);
	OK(says(text, want), "%s: \"%.*s\"", what, (int) text.len, text.data ? text.data : "");
	free((void *) text.data);
}

static void
append_to(const char *text)
{
	int			fd = openat(runner.spool_dir, "log/1.report", O_WRONLY | O_APPEND | O_CREAT, 0600);

	OK(write(fd, text, strlen(text)) == (ssize_t) strlen(text), "written");
	close(fd);
}

static void
test_file(void)
{
	Run		   *run = new_run();
	struct stat st;

	OK(fstatat(runner.spool_dir, "log/1.report", &st, 0) == 0 && (st.st_mode & 07777) == 0600, "for us alone");
	look(run, "", "an empty one says nothing");
	IS(run->report_boot, 0, "and is not looked at again before it is written to");
	append_to("progress 0.5 ha");
	look(run, "", "half a line is not read");
	append_to("lf\nresult a=1\nnonsense \xff");
	look(run, "progress 0.500000 half\nresult a=1\n", "whole ones are");
	OK(run->report_boot != 0, "while it grows it is looked at again");
	unit_write("log/1.report", "progress 0.6 half\nresult a=2\n", 29);
	look(run, "progress 0.600000 half\nresult a=2\n", "written anew");
	unit_write("log/1.report", "result b=1\n", 11);
	look(run, "progress 0.600000 half\nresult a=2\nresult b=1\n", "and shorter: what was said stays");
	append_to("nonsense \xff\nresult c=last");
	report_end(run);
	run->phase = RUN_EXITED;
	look(run, "progress 0.600000 half\nresult a=2\nresult b=1\nresult c=last\nproblem 1 not understood, the first: nonsense ?\n",
		 "at the end the last line needs none");
	report_remove(run);
	OK(fstatat(runner.spool_dir, "log/1.report", &st, 0) != 0, "it is taken away");
}

/* An executor's program has a file of its own: what the command says counts for nothing there, and ends no line of it. */
static void
test_two_files(void)
{
	Run		   *run = new_run();

	run->executor = true;
	OK(report_create(run, false), "the other one is made");
	append_to("host evil\nended\nunknown it\nresult a=");
	unit_write("log/1.executor", "host node\nreason Priority\n", 26);
	look(run, "host node\nreason Priority\nproblem 3 not understood, the first: host evil\n", "each is read");
	OK(report_note(run, JOSCH_SIDE_ENDED), "a word is added");
	report_catch_up(run);
	OK(run->report->kept.ended && run->report->kept.sides[JOSCH_SIDE_UNKNOWN].len == 0, "what the program says of the end");
	append_to("1\n");
	look(run, "result a=1\nhost node\nreason Priority\nproblem 3 not understood, the first: host evil\n", "no line is broken");
	report_remove(run);
	OK(faccessat(runner.spool_dir, "log/1.executor", F_OK, 0) != 0 && faccessat(runner.spool_dir, "log/1.report", F_OK, 0) != 0, "both are taken away");
}

static void
test_no_file(void)
{
	Run		   *run = new_run();

	OK(unlinkat(runner.spool_dir, "log/1.report", 0) == 0 && mkfifoat(runner.spool_dir, "log/1.report", 0600) == 0, "a pipe in its place");
	look(run, "", "is not read, and nobody waits for it");
	OK(unlinkat(runner.spool_dir, "log/1.report", 0) == 0 && symlinkat("/etc/hostname", runner.spool_dir, "log/1.report") == 0, "a link");
	look(run, "", "is not followed");
	OK(unlinkat(runner.spool_dir, "log/1.report", 0) == 0 && mkdirat(runner.spool_dir, "log/1.report", 0700) == 0, "a folder");
	look(run, "", "says nothing");
	OK(unlinkat(runner.spool_dir, "log/1.report", AT_REMOVEDIR) == 0, "nothing at all");
	look(run, "", "says nothing");
	report_end(run);
	OK(run->end_report.len == 0, "nor at the end");
}

static void
test_flood(void)
{
	Run		   *run = new_run();
	int			fd = openat(runner.spool_dir, "log/1.report", O_WRONLY);
	char	   *lines = xrealloc(NULL, 3 * 1024 * 1024 + 1);
	size_t		len = 0;
	JoschSlice	text;

	while (len < 3 * 1024 * 1024 - 40)
	{
		len += (size_t) sprintf(lines + len, "progress 0.%06zu line\n", len % 1000000);
	}
	OK(write(fd, lines, len) == (ssize_t) len, "a hundred thousand lines");
	report_due(run);
	OK(run->report_boot != 0, "are read a piece at a time");
	report_due(run);
	report_due(run);
	memset(lines, 'x', len);
	OK(write(fd, lines, len) == (ssize_t) len && write(fd, "\nresult a=1\n", 12) == 12, "one line of megabytes");
	OK(write(fd, "problem mine\n", 13) == 13 && ftruncate(fd, (off_t) 1 << 40) == 0, "and then nothing for a terabyte");
	report_end(run);
	run->phase = RUN_EXITED;
	text = report_text(run);
	OK(text.len > 0 && text.len < 500 && strstr(text.data, "\nresult a=1\nproblem 1 not understood, the first: problem mine; 0") == NULL &&
	   strstr(text.data, "result a=1\n") != NULL && strstr(text.data, " bytes not read\n") != NULL, "what is kept: \"%s\"", text.data);
	free((void *) text.data);
	free(lines);
	close(fd);
}

int
main(void)
{
	unit_test("progress", test_progress);
	unit_test("results", test_results);
	unit_test("what is kept", test_kept);
	unit_test("what an executor says", test_side);
	unit_test("anything", test_anything);
	unit_test("a file", test_file);
	unit_test("two files", test_two_files);
	unit_test("no file", test_no_file);
	unit_test("a flood", test_flood);
	return unit_result();
}
