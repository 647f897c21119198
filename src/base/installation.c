/*
 * src/base/installation.c
 *	  Whether this installation of JOSCH may start anything.
 *
 * The row of josch.installation says for which installation it was armed.  A copy
 * has the same row, and finds that it is another one; so nobody has to notice the
 * copying, and there is no moment at which a copy does not know it.
 */
#include "base/josch.h"

#include "base/installation.h"

#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/lock.h"

#include "base/identity.h"

static char *
own_name(void)
{
	return josch_identity_installation(get_extension_oid("josch", true));
}

bool
josch_installation_acts(JoschArming arming)
{
	return arming == JOSCH_ARMED || arming == JOSCH_TAKEN_BACK;
}

bool
josch_installation_was_replaced(const JoschInstallation *installation)
{
	int64		files = josch_identity_files();

	return files != 0 && installation->files != 0 && files != installation->files;
}

JoschArming
josch_installation_judge(const JoschInstallation *installation)
{
	char	   *own = own_name();

	if (!installation->there)
	{
		return JOSCH_NO_INSTALLATION;
	}
	if (strcmp(installation->server, own) == 0)
	{
		if (josch_identity_was_standby() && josch_installation_was_replaced(installation))
		{
			return JOSCH_TO_BE_PROMOTED;	/* in a place that cannot be told from its primary's */
		}
		return installation->disarmed != NULL ? JOSCH_TAKEN_BACK : JOSCH_ARMED;
	}
	return josch_identity_was_standby() && josch_identity_is_copy(installation->server, own) ? JOSCH_TO_BE_PROMOTED : JOSCH_COPY;
}

/* ---- while a dump comes in ---- */

static LOCKTAG
restore_tag(void)
{
	LOCKTAG		tag;

	/* of class 3: no lock that SQL can take */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 'J', 'R', 3);
	return tag;
}

void
josch_installation_mark_restore(void)
{
	LOCKTAG		tag = restore_tag();

	if (LockAcquire(&tag, ShareLock, true, false) == LOCKACQUIRE_ALREADY_HELD)
	{
		LockRelease(&tag, ShareLock, true);
	}
}

bool
josch_installation_is_being_restored(void)
{
	LOCKTAG		tag = restore_tag();

	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		return true;
	}
	LockRelease(&tag, ExclusiveLock, false);
	return false;
}

/* What the two have in common tells how the copy was made. */
static char *
describe_copy(const char *server)
{
	char	   *own = own_name();
	int			parts = 0;

	for (const char *p = server; *p != '\0' && *p == own[p - server]; p++)
	{
		parts += *p == '-';
	}
	switch (parts)
	{
		case 0:
			return pstrdup("it was restored from a dump of another server, or that one was upgraded");
		case 1:
			return pstrdup("it was made from another database of this server, as a template or by a dump");
		case 2:
			return pstrdup("a dump was restored into it");
		default:
			return pstrdup("the data directory is a copy, or was moved");
	}
}

char *
josch_installation_reason(const JoschInstallation *installation)
{
	switch (josch_installation_judge(installation))
	{
		case JOSCH_NO_INSTALLATION:
			return pstrdup("the row of josch.installation is missing");
		case JOSCH_COPY:
			return describe_copy(installation->server);
		case JOSCH_TO_BE_PROMOTED:
			return pstrdup("it is a standby, and takes over when it is promoted");
		case JOSCH_TAKEN_BACK:
			return pstrdup(installation->disarmed);
		case JOSCH_ARMED:
			break;
	}
	return NULL;
}
