"""What the program of a node knows: the variables that JOSCH gives to every command."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """The run that this program is."""

    date: datetime.date
    prev_date: datetime.date | None
    next_date: datetime.date | None
    job_name: str
    node_id: int
    node_name: str
    run_id: int
    attempt: int
    variables: Mapping[str, str]

    def progress(self, done: float, doing: str = "") -> None:
        """How much is done, from 0 to 1, and what is being done: others see it while the program runs."""
        self._say(f"progress {done:.4f} {doing}")

    def result(self, **results: object) -> None:
        """What is kept with the run, and is a variable of the node's children: RESULT_rows, for rows=1042."""
        for name, value in results.items():
            self._say(f"result {name}={value}")

    def _say(self, line: str) -> None:
        if len(line.splitlines()) != 1:
            raise ValueError(f"what a program says is one line: {line!r}")
        if path := self.variables.get("JOSCH_REPORT"):  # tried by hand it has none
            with open(path, "a", encoding="utf-8") as report:
                print(line.rstrip(), file=report)


def context(environ: Mapping[str, str] = os.environ) -> Context:
    """What the environment says of this run."""
    if "RUN_ID" not in environ or "NODE_ID" not in environ:
        raise RuntimeError("this program was not started by JOSCH: RUN_ID and NODE_ID are not in its environment")

    def day(name: str) -> datetime.date | None:
        return datetime.date.fromisoformat(environ[name]) if environ.get(name) else None

    return Context(datetime.date.fromisoformat(environ["DATE"]), day("PREV_DATE"), day("NEXT_DATE"), environ["JOB_NAME"], int(environ["NODE_ID"]),
                   environ["NODE_NAME"], int(environ["RUN_ID"]), int(environ["ATTEMPT"]), environ)
