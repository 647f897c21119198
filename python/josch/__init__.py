"""JOSCH from Python: templates as code, acts, changes, and what a node's program knows. All rules are the server's: this is SQL, spelled in Python."""

from .days import Made, Outcome, Place, act, schedule, topological_sort, visualize
from .listening import Change, changes
from .loading import Difference, Finding, Loaded, diff, load, read_csv, read_database, validate
from .program import Context, context
from .server import JoschWarning
from .templates import Job, Node, NodeDep

__all__ = [
    "Change", "Context", "Difference", "Finding", "Job", "JoschWarning", "Loaded", "Made", "Node", "NodeDep", "Outcome", "Place",
    "act", "changes", "context", "diff", "load", "read_csv", "read_database", "schedule", "topological_sort", "validate", "visualize",
]
