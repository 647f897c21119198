/*
 * src/runner/runner.h
 *	  What the parts of josch-runner know of each other.
 *
 * The run, the owner of runs, the connection, and one block of prototypes per file.
 * A run belongs to an owner (server identity, database, and the token of its
 * installation), and is known by number and nonce.  A connection hears of one owner
 * only.
 *
 * All times with the suffix _boot are microseconds of CLOCK_BOOTTIME (deadlines:
 * they go on while the machine sleeps, and no one can set them); all with _at are
 * microseconds since 1970 (for people).
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "options.h"
#include "wire/protocol.h"
#include "wire/report.h"

#define MS ((int64_t) 1000)
#define SECOND ((int64_t) 1000000)

typedef struct Run Run;
typedef struct RunReport RunReport;
typedef struct Owner Owner;
typedef struct Conn Conn;

/* Runs that were forgotten: all numbers up to floor, and some runs above it. */
typedef struct Seen
{
	int64_t		floor;
	JoschRunKey *keys;			/* ascending */
	int			count;
	int			capacity;
} Seen;

struct Owner
{
	uint32_t	number;			/* in the journal */
	char	   *identity;
	uint32_t	database;
	char	   *name;			/* of the database, for the log */
	char	   *token;
	int64_t		given;			/* greatest run_id that it ever gave us to start */
	int64_t		highest;		/* the same, or greater: what it said to have */
	bool		recorded;		/* in the journal */
	Seen		forgotten;
	Run		   *first;			/* all runs, oldest first */
	Run		   *last;
	Owner	   *next;
};

typedef enum RunPhase
{
	RUN_STARTING,				/* on record, without a process yet */
	RUN_LIVE,
	RUN_EXITED
} RunPhase;

/* Who speaks in a report. */
typedef enum ReportFile
{
	REPORT_OF_COMMAND, REPORT_OF_EXECUTOR, REPORT_FILES
} ReportFile;

/* How far a file has been read. */
typedef struct ReportPlace
{
	int64_t		offset;			/* all before it has been read */
	bool		skipping;		/* up to the end of a line that is too long */
	uint64_t	before;			/* a hash of the bytes before the offset */
} ReportPlace;

/* What was read of a run's report (report.c). */
struct RunReport
{
	JoschReport kept;
	ReportPlace places[REPORT_FILES];
	bool		changed;		/* since it was told */
};

struct Run
{
	Owner	   *owner;
	int64_t		id;
	int64_t		nonce;
	RunPhase	phase;
	uint32_t	flags;			/* JOSCH_RUN_... */
	pid_t		pid;			/* main process, its group and its session */
	int64_t		start;			/* start time of the main process as /proc has it; 0: not known */
	int64_t		started_at;
	int64_t		started_boot;
	int64_t		up_at;
	bool		former;			/* started by a runner that has died */

	/* what START asked for, as far as it is needed later */
	char	   *log_path;
	char	   *cwd;
	char	  **env;
	char	  **ready_argv;		/* NULL: none */
	uint64_t	timeout_ms;
	uint64_t	grace_ms;
	uint64_t	ready_after_ms;
	uint64_t	log_limit;		/* 0: none */
	bool		executor;		/* the process is the program of an executor (attach.c) */
	char	  **attach_argv;	/* NULL: none */
	char	  **stop_argv;

	/* trim.c */
	int64_t		log_size;		/* at the last look */
	int64_t		hole_end;		/* of what was taken out of its middle */
	int			log_watch;

	/* report.c */
	RunReport  *report;			/* what was read of it; NULL: nothing */
	int			report_watches[REPORT_FILES];
	JoschSlice	end_report;		/* of a run that has ended; ours */

	/* deadlines, 0: none; each change is followed by timer_update */
	int64_t		timeout_boot;
	int64_t		kill_boot;
	int64_t		ready_boot;
	int64_t		probe_kill_boot;
	int64_t		watch_boot;		/* look again whether it lives: it has no descriptor */
	int64_t		trim_boot;		/* look at the size of its log */
	int64_t		report_boot;	/* look at its report */
	int64_t		attach_boot;	/* try to attach, or hand a stop on to the program that has */
	int64_t		tell_boot;		/* tell that it has started, unless something else is told before; 0: it is told */
	int64_t		wake_boot;		/* the earliest; kept by timer.c */
	int			heap_index;		/* -1: not in the heap */

	bool		attached;		/* its process was started by us to attach */
	bool		asked;			/* there is nobody else to say how it ended */
	int			attach_gap_ms;
	bool		killed;			/* KILL has been sent */
	bool		draining;		/* main process gone, its stopped group not yet */
	bool		lost;			/* it has ended, and how is not known: the end of the turn says so */
	pid_t		probe_pid;
	int			probe_gap_ms;
	int			watch_fd;		/* of the main process, when it is no child of ours; or -1 */

