/*
 * src/node/words.c
 *	  The words of a program that is executed without a shell.
 */
#include "base/josch.h"

#include "node/words.h"

#include <ctype.h>

#include "lib/stringinfo.h"

typedef struct Splitting
{
	JoschWords	words;
	StringInfoData word;
	bool		in_word;
	char		quote;			/* that is open; 0: none */
	char *const *environment;
} Splitting;

static void
end_word(Splitting *splitting)
{
	JoschWords *words = &splitting->words;

	if (splitting->in_word)
	{
		words->list = repalloc_huge(words->list, sizeof(char *) * (words->n + 2));
		words->list[words->n++] = pstrdup(splitting->word.data);
		words->list[words->n] = NULL;
		resetStringInfo(&splitting->word);
		splitting->in_word = false;
	}
}

static void
add(Splitting *splitting, char c)
{
	appendStringInfoChar(&splitting->word, c);
	splitting->in_word = true;
}

static const char *
value_of(char *const *environment, const char *name, size_t length)
{
	const char *value = NULL;

	/* as in a process, the last one counts */
	for (; *environment != NULL; environment++)
	{
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
		{
			value = *environment + length + 1;
		}
	}
	return value;
}

/* "at" is after the $; returns where the variable ends. */
static const char *
take_variable(Splitting *splitting, const char *at)
{
	bool		braces = *at == '{';
	const char *name = at + braces;
	size_t		length = 0;
	const char *value;

	while (name[length] == '_' || isalpha((unsigned char) name[length]) || (length > 0 && isdigit((unsigned char) name[length])))
	{
		length++;
	}
	if (length == 0 || (braces && name[length] != '}'))
	{
		splitting->words.fault = pstrdup("a $ begins no variable: there are $NAME and ${NAME}");
		return "";
	}
	value = value_of(splitting->environment, name, length);
	if (value == NULL)
	{
		splitting->words.fault = psprintf("a variable does not exist: \"%s\"", pnstrdup(name, length));
		return "";
	}
	appendStringInfoString(&splitting->word, value);
	splitting->in_word = true;
	return name + length + braces;
}

/* Takes a character, or as many as belong together; returns where the next begins. */
static const char *
take(Splitting *splitting, const char *at)
{
	if (*at == '$' && splitting->quote != '\'')
	{
		return take_variable(splitting, at + 1);
	}
	if (*at == '\\' && splitting->quote != '\'' && at[1] != '\0')
	{
		add(splitting, at[1]);
		return at + 2;
	}
	if (splitting->quote != 0 ? *at == splitting->quote : *at == '\'' || *at == '"')
	{
		splitting->quote = splitting->quote != 0 ? 0 : *at;
		splitting->in_word = true;
	}
	else if (splitting->quote == 0 && isspace((unsigned char) *at))
	{
		end_word(splitting);
	}
	else
	{
		add(splitting, *at);
	}
	return at + 1;
}

JoschWords
josch_words(const char *text, char *const *environment)
{
	Splitting	splitting = {.environment = environment};

	splitting.words.list = palloc0(sizeof(char *));
	initStringInfo(&splitting.word);
	for (const char *at = text != NULL ? text : ""; *at != '\0';)
	{
		at = take(&splitting, at);
	}
	end_word(&splitting);
	if (splitting.quote != 0 && splitting.words.fault == NULL)
	{
		splitting.words.fault = psprintf("a quote is not closed: %c", splitting.quote);
	}
	return splitting.words;
}
