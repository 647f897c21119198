/*
 * src/day/command_sh.c
 *	  Reads commands of sh: words, operators, redirections, here-documents.
 *
 * As POSIX has it, 2.3 Token Recognition to 2.10 Grammar, as far as it takes to
 * know which names a command sets by itself, and where a comment, a here-document
 * or a command in parentheses ends.
 */
#include "base/josch.h"

#include "day/command_sh.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

/* A here-document whose body starts at the next line. */
typedef struct HereDoc
{
	char	   *end;			/* the line that ends it */
	bool		strip_tabs;		/* <<- */
	bool		literal;		/* <<'END': nothing is expanded */
} HereDoc;

/* What the next word of a command is. */
typedef enum WordRole
{
	ROLE_COMMAND,				/* the command's name, an assignment, a reserved word */
	ROLE_ARGUMENT,
	ROLE_LOOP_NAME,				/* after "for" */
	ROLE_NAMES					/* after "read": arguments are names to set */
} WordRole;

/* A word that has been read. */
typedef struct Word
{
	StringInfoData text;		/* without its quotes */
	bool		plain;			/* no quote and no expansion in it */
	char	   *assigned;		/* NAME of NAME=...; NULL when it is no assignment */
} Word;

/* After these a command begins anew. */
static const char *const command_follows[] = {
	"if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", NULL
};

bool
josch_command_sh_is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
	{
		if (strcmp(name, *names) == 0)
		{
			return true;
		}
	}
	return false;
}

static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Appends what stands between two quotes, of which the second may be missing. */
static void
append_quoted(StringInfo text, const char *start, const char *end, char quote)
{
	bool		closed = end > start && end[-1] == quote;

	appendBinaryStringInfo(text, start, end - start - closed);
}

/*
 * Reads one word, up to a blank or an operator.  NAME= counts only when the
 * name and the sign are bare.
 */
static Word
read_word(ShReader *reader)
{
	Word		word = {.plain = true};
	int			length = josch_command_sh_expand_name(reader->at);

	initStringInfo(&word.text);
	if (length > 0 && reader->at[length] == '=')
	{
		word.assigned = pnstrdup(reader->at, length);
	}
	while (*reader->at != '\0' && strchr(" \t\n;&|<>()", *reader->at) == NULL)
	{
		char		c = *reader->at++;

		word.plain &= strchr("\\'\"$`", c) == NULL;
		if (c == '\\')
		{
			if (*reader->at != '\0' && *reader->at++ != '\n')
			{
				appendStringInfoChar(&word.text, reader->at[-1]);
			}
		}
		else if (c == '\'')
		{
			const char *start = reader->at;

			josch_command_sh_expand_single_quoted(reader);
			append_quoted(&word.text, start, reader->at, '\'');
		}
		else if (c == '"')
		{
			const char *start = reader->at;

			josch_command_sh_expand_double_quoted(reader);
			append_quoted(&word.text, start, reader->at, '"');
		}
		else if (c == '$')
		{
			josch_command_sh_expand_dollar(reader, false);
		}
		else if (c == '`')
		{
			josch_command_sh_expand_backquoted(reader, false);
		}
		else
		{
			appendStringInfoChar(&word.text, c);
		}
	}
	return word;
}

static void
skip_blanks(ShReader *reader)
{
	for (;;)
	{
		if (*reader->at == ' ' || *reader->at == '\t')
		{
			reader->at++;
		}
		else if (reader->at[0] == '\\' && reader->at[1] == '\n')
		{
			reader->at += 2;
		}
		else
		{
			return;
		}
	}
}

/* Reads the body of one here-document; the reader stands at its first line. */
static void
read_here_doc(ShReader *reader, const HereDoc *doc)
{
	StringInfoData body;
	ShReader		inner;

	initStringInfo(&body);
	while (*reader->at != '\0')
	{
		const char *line = reader->at;
		int			length = strcspn(line, "\n");

		reader->at += length + (line[length] == '\n');
		while (doc->strip_tabs && *line == '\t')
		{
			line++;
			length--;
		}
		if (length == strlen(doc->end) && strncmp(line, doc->end, length) == 0)
		{
			break;
		}
		appendBinaryStringInfo(&body, line, length);
		appendStringInfoChar(&body, '\n');
	}
	inner = josch_command_sh_expand_inner(reader, body.data);
	while (!doc->literal && *inner.at != '\0')
	{
		josch_command_sh_expand_character(&inner);
	}
}

