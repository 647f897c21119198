/*
 * src/base/version.c
 *	  The version of this library, compared with that of the extension's objects.
 *
 * The only file that make tells the version to: what differs between two builds
 * of the same source is here.
 */
#include "base/josch.h"

#include "base/version.h"

const char *const josch_version = JOSCH_VERSION;

int
josch_version_compare(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0')
	{
		char	   *a_end;
		char	   *b_end;
		long		x = strtol(a, &a_end, 10);
		long		y = strtol(b, &b_end, 10);

		if (x != y)
		{
			return x < y ? -1 : 1;
		}
		if (a_end == a && b_end == b)
		{
			return 0;			/* no numbers any more */
		}
		a = a_end + (*a_end == '.');
		b = b_end + (*b_end == '.');
	}
	return 0;
}

char *
josch_version_discord(const char *extension)
{
	if (extension != NULL && strcmp(extension, josch_version) == 0)
	{
		return NULL;
	}
	return psprintf("the library is %s, the extension is %s", josch_version, extension != NULL ? extension : "not created");
}

const char *
josch_version_hint(const char *extension)
{
	if (extension != NULL && josch_version_compare(josch_version, extension) > 0)
	{
		return "ALTER EXTENSION josch UPDATE brings the extension to the version of the library.";
	}
	return "Install the library of that version, and restart the server.";
}

void
josch_version_require_same(void)
{
	char	   *extension = josch_store_version();
	char	   *discord = josch_version_discord(extension);

	if (discord != NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("josch of this database stands still: %s", discord),
				 errhint("%s", josch_version_hint(extension))));
	}
}
