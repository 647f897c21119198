/*
 * test/unit/journal_damage_test.c
 *	  A journal that is torn, changed, or makes no sense: what was before is known, nothing else is.
 */
#include "past.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_RECORDS 100

static uint8_t *whole;
static size_t whole_len;
static size_t boundary[MAX_RECORDS];
static int	boundaries;
static int	current;			/* index of the record that is damaged */
static bool may_seem_torn;

static void
find_boundaries(void)
{
	JoschFrame	frame;
	size_t		done = 0;

	whole = unit_read("journal", &whole_len);
	while (josch_frame_next(whole + done, whole_len - done, &frame) == JOSCH_FRAME_OK)
	{
		boundary[boundaries++] = done;
		done += frame.total;
	}
	IS(done, whole_len, "the journal is made of whole records");
}

static void
remember_prefix(void)
{
	char		name[32];

	snprintf(name, sizeof(name), "prefix-%d", current);
	past_load();
	past_remember(name, true);
}

static void
read_torn(void)
{
	char		name[32];

	snprintf(name, sizeof(name), "prefix-%d", current);
	past_load();
	if (!past_is_as_in(name, true) || past_found.broken || past_found.intact)
	{
		OK(false, "a journal cut short in record %d says what was before it, and that it was cut: broken %d, intact %d", current, past_found.broken, past_found.intact);
	}
}

static void
read_changed(void)
{
	char		name[32];

	snprintf(name, sizeof(name), "prefix-%d", current);
	past_load();
	if (!past_is_as_in(name, true) || !(past_found.broken || may_seem_torn) || (past_found.broken && past_found.intact))
	{
		OK(false, "a journal with a changed byte in record %d says what was before it: broken %d, intact %d", current, past_found.broken, past_found.intact);
	}
}

static void
test_damage(void)
{
	int			cuts = 0;
	int			changes = 0;
	int			good = 0;

	unit_apart(past_live);
	find_boundaries();
	unit_write("pristine", whole, whole_len);
	for (current = 0; current < boundaries; current++)
	{
		unit_write("journal", whole, boundary[current]);
		unit_apart(remember_prefix);
	}
	for (current = 0; current < boundaries; current++)
	{
		size_t		next = current + 1 < boundaries ? boundary[current + 1] : whole_len;
		size_t		places[] = {boundary[current] + 1, boundary[current] + 4, boundary[current] + 5, next - 4, next - 1};

		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++, cuts++)
		{
			unit_write("journal", whole, places[i]);
			good += unit_apart(read_torn);
		}
		for (size_t at = boundary[current]; at < next; at += 1 + unit_random(12), changes++)
		{
			whole[at] ^= (uint8_t) (1 << unit_random(8));
			may_seem_torn = at < boundary[current] + 4;
			unit_write("journal", whole, whole_len);
			good += unit_apart(read_changed);
			free(whole);
			unit_write("journal", whole = unit_read("pristine", &whole_len), whole_len);
		}
	}
	IS(good, cuts + changes, "%d cuts and %d changed bytes: what was before is known, what comes after is not", cuts, changes);
}

/* Appends a record that journal.c would not write. */
static void
add(JoschBuffer *out, JournalRecord *record)
{
	JoschCodec	c = {out, NULL, 0, false};
	size_t		start = josch_frame_begin(&c, record->type);
	uint32_t	sum;

	if (record->type <= JOURNAL_HIGHEST && record->type != 0)
	{
		journal_code(&c, record);
	}
	sum = journal_checksum(out->data + start + 4, out->len - start - 4);
	josch_code_u32(&c, &sum);
	josch_frame_end(&c, start);
}

static const char *case_name;
static bool case_is_good;

static void
read_case(void)
{
	past_load();
	OK(past_found.broken == !case_is_good && past_found.intact == case_is_good, "%s: %s", case_is_good ? "accepted" : "refused", case_name);
}

/* The header, owner 1, its run 1, and then this record. */
static void
try_record(const char *name, bool good, JournalRecord record)
{
	JoschBuffer out = {NULL, 0, 0, xrealloc};
	JournalRecord header = {.type = JOURNAL_HEADER, .text = josch_slice(runner.boot_id), .generation = 1};
	char	   *place = journal_place();
	JournalRecord owner = {.type = JOURNAL_OWNER, .owner = 1, .text = josch_slice("s")};
	JournalRecord run = {.type = JOURNAL_START, .owner = 1};

	run.start.run_id = 1;
	run.start.nonce = 11;
	run.start.log_path = josch_slice("log/1");
	snprintf(runner.ledger, sizeof(runner.ledger), "%032x", 5);
	header.name = josch_slice(runner.ledger);
	header.place = josch_slice(place);
	mark_open();
	mark_set(1, 0);
	add(&out, &header);
	add(&out, &owner);
	add(&out, &run);
	add(&out, &record);
	unit_write("journal", out.data, out.len);
	free(out.data);
	free(place);
	case_name = name;
	case_is_good = good;
	unit_apart(read_case);
}