	JoschExit	end;			/* tail.data is ours */

	Run		   *next_in_bucket;
	Run		   *next;			/* of the owner */
	Run		   *previous;
};

struct Conn
{
	int			fd;
	Owner	   *owner;			/* NULL before HELLO */
	bool		compatible;		/* speaks our protocol */
	bool		broken;			/* to be freed at the end of the turn */
	bool		unread;			/* whole frames wait in `in` */
	bool		waits_writable;
	bool		listing;		/* LIST is being answered */
	JoschScope	list_scope;
	Owner	   *list_owner;		/* whose runs are on their way */
	Run		   *list_next;		/* of it; NULL: all are told */
	JoschBuffer in;
	JoschBuffer out;
	Conn	   *next;
};

#define LEDGER_SIZE 33			/* 32 digits */

/* The few things that there is one of. */
typedef struct Runner
{
	Options		options;
	char	   *spool;			/* absolute */
	char	   *program;		/* absolute path of our own binary */
	int			spool_dir;		/* descriptor */
	int			listen_fd;
	char		boot_id[64];
	char		incarnation[128];
	int64_t		started_at;
	char		ledger[LEDGER_SIZE];	/* the journal's own word: made when it is begun anew */
	uint64_t	generation;		/* of the journal's file */
	bool		other_boot;		/* the journal is of a former boot: nothing of it lives */
	bool		quit;			/* leave at the end of this turn */
	char	   *replace_by;		/* path: execve at the end of this turn */
	Conn	   *replace_asker;	/* gets the ERROR; NULL for SIGHUP */
} Runner;

/* runner.c */
extern Runner runner;

extern bool write_all(int fd, const void *data, size_t len);

/* util.c */
extern void *xrealloc(void *ptr, size_t size);
extern void *xcalloc(size_t count, size_t size);
extern char *xstrdup(const char *text);
extern char *slice_dup(JoschSlice slice);
extern char *format(const char *fmt,...) __attribute__((format(printf, 1, 2)));
extern char **strings_dup(JoschStrings list);
extern bool strings_pack(char *const *items, JoschBuffer *packed, JoschStrings *list);
extern char *utf8_clean(const char *data, size_t len, uint32_t *clean_len);
extern int64_t now_boot(void);
extern int64_t now_epoch(void);
extern void take_events(int fd, void (*take) (const struct inotify_event *event, void *argument), void *argument);
extern uint64_t hash_bytes(const void *data, size_t len);

/* spool.c */
typedef enum SpoolLock
{
	SPOOL_OURS,
	SPOOL_OTHERS,				/* another runner holds it, and answers */
	SPOOL_NOBODYS				/* cannot be had; the log says why */
} SpoolLock;

extern void spool_enter(void);
extern SpoolLock spool_take_lock(void);
extern bool spool_listen(void);
extern int	spool_watch(void);
extern void spool_changed(void);
extern int64_t spool_check_due(void);
extern void spool_check(void);
extern bool spool_is_ours(void);
extern void spool_leave(void);

/* log.c */
extern void log_open(void);
extern void log_line(const char *fmt,...) __attribute__((format(printf, 1, 2)));

/* seen.c */
extern bool seen_has(const Seen *seen, JoschRunKey key);
extern void seen_add(Seen *seen, JoschRunKey key);

/* table.c */
typedef enum ChildKind
{
	CHILD_COMMAND,
	CHILD_PROBE
} ChildKind;

extern Owner *owner_find(JoschSlice identity, uint32_t database, JoschSlice token);
extern Owner *owner_by_number(uint32_t number);
extern Owner *owner_add(uint32_t number, JoschSlice identity, uint32_t database, JoschSlice name, JoschSlice token);
extern void owner_raise(Owner *owner, int64_t highest, int64_t given);
extern bool owner_is_meant(const Owner *owner, const Owner *asker, JoschScope scope);
extern Owner *owner_first(void);
extern JoschRunKey run_key(const Run *run);
extern Run *run_find(const Owner *owner, JoschRunKey key);
extern Run *run_find_meant(const Owner *asker, JoschScope scope, JoschRunKey key);
extern Run *run_add(Owner *owner, JoschRunKey key);
extern void run_set_request(Run *run, const JoschStart *start);
extern void run_remove(Run *run);
extern void run_drop_report(Run *run);
extern void run_all_former(void);
extern void child_add(pid_t pid, ChildKind kind, Run *run);
extern bool child_take(pid_t pid, ChildKind *kind, Run **run);

