/*
 * src/template/findings.c
 *	  What is wrong, or doubtful, with templates: gathered instead of raised.
 *
 * They are found in a subtransaction of which nothing stays, so all is copied at once
 * to a context that outlives it.
 */
#include "base/josch.h"

#include "template/findings.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"

const char *const josch_finding_severities[] = {"error", "warning", "note"};

JoschFindings *
josch_findings_create(void)
{
	JoschFindings *findings = palloc0(sizeof(JoschFindings));

	findings->context = CurrentMemoryContext;
	return findings;
}

static char *
copy(const char *text)
{
	return text == NULL ? NULL : pstrdup(text);
}

static void
add(JoschFindings *findings, JoschFinding found)
{
	MemoryContext former = MemoryContextSwitchTo(findings->context);
	JoschFinding *finding = palloc(sizeof(JoschFinding));

	*finding = found;
	finding->object = copy(found.object);
	finding->message = copy(found.message);
	finding->place = copy(found.place);
	finding->key = copy(found.key);
	findings->list = lappend(findings->list, finding);
	findings->errors += found.severity == FINDING_ERROR;
	MemoryContextSwitchTo(former);
}

/* printf into a text that is palloc'd. */
#define FORMAT(text, format) \
	do { \
		StringInfoData buffer_; \
		va_list		args_; \
		int			needed_; \
		initStringInfo(&buffer_); \
		do { \
			va_start(args_, format); \
			needed_ = appendStringInfoVA(&buffer_, format, args_); \
			va_end(args_); \
			if (needed_ > 0) \
				enlargeStringInfo(&buffer_, needed_); \
		} while (needed_ > 0); \
		(text) = buffer_.data; \
	} while (0)

void
josch_findings_add(JoschFindings *findings, FindingSeverity severity, const char *object, const char *place,
				   const char *format,...)
{
	char	   *message;

	FORMAT(message, format);
	add(findings, (JoschFinding) {
		.severity = severity,.object = (char *) object,.message = message,.place = (char *) place,.table = FINDING_NOWHERE
	});
}

void
josch_findings_add_row(JoschFindings *findings, FindingSeverity severity, const char *object,
					   int table, const char *key, const char *format,...)
{
	char	   *message;

	FORMAT(message, format);
	add(findings, (JoschFinding) {
		.severity = severity,.object = (char *) object,.message = message,.table = table,.key = (char *) key
	});
}

/* A sentence on its way into another: without the stop at its end. */
static void
append_sentence(StringInfo text, const char *sentence)
{
	Size		length = strlen(sentence);

	while (length > 0 && strchr(". \n", sentence[length - 1]) != NULL)
	{
		length--;
	}
	appendStringInfo(text, ". %.*s", (int) length, sentence);
}

void
josch_findings_add_error(JoschFindings *findings, const char *object, const char *place, const ErrorData *error)
{
	StringInfoData message;

	initStringInfo(&message);
	appendStringInfoString(&message, error->message);
	if (error->detail != NULL)
	{
		append_sentence(&message, error->detail);
	}
	if (error->hint != NULL)
	{
		append_sentence(&message, error->hint);
	}
	josch_findings_add(findings, FINDING_ERROR, object, place, "%s", message.data);
}

static bool
is_about_data(const ErrorData *error)
{
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_DATA_EXCEPTION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		error->sqlerrcode == ERRCODE_UNDEFINED_COLUMN || error->sqlerrcode == ERRCODE_DUPLICATE_COLUMN;
}

void
josch_findings_take_or_rethrow(JoschFindings *findings, const char *object, MemoryContext context)
{
	ErrorData  *error;
	Size		length;

	if (findings == NULL)
	{
		PG_RE_THROW();
	}
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (!is_about_data(error))
	{
		PG_RE_THROW();
	}
	FlushErrorState();
	length = error->detail != NULL ? strlen(error->detail) : 0;
	if (length > 0 && error->detail[length - 1] == '.')
	{
		error->detail[length - 1] = '\0';
	}
	josch_findings_add(findings, FINDING_ERROR, object, error->detail != NULL ? error->detail : error->context, "%s%s%s", error->message,
					   error->hint != NULL ? ". " : "", error->hint != NULL ? error->hint : "");
}

char *
josch_findings_node(int64 node_id, const char *node_name, const char *job_name)
{
	return psprintf("node " INT64_FORMAT " \"%s\" of job \"%s\"", node_id, node_name, job_name);
}

char *
josch_findings_job(const char *job_name)
{
	return psprintf("job \"%s\"", job_name);
}
