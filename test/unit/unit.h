/*
 * test/unit/unit.h
 *	  A harness of its own for what needs no server: claims, and processes for them.
 *
 * The runner keeps its tables in static variables, and a test that dies must not
 * take the others with it.  So each test runs in a process of its own, in a spool
 * of its own; what it claims is a line of TAP without a number.
 */
#ifndef UNIT_H
#define UNIT_H

#include "runner/runner.h"

/* Claims that the condition holds; says with what words, as printf. */
#define OK(condition, ...) unit_claim((condition), __FILE__, __LINE__, __VA_ARGS__)

/* Claims that two numbers are the same, and shows them when they are not. */
#define IS(got, want, ...) unit_same((long long) (got), (long long) (want), __FILE__, __LINE__, __VA_ARGS__)

extern bool unit_claim(bool good, const char *file, int line, const char *fmt,...) __attribute__((format(printf, 4, 5)));
extern bool unit_same(long long got, long long want, const char *file, int line, const char *fmt,...)
			__attribute__((format(printf, 5, 6)));

/* Runs a part in a process that shares nothing with this one; false when something in it failed. */
extern bool unit_apart(void (*part) (void));

/* The same, as a test of its own in a new spool. */
extern void unit_test(const char *name, void (*test) (void));

/* Up to this many bytes may be written to a file, by this process; 0: any. */
extern void unit_limit_files(size_t bytes);

/* A file of the spool, to be freed; and the other way round. */
extern uint8_t *unit_read(const char *name, size_t *len);
extern void unit_write(const char *name, const void *data, size_t len);

/* The same numbers at each run. */
extern uint32_t unit_random(uint32_t below);

/* The exit code of the program. */
extern int	unit_result(void);

/* A run's number, with the nonce that it has in these tests. */
static inline JoschRunKey
unit_key(int64_t run_id)
{
	return (JoschRunKey) {run_id, run_id ^ 0x5a5a};
}

#endif							/* UNIT_H */