/* journal.c, journal_load.c */
typedef enum JournalType
{
	JOURNAL_HEADER = 1,
	JOURNAL_OWNER,
	JOURNAL_SEEN,
	JOURNAL_LIFE,
	JOURNAL_START,
	JOURNAL_SPAWNED,
	JOURNAL_UP,
	JOURNAL_STOPPING,
	JOURNAL_EXIT,
	JOURNAL_FORGET,
	JOURNAL_HIGHEST
} JournalType;

/* One record of any type: each uses the fields that journal_code names for it. */
typedef struct JournalRecord
{
	uint8_t		type;
	uint32_t	format;
	JoschSlice	text;			/* boot id, identity, incarnation */
	JoschSlice	place;			/* of the spool */
	uint64_t	generation;		/* of the file: each time that it is rewritten */
	JoschSlice	name;			/* of a database; ledger */
	JoschSlice	token;
	uint32_t	owner;
	uint32_t	database;
	int64_t		id;				/* run, floor of SEEN, highest */
	int64_t		given;
	int64_t		nonce;
	int64_t		pid;
	int64_t		at;				/* epoch */
	int64_t		boot;			/* boottime */
	int64_t		process_start;	/* of the main process, as /proc has it */
	JoschSlice	keys;			/* FORGET, SEEN: number and nonce each */
	JoschStart	start;
	JoschExit	end;
	JoschSlice	report;			/* EXIT: what it has said */
} JournalRecord;

/* What journal_load found besides owners and runs. */
typedef struct JournalFound
{
	bool		intact;			/* of this boot and this spool, and nothing that was written is missing */
	bool		elsewhere;		/* it was written in another folder: it is a copy, or was moved */
	bool		broken;			/* ends in something that is no record */
	char		incarnation[128];	/* of the last life */
	int64_t		pid;
	int64_t		started_at;
	char		ledger[LEDGER_SIZE];
	uint64_t	generation;
	uint64_t	size;			/* of all records that were read */
} JournalFound;

extern void journal_code(JoschCodec *c, JournalRecord *r);
extern uint32_t journal_checksum(const uint8_t *data, size_t len);
extern char *journal_place(void);
extern bool journal_rewrite(void);
extern bool journal_append(void);
extern bool journal_is_ours(void);

extern void journal_load(JournalFound *found);
extern void journal_flush(void);
extern bool journal_start(Run *run);
extern bool journal_take_back(void);
extern void journal_spawned(const Run *run);
extern bool journal_up(const Run *run);
extern bool journal_stopping(const Run *run);
extern bool journal_exit(const Run *run);
extern bool journal_forget(Owner *owner, JoschSlice keys);
extern bool journal_highest(Owner *owner);

/* mark.c */
extern void mark_open(void);
extern void mark_set(uint64_t generation, uint64_t size);
extern bool mark_agrees(const JournalFound *found);

/* life.c */
extern bool life_begin(void);

/* files.c */
extern int	spool_open(const char *path, int flags);
extern int	spool_walk(const char *path, int flags);
extern bool spool_path_allowed(const char *path);
extern void log_remove(const char *path);
extern char *log_tail(const char *path, uint32_t *len, int64_t *size);

/* shortage.c */
extern bool shortage_passes(int error);
extern bool shortage_of_spool_passes(int error);
extern char *shortage_text(int error, const char *what);
extern int	shortage_of_room(void);

/* spawn.c */
typedef struct SpawnRequest
{
	char *const *argv;
	char *const *env;			/* of the message; the base is added */
	const char *cwd;			/* NULL or empty: home */
	char	   *const *own;		/* entries of env that win; NULL: none */
	int			output_fd;		/* -1: /dev/null */
} SpawnRequest;

extern void spawn_init(void);
extern int	spawn_process(const SpawnRequest *request, pid_t *pid, char **why);
extern int	spawn_for_run(const Run *run, SpawnRequest *request, bool reports, pid_t *pid, char **why);

/* process.c */
typedef struct Process
{
	pid_t		pid;
	pid_t		group;
	pid_t		session;
	int64_t		start;			/* with the number it is given once a boot */
	bool		ended;
	bool		stuck;			/* waits for a disk or the like */
	char		name[64];
} Process;

extern bool process_look(pid_t pid, Process *process);
extern bool process_is_over(pid_t pid, int64_t start);
extern int64_t process_started_boot(int64_t start);
extern int64_t process_start_of_child(pid_t pid, int64_t before);
extern int	process_open(pid_t pid);
extern char *process_mark(const Run *run);
extern bool process_read(pid_t pid, Process *process, JoschRunKey *key);
extern bool process_next(DIR *proc, Process *process, JoschRunKey *key);

/* survivors.c */
extern void survivors_find(Run **runs, int n);
extern bool survivors_find_main(Run *run, pid_t pid, int64_t started_at);

