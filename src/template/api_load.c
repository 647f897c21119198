/*
 * src/template/api_load.c
 *	  josch.load_csv(), josch.load() and josch.load_schema(), and what beside them only
 *	  looks: josch.validate*(), josch.diff*().
 *
 * All of them read the same sources by the same rules, so that what is looked at is what is loaded.
 */
#include "base/josch.h"

#include "base/config.h"
#include "base/report.h"
#include "base/spi_plan.h"
#include "template/load.h"
#include "template/load_diff.h"
#include "template/validate.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(josch_api_load);
PG_FUNCTION_INFO_V1(josch_api_load_csv);
PG_FUNCTION_INFO_V1(josch_api_load_schema);
PG_FUNCTION_INFO_V1(josch_api_load_schema_name);
PG_FUNCTION_INFO_V1(josch_api_load_new_node_id);
PG_FUNCTION_INFO_V1(josch_api_validate);
PG_FUNCTION_INFO_V1(josch_api_validate_name);
PG_FUNCTION_INFO_V1(josch_api_validate_csv);
PG_FUNCTION_INFO_V1(josch_api_validate_texts);
PG_FUNCTION_INFO_V1(josch_api_diff);
PG_FUNCTION_INFO_V1(josch_api_diff_name);
PG_FUNCTION_INFO_V1(josch_api_diff_csv);
PG_FUNCTION_INFO_V1(josch_api_diff_texts);

/* ---- arguments ---- */

static void
refuse_null_argument(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument \"%s\" must not be null", name)));
}

static LoadMode
mode_argument(FunctionCallInfo fcinfo, int number)
{
	if (PG_ARGISNULL(number))
	{
		refuse_null_argument("mode");
	}
	return josch_load_mode(text_to_cstring(PG_GETARG_TEXT_PP(number)));
}

typedef void (*OpenLoad) (Load *load, FunctionCallInfo fcinfo);

static void
open_csv(Load *load, FunctionCallInfo fcinfo)
{
	char	   *directory;

	load->mode = mode_argument(fcinfo, 1);
	if (PG_ARGISNULL(0))
	{
		refuse_null_argument("directory");
	}
	directory = text_to_cstring(PG_GETARG_TEXT_PP(0));
	canonicalize_path(directory);
	josch_load_open_directory(load, directory);
}

/* The arguments bear the names of the tables; the mode came before there were calendars, a load's comment before there were semaphores. */
static void
open_texts(Load *load, FunctionCallInfo fcinfo)
{
	static const int arguments[TEMPLATE_TABLES] = {
		[TEMPLATE_ENVIRONS] = 0,[TEMPLATE_JOBS] = 1,[TEMPLATE_NODES] = 2,[TEMPLATE_NODE_DEPS] = 3,
		[TEMPLATE_CALENDARS] = 5,[TEMPLATE_CALENDAR_PARTS] = 6,[TEMPLATE_HOLIDAYS] = 7,
		/* from the end */
		[TEMPLATE_SEMAPHORES] = -3,[TEMPLATE_NODE_SEMAPHORES] = -2,[TEMPLATE_EXECUTORS] = -1
	};
	text	   *texts[TEMPLATE_TABLES] = {NULL};

	load->mode = mode_argument(fcinfo, 4);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		int			number = arguments[i] < 0 ? PG_NARGS() + arguments[i] : arguments[i];

		if (!PG_ARGISNULL(number))
		{
			texts[i] = PG_GETARG_TEXT_PP(number);
		}
	}
	josch_load_open_texts(load, texts);
}

static void
open_schema(Load *load, FunctionCallInfo fcinfo)
{
	load->mode = mode_argument(fcinfo, 1);
	if (PG_ARGISNULL(0))
	{
		refuse_null_argument("schema");
	}
	josch_load_open_schema(load, PG_GETARG_OID(0));
}

/* For programs, whose drivers say of every string that it is a text. */
static void
open_schema_name(Load *load, FunctionCallInfo fcinfo)
{
	load->mode = mode_argument(fcinfo, 1);
	if (PG_ARGISNULL(0))
	{
		refuse_null_argument("schema");
	}
	josch_load_open_schema(load, DatumGetObjectId(DirectFunctionCall1(regnamespacein,
																	  CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(0))))));
}

/* ---- loads ---- */

