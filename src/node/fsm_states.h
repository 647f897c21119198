/*
 * src/node/fsm_states.h
 *	  The list of node states: expanded by fsm.h into the enum and by fsm.c into
 *	  the table of labels, so that the two cannot drift.
 *
 * JOSCH_STATE(symbol, label, satisfies its children, waits for a person, meaning)
 */
JOSCH_STATE(PENDING, "pending", false, false, "waits for its parents")
JOSCH_STATE(READY, "ready", false, false, "parents are done; waits for its time or for a free place")
JOSCH_STATE(RUNNING, "running", false, false, "its run is committed; the command or SQL is being executed")
JOSCH_STATE(UP, "up", true, false, "long-running and serving; its children are released")
JOSCH_STATE(REVIEW, "review", false, true, "its output waits for a person's judgement")
JOSCH_STATE(SIGNOFF, "signoff", false, true, "waits for a person to sign it off")
JOSCH_STATE(SUCCEEDED, "succeeded", true, false, "done")
JOSCH_STATE(FAILED, "failed", false, true, "waits for a person to repair it")
JOSCH_STATE(UNKNOWN, "unknown", false, true, "how its run ended cannot be known; a person decides")
JOSCH_STATE(HELD, "held", false, false, "a person holds it back")
JOSCH_STATE(SKIPPED, "skipped", true, false, "a person decided to go on without it")
