/*
 * src/template/check_nodes.c
 *	  Commands, SQL and times of nodes that are to be loaded: what cannot be meant.
 */
#include "base/josch.h"

#include "template/validate.h"

#include <sys/stat.h>

#include "base/attempt.h"
#include "base/config.h"
#include "node/statement.h"
#include "node/variables.h"
#include "template/found_command.h"
#include "template/store_check.h"

#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* What is told of many nodes, and of each kind not more often than somebody reads. */
typedef enum NodeKind
{
	UNKNOWN_VARIABLE, MISSING_PROGRAM, MISSING_FOLDER, BAD_SQL, LONELY_SQL, NO_REPEAT, NODE_KINDS
} NodeKind;

typedef struct NodeCheck
{
	JoschFindings *findings;
	MemoryContext scratch;
	JoschVariables *variables;
	bool		sees_host;		/* the caller may know what is on this host */
	const char *path;			/* on which programs are found; NULL: nobody knows */
	int			told[NODE_KINDS];
} NodeCheck;

#define TELL(check, node, kind, severity, ...) \
	do { \
		if ((check)->told[kind]++ < FINDINGS_OF_A_KIND) \
			josch_findings_add_row((check)->findings, severity, \
								   josch_findings_node((node)->node_id, (node)->node_name, (node)->job_name), \
								   TEMPLATE_NODES, psprintf(INT64_FORMAT, (node)->node_id), __VA_ARGS__); \
	} while (0)

/* ---- commands ---- */

static void
check_variables(NodeCheck *check, const CheckedNode *node, const char *what, const char *command)
{
	int			n;
	char	  **names = josch_variables_unknown(check->variables, command, &n);

	for (int i = 0; i < n; i++)
	{
		TELL(check, node, UNKNOWN_VARIABLE, FINDING_WARNING,
			 "its %s uses the variable \"%s\", which does not exist: it will fail when it is to start", what, names[i]);
	}
}

static const char *
value_of(const char *name, void *arg)
{
	return josch_store_check_variable(name);
}

static const char *
folder_of(const CheckedNode *node)
{
	if (node->work_dir != NULL)
	{
		return node->work_dir;
	}
	return josch_config_work_directory != NULL && josch_config_work_directory[0] == '/' ? josch_config_work_directory : NULL;
}

static void
check_command(NodeCheck *check, const CheckedNode *node, const char *command, bool elsewhere)
{
	char	   *missing;

	if (command == NULL)
	{
		return;
	}
	if (strchr(command, '$') != NULL)
	{
		check_variables(check, node, "command", command);
	}
	if (!check->sees_host || elsewhere)
	{
		return;
	}
	missing = josch_missing_program(command, check->path, folder_of(node), value_of, NULL);
	if (missing != NULL)
	{
		TELL(check, node, MISSING_PROGRAM, FINDING_WARNING, "the program \"%s\" is not found on this host", missing);
	}
}

static void
check_folder(NodeCheck *check, const CheckedNode *node)
{
	struct stat status;

	if (check->sees_host && node->work_dir != NULL && node->exec_command != NULL &&
		(stat(node->work_dir, &status) != 0 || !S_ISDIR(status.st_mode)))
	{
		TELL(check, node, MISSING_FOLDER, FINDING_WARNING, "its work_dir \"%s\" is not a directory of this host", node->work_dir);
	}
}

/* ---- SQL ---- */

typedef struct Parsing
{
	const CheckedNode *node;
	const char *alone;			/* what cannot run in a transaction with others */
} Parsing;

static void
parse_exec_sql(void *arg)
{
	Parsing    *parsing = arg;
	List	   *statements = raw_parser(parsing->node->exec_sql, RAW_PARSE_DEFAULT);
	ListCell   *cell;

	foreach(cell, statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);

		josch_statement_refuse(raw, parsing->node->exec_sql_atomic);
		if (parsing->alone == NULL)
		{
			parsing->alone = josch_statement_alone(raw);
		}
	}
}

static void
parse_wait_sql(void *arg)
{
	const Parsing *parsing = arg;
	List	   *statements = raw_parser(parsing->node->wait_sql, RAW_PARSE_DEFAULT);

	if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt))
	{
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("it is not one SELECT")));
	}
}

/* The line of a text in which its n-th character stands. */
static int
line_of(const char *text, int n)
{
	int			line = 1;
	int			end = pg_mbcharcliplen(text, strlen(text), Max(n - 1, 0));

	for (int i = 0; i < end; i++)
	{
		line += text[i] == '\n';
	}
	return line;
}

static void
check_sql(NodeCheck *check, const CheckedNode *node, const char *what, const char *sql, void (*parse) (void *))
{
	Parsing		parsing = {.node = node};
	ErrorData  *error;

	if (sql == NULL)
	{
		return;
	}
	error = josch_attempt(parse, &parsing);
	if (error != NULL && error->cursorpos > 0)
	{
		TELL(check, node, BAD_SQL, FINDING_ERROR, "its %s does not parse: %s, in line %d of it", what, error->message,
			 line_of(sql, error->cursorpos));
	}
	else if (error != NULL)
	{
		TELL(check, node, BAD_SQL, FINDING_ERROR, "its %s cannot run: %s", what, error->message);
	}
	else if (parsing.alone != NULL && node->exec_sql_atomic)
	{
		TELL(check, node, LONELY_SQL, FINDING_ERROR, "%s cannot run in a transaction: exec_sql_atomic must be false", parsing.alone);
	}
}

/* ---- the whole ---- */

static void
check_node(const CheckedNode *node, void *arg)
{
	NodeCheck  *check = arg;
	MemoryContext former = MemoryContextSwitchTo(check->scratch);

	check_command(check, node, node->exec_command, node->elsewhere);
	check_command(check, node, node->ready_command, false);
	check_folder(check, node);
	check_sql(check, node, "SQL", node->exec_sql, parse_exec_sql);
	check_sql(check, node, "wait_sql", node->wait_sql, parse_wait_sql);
	if (node->wait_file != NULL)
	{
		check_variables(check, node, "wait_file", node->wait_file);
	}
	if (node->repeats_never)
	{
		TELL(check, node, NO_REPEAT, FINDING_WARNING, "it is never repeated: its second run would begin after repeat_until");
	}
	MemoryContextSwitchTo(former);
	MemoryContextReset(check->scratch);
}

/* Where programs are looked for: the runner that the scheduler starts has the server's PATH; of another one nobody knows. */
static const char *
search_path(void)
{
	const char *path = josch_store_check_variable("PATH");

	return path != NULL ? path : josch_config_start_runner ? getenv("PATH") : NULL;
}

void
josch_check_nodes(const Load *load, JoschFindings *findings)
{
	NodeCheck	check = {.findings = findings};

	if (load->batches[TEMPLATE_NODES] == NULL)
	{
		return;
	}
	check.scratch = AllocSetContextCreate(CurrentMemoryContext, "josch node", ALLOCSET_DEFAULT_SIZES);
	check.variables = josch_variables_begin(GetActiveSnapshot());
	/* who may have a program run can find out what is there anyway; nobody else is told */
	check.sees_host = has_privs_of_role(GetUserId(), ROLE_PG_EXECUTE_SERVER_PROGRAM);
	check.path = search_path();
	josch_store_check_nodes(&load->batches[TEMPLATE_NODES]->rows, check_node, &check);
}