/* What is written within the bracket bears that comment. */
static void
set_comment(FunctionCallInfo fcinfo, int number)
{
	if (!PG_ARGISNULL(number))
	{
		(void) set_config_option("josch.comment", text_to_cstring(PG_GETARG_TEXT_PP(number)), PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
}

static Datum
return_counts(FunctionCallInfo fcinfo, const Load *load)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		if (josch_store_template_tables[i].is_optional && load->batches[i] == NULL)
		{
			continue;
		}
		values[0] = CStringGetTextDatum(josch_store_template_tables[i].name);
		values[1] = Int64GetDatum(load->counts[i].inserted);
		values[2] = Int64GetDatum(load->counts[i].updated);
		values[3] = Int64GetDatum(load->counts[i].deleted);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static Datum
do_load(FunctionCallInfo fcinfo, OpenLoad open, int comment)
{
	Load		load = {0};
	JoschSpi	spi;

	josch_report_if_read_only(fcinfo);
	josch_spi_begin_as_caller(&spi);
	open(&load, fcinfo);
	set_comment(fcinfo, comment);
	josch_load_write(&load);
	josch_load_close(&load);
	josch_spi_end(&spi);
	return return_counts(fcinfo, &load);
}

Datum
josch_api_load_csv(PG_FUNCTION_ARGS)
{
	return do_load(fcinfo, open_csv, 2);
}

Datum
josch_api_load(PG_FUNCTION_ARGS)
{
	return do_load(fcinfo, open_texts, 8);
}

Datum
josch_api_load_schema(PG_FUNCTION_ARGS)
{
	return do_load(fcinfo, open_schema, 2);
}

Datum
josch_api_load_schema_name(PG_FUNCTION_ARGS)
{
	return do_load(fcinfo, open_schema_name, 2);
}

/* ---- what only looks ---- */

/* A row of texts, NULL for SQL NULL. */
static void
put_texts(ReturnSetInfo *result, char *const *texts, int n)
{
	Datum		values[4];
	bool		nulls[4];

	for (int i = 0; i < n; i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
do_validate(FunctionCallInfo fcinfo, OpenLoad open)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Load		load = {.findings = josch_findings_create()};
	JoschSpi	spi;
	ListCell   *cell;

	josch_report_if_read_only(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	josch_spi_begin_as_caller(&spi);
	open(&load, fcinfo);
	josch_validate(&load);
	josch_load_close(&load);
	josch_spi_end(&spi);
	foreach(cell, load.findings->list)
	{
		JoschFinding *finding = lfirst(cell);
		char	   *texts[4] = {(char *) josch_finding_severities[finding->severity], finding->object, finding->message, finding->place};

		put_texts(result, texts, lengthof(texts));
	}
	return (Datum) 0;
}

Datum
josch_api_validate(PG_FUNCTION_ARGS)
{
	return do_validate(fcinfo, open_schema);
}

Datum
josch_api_validate_name(PG_FUNCTION_ARGS)
{
	return do_validate(fcinfo, open_schema_name);
}

Datum
josch_api_validate_csv(PG_FUNCTION_ARGS)
{
	return do_validate(fcinfo, open_csv);
}

Datum
josch_api_validate_texts(PG_FUNCTION_ARGS)
{
	return do_validate(fcinfo, open_texts);
}

static void
take_difference(char *const *texts, void *arg)
{
	put_texts(arg, texts, LOAD_DIFF_COLUMNS);
}

static Datum
do_diff(FunctionCallInfo fcinfo, OpenLoad open)
{
	Load		load = {.only_looks = true};
	JoschSpi	spi;

	InitMaterializedSRF(fcinfo, 0);
	josch_spi_begin_as_caller(&spi);
	open(&load, fcinfo);
	josch_load_diff(&load, take_difference, fcinfo->resultinfo);
	josch_load_close(&load);
	josch_spi_end(&spi);
	return (Datum) 0;
}

Datum
josch_api_diff(PG_FUNCTION_ARGS)
{
	return do_diff(fcinfo, open_schema);
}

Datum
josch_api_diff_name(PG_FUNCTION_ARGS)
{
	return do_diff(fcinfo, open_schema_name);
}

Datum
josch_api_diff_csv(PG_FUNCTION_ARGS)
{
	return do_diff(fcinfo, open_csv);
}

Datum
josch_api_diff_texts(PG_FUNCTION_ARGS)
{
	return do_diff(fcinfo, open_texts);
}

Datum
josch_api_load_new_node_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(josch_store_template_new_node_id());
}