static void
test_contradictions(void)
{
	JournalRecord other = {.type = JOURNAL_START, .owner = 1};
	JournalRecord again = {.type = JOURNAL_START, .owner = 1};
	JournalRecord stray = {.type = JOURNAL_START, .owner = 2};

	other.start.run_id = 2;
	other.start.nonce = again.start.nonce = stray.start.nonce = 11;
	other.start.log_path = again.start.log_path = stray.start.log_path = josch_slice("log/2");
	again.start.run_id = stray.start.run_id = 1;
	try_record("another run", true, other);
	other.start.run_id = 1;
	other.start.nonce = 12;
	try_record("another run of the same number", true, other);
	try_record("a run that is there", false, again);
	try_record("a run of nobody", false, stray);
	try_record("another owner", true, (JournalRecord) {.type = JOURNAL_OWNER, .owner = 2, .text = josch_slice("t")});
	try_record("an owner's number that is taken", false, (JournalRecord) {.type = JOURNAL_OWNER, .owner = 1, .text = josch_slice("t")});
	try_record("an owner without a number", false, (JournalRecord) {.type = JOURNAL_OWNER, .owner = 0, .text = josch_slice("t")});
	try_record("a second header", false, (JournalRecord) {.type = JOURNAL_HEADER, .format = 1, .text = josch_slice(runner.boot_id)});
	try_record("a life", true, (JournalRecord) {.type = JOURNAL_LIFE, .text = josch_slice("x")});
	for (uint8_t type = JOURNAL_SPAWNED; type <= JOURNAL_EXIT; type++)
	{
		try_record("an event of the run", true, (JournalRecord) {.type = type, .owner = 1, .id = 1, .nonce = 11});
		try_record("an event of a run that is not there", false, (JournalRecord) {.type = type, .owner = 1, .id = 2, .nonce = 11});
		try_record("an event of another run of that number", false, (JournalRecord) {.type = type, .owner = 1, .id = 1, .nonce = 12});
		try_record("an event of nobody's run", false, (JournalRecord) {.type = type, .owner = 2, .id = 1, .nonce = 11});
	}
	try_record("what is forgotten", true, (JournalRecord) {.type = JOURNAL_FORGET, .owner = 1});
	try_record("what nobody has forgotten", false, (JournalRecord) {.type = JOURNAL_FORGET, .owner = 2});
	try_record("what nobody has seen", false, (JournalRecord) {.type = JOURNAL_SEEN, .owner = 2});
	try_record("the numbers of an owner", true, (JournalRecord) {.type = JOURNAL_HIGHEST, .owner = 1});
	try_record("the numbers of nobody", false, (JournalRecord) {.type = JOURNAL_HIGHEST, .owner = 2});
	try_record("type 0", false, (JournalRecord) {.type = 0});
	try_record("a type after the last", false, (JournalRecord) {.type = JOURNAL_HIGHEST + 1});
}

static void
read_headless(void)
{
	past_load();
	OK(past_found.broken && !past_found.intact && owner_first() == NULL, "a journal that does not begin with its header is none");
}

static void
read_tiny(void)
{
	past_load();
	OK(past_found.broken && !past_found.intact, "a frame too small for a checksum is no record");
}

static void
read_link(void)
{
	past_load();
	OK(!past_found.broken && !past_found.intact && owner_first() == NULL, "a symbolic link is no journal");
}

static void
read_nothing(void)
{
	past_load();
	OK(!past_found.broken && !past_found.intact, "nor is an empty file; nothing of it is broken");
}

static void
test_no_journal(void)
{
	JoschBuffer out = {NULL, 0, 0, xrealloc};
	JournalRecord owner = {.type = JOURNAL_OWNER, .owner = 1, .text = josch_slice("s")};

	add(&out, &owner);
	unit_write("journal", out.data, out.len);
	free(out.data);
	unit_apart(read_headless);
	unit_write("journal", "\0\0\0\3\1ab", 7);
	unit_apart(read_tiny);
	unit_write("journal", "", 0);
	unit_apart(read_nothing);
	unlinkat(runner.spool_dir, "journal", 0);
	unit_apart(past_live);
	renameat(runner.spool_dir, "journal", runner.spool_dir, "elsewhere");
	OK(symlinkat("elsewhere", runner.spool_dir, "journal") == 0, "a link in its place");
	unit_apart(read_link);
}

static void
keep_broken(void)
{
	size_t		len;
	uint8_t    *kept;
	uint8_t    *word;
	size_t		word_len;

	past_begin();
	kept = unit_read("journal.broken", &len);
	word = unit_read("ledger", &word_len);
	OK(strcmp(runner.ledger, (const char *) word) != 0, "after a broken journal the record begins anew, under another word");
	IS(len, whole_len, "and the broken one is kept whole");
	free(kept);
	free(word);
}

static void
test_broken_is_kept(void)
{
	unit_apart(past_live);
	whole = unit_read("journal", &whole_len);
	whole[whole_len - 1] ^= 1;
	unit_write("journal", whole, whole_len);
	unit_apart(keep_broken);
}

/* ---- what is not there ---- */