static void
read_here_docs(ShReader *reader)
{
	ListCell   *cell;

	foreach(cell, reader->here_docs)
	{
		read_here_doc(reader, lfirst(cell));
	}
	reader->here_docs = NIL;
}

/* Reads an operator of redirection and its target; the reader stands on it. */
static void
read_redirection(ShReader *reader)
{
	bool		here_doc = strncmp(reader->at, "<<", 2) == 0 && reader->at[2] != '<';
	bool		strip_tabs = here_doc && reader->at[2] == '-';
	Word		target;

	reader->at += strspn(reader->at, "<>");
	reader->at += strip_tabs;
	if (*reader->at != '\0' && strchr("&|", *reader->at) != NULL)
	{
		reader->at++;			/* >& <& >| */
	}
	skip_blanks(reader);
	target = read_word(reader);
	if (here_doc)
	{
		HereDoc    *doc = palloc(sizeof(HereDoc));

		doc->end = target.text.data;
		doc->strip_tabs = strip_tabs;
		doc->literal = !target.plain;
		reader->here_docs = lappend(reader->here_docs, doc);
	}
}

/*
 * Notes what a word sets, and tells what the next one is.  "case" and "esac"
 * change *cases, the number of case commands that are open.
 */
static WordRole
take_word(ShReader *reader, const Word *word, WordRole role, int *cases)
{
	const char *text = word->text.data;

	if (word->assigned != NULL)
	{
		josch_command_sh_expand_note(reader->set, word->assigned, strlen(word->assigned));
		return role;
	}
	if (role == ROLE_LOOP_NAME || role == ROLE_NAMES)
	{
		if (word->plain && text[0] != '\0' && josch_command_sh_expand_name(text) == word->text.len)
		{
			josch_command_sh_expand_note(reader->set, text, word->text.len);
		}
		return role == ROLE_NAMES ? ROLE_NAMES : ROLE_ARGUMENT;
	}
	if (role != ROLE_COMMAND || !word->plain)
	{
		return ROLE_ARGUMENT;
	}
	if (strcmp(text, "case") == 0)
	{
		(*cases)++;
	}
	else if (strcmp(text, "esac") == 0 && *cases > 0)
	{
		(*cases)--;
	}
	else if (strcmp(text, "for") == 0)
	{
		return ROLE_LOOP_NAME;
	}
	else if (strcmp(text, "read") == 0 || strcmp(text, "local") == 0 || strcmp(text, "getopts") == 0)
	{
		return ROLE_NAMES;
	}
	else if (strcmp(text, ".") == 0 || strcmp(text, "source") == 0 || strcmp(text, "eval") == 0)
	{
		*reader->opaque = true;
	}
	else if (josch_command_sh_is_one_of(text, command_follows))
	{
		return ROLE_COMMAND;
	}
	return ROLE_ARGUMENT;
}

/*
 * Reads commands up to the end of the text, or to the parenthesis that closes
 * them, which is read too.
 */
void
josch_command_sh_read(ShReader *reader)
{
	WordRole	role = ROLE_COMMAND;
	int			cases = 0;

	check_stack_depth();
	for (;;)
	{
		char		c;

		CHECK_FOR_INTERRUPTS();
		skip_blanks(reader);
		c = *reader->at;
		if (c == '\0')
		{
			return;
		}
		if (c == '#')
		{
			reader->at += strcspn(reader->at, "\n");
		}
		else if (c == '<' || c == '>')
		{
			read_redirection(reader);
		}
		else if (strchr(";&|\n()", c) != NULL)
		{
			reader->at++;
			if (c == '\n')
			{
				read_here_docs(reader);
			}
			else if (c == '(')
			{
				josch_command_sh_read(reader);
			}
			else if (c == ')' && cases == 0)
			{
				return;
			}
			role = ROLE_COMMAND;
		}
		else
		{
			Word		word = read_word(reader);

			/* the 2 of 2>file is no word of the command */
			if ((*reader->at == '<' || *reader->at == '>') && is_number(word.text.data))
			{
				continue;
			}
			role = take_word(reader, &word, role, &cases);
		}
	}
}