/* run.c */
extern void run_start(Conn *conn, const JoschStart *start);
extern void run_adopt(Conn *conn, const JoschStart *start);
extern void run_watch(Run *run);
extern void run_watched_ended(Run *run);
extern void run_attach_due(Run *run);
extern void run_finish_drained(void);
extern void run_finish_lost(void);
extern void run_forget(const Owner *asker, const JoschForget *forget);
extern void run_describe(const Run *run, JoschRun *out);
extern void run_reap(void);
extern bool run_any(void);
extern bool run_any_draining(void);
extern void run_kill_draining(void);
extern void run_resume_all(void);

/* attach.c */
extern bool attach_instead(Run *run);
extern void attach_again(Run *run);

/* stop.c */
extern void stop_run(Run *run, uint64_t grace_ms, uint32_t why);
extern void stop_kill(Run *run);
extern void stop_term(const Run *run);
extern bool stop_group_exists(const Run *run);
extern void stop_sweep_later(const Run *run);
extern void stop_sweep_sessions(void);

/* ready.c */
extern void ready_schedule(Run *run);
extern void ready_due(Run *run);
extern void ready_probe_ended(Run *run, int status);
extern void ready_cancel(Run *run);

/* watch.c */
extern bool watch_start(Run *run);
extern void watch_cancel(Run *run);

/* trim.c */
extern int	trim_init(void);
extern void trim_begin(Run *run);
extern void trim_due(Run *run);
extern void trim_end(Run *run, int64_t size);
extern void trim_changed(void);
extern size_t trim_piece(int fd, int64_t *offset, size_t most);

/* report.c */
#define JOSCH_REPORT_SUFFIX ".report"
#define JOSCH_EXECUTOR_REPORT_SUFFIX ".executor"
#define JOSCH_EXECUTOR_STATE_SUFFIX ".state"

extern int	report_init(void);
extern bool report_create(Run *run, bool anew);
extern char *report_entry(const Run *run, const char *name, const char *suffix);
extern bool report_note(const Run *run, JoschReportSide word);
extern void report_remove(const Run *run);
extern void report_due(Run *run);
extern void report_look(Run *run);
extern void report_catch_up(Run *run);
extern void report_say(Run *run, const char *line);
extern void report_resume(Run *run);
extern void report_end(Run *run);
extern void report_changed(void);
extern JoschSlice report_text(const Run *run);

/* timer.c */
extern void timer_update(Run *run);
extern Run *timer_due(int64_t now);
extern int64_t timer_next(void);

/* due.c */
extern void due_fire(int64_t now);

/* poll.c */
#define POLL_EVENTS 64

typedef enum PollSource
{
	POLL_LISTEN,
	POLL_SIGNALS,
	POLL_TIMER,
	POLL_SPOOL,
	POLL_LOGS,
	POLL_REPORTS,
	POLL_LOOKOUT,
	POLL_RUN,
	POLL_CONN
} PollSource;

typedef struct PollEvent
{
	PollSource	source;
	Conn	   *conn;			/* POLL_CONN: there is something to read */
	Run		   *run;			/* POLL_RUN: its main process has ended */
} PollEvent;

extern void poll_init(void);
extern void poll_add(PollSource source, int fd);
extern void poll_conn(Conn *conn);
extern void poll_run(Run *run);
extern void poll_change(Conn *conn);
extern void poll_listen(bool on);
extern void poll_lookout(int fd, bool writable);
extern int	poll_wait(PollEvent *events, bool sleep);

/* relay.c */
extern void relay_watch(Conn *conn, const JoschWatch *watch);
extern void relay_unwatch(Conn *conn, int64_t number);
extern void relay_forget(const Conn *conn);
extern void relay_readable(void);
extern void relay_flush(void);
extern int64_t relay_due(void);

/* lookout.c */
extern int	lookout_main(void);

/* conn.c */
extern void conn_accept(void);
extern void conn_readable(Conn *conn);
extern void conn_fail(Conn *conn, const char *why);
extern void conn_flush_all(void);
extern void conn_forget_run(const Run *run);
extern Conn *conn_first(void);
extern void conn_error(Conn *conn, const char *text);

/* tell.c */
extern void tell_started_soon(Run *run);
extern void tell_started(Run *run);
extern void tell_start_failed(const Run *run, bool passing);
extern void tell_refused(Conn *conn, JoschRunKey key, JoschRefusal reason);
extern void tell_up(Run *run);
extern void tell_report(Run *run, JoschSlice text);
extern void tell_exited(Run *run);

/* serve.c */
extern bool serve_all(void);
extern void serve_drain(void);

/* loop.c */
extern void loop_init(void);
extern void loop_run(void);

/* replace.c */
extern void replace_now(void);
extern void replace_adopt(void);
extern void replace_set_helpers(bool on);

#endif							/* RUNNER_H */
