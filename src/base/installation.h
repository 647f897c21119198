/*
 * src/base/installation.h
 *	  Whether this installation of JOSCH may start anything: the row of
 *	  josch.installation, compared with what this process finds around it.
 */
#ifndef JOSCH_INSTALLATION_H
#define JOSCH_INSTALLATION_H

#include "base/josch.h"

typedef enum JoschArming
{
	JOSCH_ARMED,
	JOSCH_TAKEN_BACK,			/* armed; what was to start by itself then is held back */
	JOSCH_COPY,					/* disarmed */
	JOSCH_TO_BE_PROMOTED,		/* a copy that was a standby: it takes over */
	JOSCH_NO_INSTALLATION		/* disarmed: the row is not there */
} JoschArming;

typedef struct JoschInstallation
{
	bool		there;
	int64		token;			/* never 0 */
	char	   *server;			/* the installation that is armed (base/identity.c) */
	TimestampTz armed_at;
	char	   *armed_by;
	int64		files;			/* those in which it was armed, or found to be taken back (base/identity.c) */
	char	   *disarmed;		/* why nodes are held back since it was taken back; or NULL */
} JoschInstallation;

/* Whether the scheduler does its work: the first two. */
extern bool josch_installation_acts(JoschArming arming);

extern JoschArming josch_installation_judge(const JoschInstallation *installation);

/* Whether its files were put back in their place from a copy, since it was last known of them. */
extern bool josch_installation_was_replaced(const JoschInstallation *installation);

/*
 * This session restores a dump: until it ends nothing of what comes in is judged, since
 * the record of that would take the numbers of the record that is to come.
 */
extern void josch_installation_mark_restore(void);
extern bool josch_installation_is_being_restored(void);

/* Why it does not act, in a sentence without its full stop; palloc'd. */
extern char *josch_installation_reason(const JoschInstallation *installation);

/* What to do about it. */
#define JOSCH_INSTALLATION_HINT "josch.arm() arms it, with a comment that says why."

#endif							/* JOSCH_INSTALLATION_H */
