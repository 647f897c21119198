/*
 * src/base/node_key.h
 *	  The key of a node in a day: its one order, its one hash.
 *
 * The order is that of the indexes, by date and then by number, so that what is
 * sorted here meets rows as they are stored.
 */
#ifndef JOSCH_NODE_KEY_H
#define JOSCH_NODE_KEY_H

#include "base/josch.h"

static inline int
josch_node_key_compare(NodeKey a, NodeKey b)
{
	if (a.job_date != b.job_date)
	{
		return a.job_date < b.job_date ? -1 : 1;
	}
	return (a.node_id > b.node_id) - (a.node_id < b.node_id);
}

static inline bool
josch_node_key_equal(NodeKey a, NodeKey b)
{
	return josch_node_key_compare(a, b) == 0;
}

static inline uint32
josch_node_key_hash(NodeKey key)
{
	return (uint32) ((((uint64) key.node_id * UINT64CONST(0x9E3779B97F4A7C15)) +
					  (uint64) (uint32) key.job_date * UINT64CONST(0xC2B2AE3D27D4EB4F)) >> 32);
}

#endif							/* JOSCH_NODE_KEY_H */