static size_t copy_len;			/* of the journal at an earlier moment */
static const char *what;
static bool is_same;

static void
read_ledger(void)
{
	size_t		len;
	uint8_t    *word = unit_read("ledger", &len);

	past_begin();
	OK((strcmp(runner.ledger, (const char *) word) == 0) == is_same, "%s: %s", is_same ? "the same ledger" : "another ledger", what);
	free(word);
}

/* Reads what is there, and puts the journal and its mark back as they were. */
static void
try_life(const char *name, bool same)
{
	size_t		mark_len;
	uint8_t    *mark = unit_read("mark", &mark_len);

	what = name;
	is_same = same;
	unit_apart(read_ledger);
	unit_write("journal", whole, whole_len);
	unit_write("journal.end", mark, mark_len);
	free(mark);
}

static void
put_back(size_t len)
{
	unit_write("journal", whole, len);
}

static void
rewrite_and_go_on(void)
{
	past_begin();
	for (int64_t id = 100; id < 300; id++)
	{
		past_end(past_start(owner_first(), id, NULL), JOSCH_EXIT_CODE, 0, "");
	}
}

static void
write_later_mark(const char *line)
{
	unit_write("journal.end", line, strlen(line));
}

static void
test_missing(void)
{
	size_t		mark_len;
	uint8_t    *mark;
	char	   *line;

	unit_apart(past_live);
	find_boundaries();
	mark = unit_read("journal.end", &mark_len);
	unit_write("mark", mark, mark_len);
	line = (char *) mark;
	try_life("all is there", true);
	for (int i = 1; i < boundaries; i += 5)
	{
		put_back(boundary[i]);
		try_life("a journal of an earlier moment, cut between two records", false);
	}
	put_back(whole_len - 1);
	try_life("its last byte is missing", false);
	unlinkat(runner.spool_dir, "journal", 0);
	try_life("no journal", false);
	unlinkat(runner.spool_dir, "journal.end", 0);
	try_life("no mark", false);
	write_later_mark("");
	try_life("an empty mark", false);
	line[0] ^= 1;
	write_later_mark(line);
	try_life("the mark of another ledger", false);
	line[0] ^= 1;
	line[mark_len - 2] = '0';
	write_later_mark(line);
	try_life("a mark that is behind: the runner died between the two", true);
	unit_write("journal", whole, whole_len);
	whole = xrealloc(whole, whole_len + 5);
	memcpy(whole + whole_len, "\0\0\1\0\5", 5);
	put_back(whole_len + 5);
	try_life("half a record beyond the mark: a write that was not done", true);
	copy_len = whole_len;
	unit_apart(rewrite_and_go_on);
	put_back(copy_len);
	what = "a journal of before it was rewritten";
	is_same = false;
	unit_apart(read_ledger);
	free(mark);
}

static void
go_on_and_forget(void)
{
	past_begin();
	for (int64_t id = 100; id < 300; id++)
	{
		past_end(past_start(owner_first(), id, NULL), JOSCH_EXIT_CODE, 0, "");
		past_forget(owner_first(), id);
	}
}

/* What is rewritten may be shorter than before: its length alone does not tell that the former one came back. */
static void
test_before_the_rewriting(void)
{
	unit_apart(past_live);
	unit_apart(go_on_and_forget);
	whole = unit_read("journal", &whole_len);
	unit_apart(past_begin);
	unit_apart(past_begin);
	put_back(whole_len);
	what = "a longer journal of before it was rewritten";
	is_same = false;
	unit_apart(read_ledger);
}

/* The folder is copied, as a whole: another one is entered with its files. */
static void
enter_copy(void)
{
	static const char *const names[] = {"journal", "journal.end", "ledger", "known"};
	int			from = runner.spool_dir;
	size_t		len;
	Owner	   *owner;

	mkdirat(from, "copy", 0700);
	for (int i = 0; i < 4; i++)
	{
		uint8_t    *data;

		runner.spool_dir = from;
		data = unit_read(names[i], &len);
		runner.spool_dir = openat(from, "copy", O_RDONLY | O_DIRECTORY);
		unit_write(names[i], data, len);
	}
	what = "a copy of the spool";
	is_same = false;
	read_ledger();
	owner = owner_first();
	OK(run_find(owner, unit_key(6)) != NULL && run_find(owner, unit_key(7)) != NULL, "it knows how runs ended");
	for (int64_t id = 1; id <= 5; id++)
	{
		OK(run_find(owner, unit_key(id)) == NULL, "but says nothing of run %lld, which may live in the care of the other runner", (long long) id);
	}
}

static void
test_copy(void)
{
	unit_apart(past_live);
	unit_apart(enter_copy);
}

int
main(void)
{
	unit_test("damage", test_damage);
	unit_test("contradictions", test_contradictions);
	unit_test("no journal", test_no_journal);
	unit_test("a broken journal", test_broken_is_kept);
	unit_test("what is missing", test_missing);
	unit_test("before the rewriting", test_before_the_rewriting);
	unit_test("a copy", test_copy);
	return unit_result();
}
