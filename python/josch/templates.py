"""Templates as code: jobs, nodes and dependencies, in memory. They know no rule and no column: the server does, when they are loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import time, timedelta
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

At: TypeAlias = str | time | timedelta
# a node of these templates; one that is stored, by job and name, or by number
Parent: TypeAlias = "Node | tuple[str, str] | int"
Nodes = TypeVar("Nodes", bound="Node | Iterable[Node]")


def caller() -> str:
    """FILE:LINE outside of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class Job:
    """A job of the templates. Keyword arguments are columns of josch.tpl_jobs."""

    def __init__(self, job_name: str, job_desc: str | None = None, /, **columns: Any) -> None:
        self.columns: dict[str, Any] = {"job_name": job_name, "job_desc": job_desc} | columns
        self.nodes: dict[str, Node] = {}
        self.deps: list[NodeDep] = []
        self.finished = True
        self.where = caller()

    def __enter__(self) -> Job:
        self.finished = False
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.finished = kind is None  # what was left by an exception is not loaded

    def __str__(self) -> str:
        return f'job "{self.job_name}" ({self.where})'

    @property
    def job_name(self) -> str:
        return str(self.columns["job_name"])

    def node(self, node_name: str, exec_command: str | None = None, *, at: At | None = None, node_type: str = "N", **columns: Any) -> Node:
        """A normal node; without a command, or exec_sql, a milestone. `at`: not before that time of day. Keyword arguments are columns of josch.tpl_nodes."""
        if at is not None:
            columns["signoff_time" if node_type == "S" else "start_time"] = at
        node = Node(self, {"node_type": node_type, "job_name": self.job_name, "node_name": node_name, "exec_command": exec_command} | columns)
        if node_name in self.nodes:
            raise ValueError(f"{node}: there is one of this name already ({self.nodes[node_name].where})")
        self.nodes[node_name] = node
        return node

    def signoff(self, node_name: str, *, at: At | None = None, **columns: Any) -> Node:
        """A person signs it off, who is asked when its parents are done, and not before that time of day."""
        return self.node(node_name, at=at, node_type="S", **columns)

    def review(self, node_name: str, exec_command: str | None = None, *, at: At | None = None, **columns: Any) -> Node:
        """A command, or SQL, whose output a person judges."""
        return self.node(node_name, exec_command, at=at, node_type="R", **columns)

    def long_running(self, node_name: str, exec_command: str, *, at: At | None = None, **columns: Any) -> Node:
        """A command that stays up until somebody stops it; its children go on when it is up."""
        return self.node(node_name, exec_command, at=at, node_type="L", **columns)

    def end(self, node_name: str, *, at: At | None = None, **columns: Any) -> Node:
        """The end of the job: it waits for all its other nodes, and who depends on it depends on the whole job."""
        return self.node(node_name, at=at, node_type="E", **columns)


class Node:
    """A node of the templates. `a >> b`: b waits for a; lists of nodes may stand on either side."""

    def __init__(self, job: Job, columns: dict[str, Any]) -> None:
        self.job = job
        self.columns = columns
        self.semaphores: dict[str, int] = {}
        self.where = caller()

    def __str__(self) -> str:
        return f'node "{self.node_name}" of job "{self.job.job_name}" ({self.where})'

    @property
    def node_name(self) -> str:
        return str(self.columns["node_name"])

    @property
    def node_id(self) -> int | None:
        """Its number, where it was given."""
        number = self.columns.get("node_id")
        return None if number is None else int(number)

    def after(self, parent: Parent | Iterable[Node], *, days: int = 0, **columns: Any) -> Node:
        """Waits for a parent: on the same day, or with days=-1 on the day before. Keyword arguments are columns of josch.tpl_node_deps."""
        for one in [parent] if isinstance(parent, (Node, tuple, int)) else parent:
            self.job.deps.append(NodeDep(one, self, {"p_date": days, "c_date": 0} | columns))
        return self

    def needs(self, semaphore_name: str, units: int = 1) -> Node:
        """Takes units of a semaphore while it runs."""
        self.semaphores[semaphore_name] = units
        return self

    def __rshift__(self, children: Nodes) -> Nodes:
        for child in [children] if isinstance(children, Node) else children:
            child.after(self)
        return children

    def __rrshift__(self, parents: Iterable[Node]) -> Node:
        return self.after(parents)


class NodeDep:
    """A dependency of the templates; it belongs to the job of its child."""

    def __init__(self, parent: Parent, child: Node, columns: dict[str, Any]) -> None:
        self.parent = parent
        self.child = child
        self.columns = columns
        self.where = caller()

    def __str__(self) -> str:
        return f'dependency of node "{self.child.node_name}" of job "{self.child.job.job_name}" ({self.where})'
