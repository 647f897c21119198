# test/golden/conditions.py SEED GRAPHS >script 2>expected
#
# Small random graphs with conditions and joins, and what people do to them, as a script for psql; on the other output what
# the nodes are after each act. What is expected is worked out the naive way: every node is looked at, again and again, until
# nothing changes. Nothing of JOSCH is used for it, and no count is kept.
#
# A node is a milestone (N), or asks (S, R): so its end is an act, and a whole day needs no command; or it is the end of its
# job (E), which waits for all others of that. A graph is a date, of two jobs; nodes come to be added to it.

import datetime
import random
import sys

# what a parent is to a child that waits for its success, its end, its failure, its good end: + satisfied, - impossible, nothing: waits
MEANS = {
    "succeeded": "++-+", "skipped": "++-+", "failed": " ++ ", "abandoned": "-++-", "omitted": "-+-+",
}
CONDITIONS = ("success", "done", "failure", "well")
# act -> from which states it leads to which
ACTS = {
    "signoff": {"signoff": "succeeded"},
    "approve": {"review": "succeeded"},
    "reject": {"review": "failed"},
    "retry": {"review": "pending", "failed": "pending", "abandoned": "pending"},
    "mark_success": {"failed": "succeeded", "abandoned": "succeeded"},
    "abandon": {"failed": "abandoned"},
    "hold": {"pending": "held"},
    "release": {"held": "pending"},
    "force_start": {"pending": "ready", "held": "ready", "omitted": "ready"},
    "skip": dict.fromkeys(("pending", "held", "signoff", "review", "failed", "abandoned", "omitted"), "skipped"),
    "rerun": dict.fromkeys(("succeeded", "skipped", "failed", "abandoned", "review", "signoff"), "pending"),
}
# so often is an act chosen where it can be: those that end something most
WEIGHTS = dict(signoff=6, approve=5, reject=6, abandon=6, mark_success=2, retry=3, rerun=2, skip=1, hold=1, release=3, force_start=1)


