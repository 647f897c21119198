/*
 * test/unit/sanitizer.c
 *	  How the sanitizers behave in a runner that was built with them.
 *
 * A daemon has no stderr, and the server starts it with an environment of two
 * variables: so what they find goes to a file whose name is built in.
 */

#define OPTIONS "log_path=" SANITIZER_LOG ":detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return OPTIONS;
}

const char *
__ubsan_default_options(void)
{
	return "print_stacktrace=1:log_path=" SANITIZER_LOG;
}
