/*
 * src/base/attempt.c
 *	  Does something in a subtransaction, and hands its error back.
 *
 * What a subtransaction changes behind one's back, the memory context and the
 * resource owner, is put back here and nowhere else.
 */
#include "base/josch.h"

#include "base/attempt.h"

#include "access/xact.h"
#include "utils/resowner.h"

static ErrorData *
attempt(void (*work) (void *argument), void *argument, bool stays)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(argument);
		if (stays)
		{
			ReleaseCurrentSubTransaction();
		}
		else
		{
			RollbackAndReleaseCurrentSubTransaction();
		}
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
	{
		ReThrowError(error);
	}
	return error;
}

ErrorData *
josch_attempt(void (*work) (void *argument), void *argument)
{
	return attempt(work, argument, true);
}

ErrorData *
josch_attempt_and_undo(void (*work) (void *argument), void *argument)
{
	return attempt(work, argument, false);
}

bool
josch_attempt_unless_locked(void (*work) (void *argument), void *argument)
{
	ErrorData  *error = josch_attempt(work, argument);

	if (error == NULL)
	{
		return true;
	}
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE && error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
	{
		ReThrowError(error);
	}
	ereport(DEBUG1, (errmsg_internal("to be tried again: %s", error->message)));
	FreeErrorData(error);
	return false;
}