class Day:
    def __init__(self, chance, first, date):
        self.chance = chance
        self.date = date
        self.nodes = [first + 2 * i for i in range(chance.randint(2, 9))]
        self.types = {n: chance.choice("RRRRSN") for n in self.nodes}
        # the jobs are named by their first nodes; what ends the first of them is waited for by the other one's
        split = chance.randint(1, len(self.nodes) - 1)
        self.jobs = {n: self.nodes[0 if i < split else split] for i, n in enumerate(self.nodes)}
        for last, likely in ((split - 1, 0.6), (len(self.nodes) - 1, 0.2)):
            if chance.random() < likely:
                self.types[self.nodes[last]] = "E"
        self.joins = {n: "all" if self.types[n] == "E" else chance.choice(("all", "all", "any")) for n in self.nodes}
        self.edges = {}
        for i, child in enumerate(self.nodes):
            for parent in self.nodes[:i]:
                if chance.random() < 0.35:
                    self.edges[parent, child] = chance.choice(CONDITIONS)
        self.written = dict(self.edges)
        for node in self.nodes:
            self.let_end_wait_for(node)
        self.states = dict.fromkeys(self.nodes, "pending")
        self.forced = set()

    def let_end_wait_for(self, node):
        """What is written of the two in the templates stands."""
        for end in self.nodes:
            if self.types[end] == "E" and self.types[node] != "E" and self.jobs[end] == self.jobs[node]:
                self.edges.setdefault((node, end), "well")

    def signs(self, node):
        """What the parents of a node are to it."""
        return [MEANS.get(self.states[p], "    ")[CONDITIONS.index(c)] for (p, child), c in self.edges.items() if child == node]

    def verdict(self, node):
        signs = self.signs(node)
        if node in self.forced:
            return "runs"
        if self.types[node] == "E" and " " in signs:
            return "waits"
        if self.joins[node] == "any" and signs:
            return "runs" if "+" in signs else "waits" if " " in signs else "omitted"
        return "omitted" if "-" in signs else "waits" if " " in signs else "runs"

    def rules(self):
        """True when one of them moved something."""
        moved = False
        for node in self.nodes:
            verdict = self.verdict(node)
            if self.states[node] in ("pending", "ready"):
                to = {"omitted": "abandoned" if self.types[node] == "E" else "omitted", "runs": "ready", "waits": "pending"}[verdict]
            elif self.types[node] == "E" and self.states[node] == {"runs": "abandoned", "omitted": "succeeded"}.get(verdict):
                to = "pending"
            elif self.types[node] == "E" and self.states[node] in ("abandoned", "succeeded") and verdict == "waits":
                to = "pending"
            elif self.states[node] == "omitted" and verdict != "omitted":
                to = "pending"
            else:
                continue
            moved = moved or to != self.states[node]
            self.states[node] = to
        return moved

    def settle(self):
        """One turn of the scheduler, with whatever follows."""
        while True:
            while self.rules():
                pass
            ready = [n for n in self.nodes if self.states[n] == "ready"]
            if not ready:
                return
            for node in ready:
                self.states[node] = {"N": "succeeded", "E": "succeeded", "S": "signoff", "R": "review"}[self.types[node]]

    def act(self):
        """Does something to some node; its SQL, or None when nothing can be done."""
        can = [(a, n) for n in self.nodes for a in sorted(ACTS) if self.states[n] in ACTS[a]
               # an end has not failed itself: what has is to be mended
               and not (self.types[n] == "E" and self.states[n] == "abandoned" and a in ("retry", "mark_success"))]
        if not can:
            return None
        act, node = self.chance.choices(can, weights=[WEIGHTS[a] for a, n in can])[0]
        self.states[node] = ACTS[act][self.states[node]]
        if act == "force_start":
            self.forced.add(node)
        elif act != "retry":
            self.forced.discard(node)
        return f"SELECT josch.{act}({node}, '{self.date}');"

    def link(self):
        """Adds a dependency to the day, or takes one away."""
        parent, child = sorted(self.chance.sample(self.nodes, 2))
        if (parent, child) in self.edges:
            del self.edges[parent, child]
            return f"DELETE FROM josch.node_deps WHERE (p_node_id, c_node_id) = ({parent}, {child});"
        self.edges[parent, child] = self.chance.choice(CONDITIONS)
        return ("INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, condition) "
                f"VALUES ({parent}, '{self.date}', {child}, '{self.date}', '{self.edges[parent, child]}');")

    def add(self):
        """Adds a node to the day, before one that is there; None where there is one already."""
        before = self.chance.choice(self.nodes)
        node = before - 1
        if before % 2 or node in self.nodes or self.nodes.index(before) == 0:
            return None
        self.nodes.insert(self.nodes.index(before), node)
        self.types[node], self.joins[node], self.jobs[node], self.states[node] = "R", "all", self.jobs[before], "pending"
        self.let_end_wait_for(node)
        return ("INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) "
                f"VALUES ('{self.date}', {node}, 'R', '{self.jobs[node]}', '{node}');")

    def templates(self):
        for job in dict.fromkeys(self.jobs.values()):
            yield f"INSERT INTO josch.tpl_jobs (job_name) VALUES ('{job}');"
        for n in self.nodes:
            yield ("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, join_rule) "
                   f"VALUES ({n}, '{self.types[n]}', '{self.jobs[n]}', '{n}', '{self.joins[n]}');")
        for (p, c), condition in self.written.items():
            yield f"INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id, condition) VALUES ({p}, {c}, '{condition}');"

    def look(self, step):
        shown = " ".join(f"{n % 100}:{self.states[n]}" for n in self.nodes)
        return (f"SELECT '{self.nodes[0]}/{step} ' || string_agg(node_id % 100 || ':' || state, ' ' ORDER BY node_id) "
                f"FROM josch.nodes WHERE job_date = '{self.date}';"), f"{self.nodes[0]}/{step} {shown}"


def play(day, steps):
    """The lines of the script, and None in place of each line that is expected, with that line."""
    for line in day.templates():
        yield line, None
    for job in dict.fromkeys(day.jobs.values()):
        yield f"SELECT josch.schedule('{day.date}', '{job}');", None
    for step in range(steps):
        day.settle()
        yield "SELECT josch.tick();", None
        yield day.look(step)
        # now and then two things happen before the scheduler comes
        for _ in range(day.chance.choice((1, 1, 1, 2))):
            line = (day.link() if day.chance.random() < 0.08 else None) or (day.add() if day.chance.random() < 0.04 else None) or day.act()
            if line is None:
                return
            yield line, None


def main():
    chance = random.Random(int(sys.argv[1]))
    for graph in range(int(sys.argv[2])):
        day = Day(chance, 100 * (graph + 1), datetime.date(2001, 1, 1) + datetime.timedelta(graph))
        for line, expected in play(day, 24):
            print(line)
            if expected is not None:
                print(expected, file=sys.stderr)


main()
