"""Instances between their rows and what runs: loaded under a lock, kept at the version that was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Process
from trellis.edition import Edition
from trellis.errors import Conflict, RecordNotFound, StaleVersion
from trellis.i18n import translator
from trellis.jobs.queue import enqueue
from trellis.process import events, times, versions
from trellis.process.diagram import Diagram, Element
from trellis.process.elements import MATCH
from trellis.process.expressions import compile_argument, compile_expression, is_moment
from trellis.process.flow import Flow, Ran, StepFailed, Token, element_of, runs_of
from trellis.process.loops import KEPT, Loops, gather, gathered, over
from trellis.process.notation import expression
from trellis.process.specification import specification_of
from trellis.process.tables import DONE, FAILED, INSTANCES, OPEN, RUNNING
from trellis.process.variables import InstanceFacts, from_kept, to_kept
from trellis.records.expressions import ExpressionFailed

_ = translator("trellis")

TIMER_JOB = "process_timer"
NEW = 0
"""The id of an instance that is not written yet."""

_instance = INSTANCES.c
_LOCKED = sa.select(INSTANCES).where(_instance.id == sa.bindparam("instance")).with_for_update()
_INSERT = sa.insert(INSTANCES).returning(_instance.id)
_CHANGE = sa.update(INSTANCES).where(
    _instance.id == sa.bindparam("of_instance"), _instance.version == sa.bindparam("at_version")
)


@dataclass
class Run:
    """One instance while it is moved. ``ends`` are the tokens that were completed just now, and by whom.

    ``passed`` are those that waited for nobody, ``told`` what came out of some of them. Nothing in it catches ``escalations``, nor the ``error`` that has ended it.
    ``kept_at`` is the problem, and where, with which a new one was written as it stands.
    """

    id: int
    row: Mapping[str, Any]
    process: Process
    diagram: Diagram
    variables: dict[str, Any]
    facts: InstanceFacts
    flow: Flow
    loops: Loops
    by: int | None = None
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    passed: list[tuple[Token, datetime]] = field(default_factory=list)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    escalations: list[str] = field(default_factory=list)
    error: str | None = None
    kept_at: tuple[str, str] | None = None

    def element(self, token: Token) -> Element:
        """The element at which a token stands."""
        return self.diagram.elements[token.element]

    def stand(self, runs: Sequence[Ran]) -> InstanceFacts:
        """What expressions may name where a token stands."""
        names = self.loops.names(runs, self.variables)
        self.facts.stand(names, self.loops.records(runs), self.loops.about(runs))
        return self.facts

    def set(self, runs: Sequence[Ran], values: Mapping[str, Any]) -> None:
        """Sets variables where a token stands. Raises RecordInvalid when they are too large together."""
        self.loops.set(runs, self.variables, values)
        self.kept()

    def noted(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is known now, to come :meth:`back_to`."""
        return dict(self.variables), deepcopy(self.loops.kept)

    def back_to(self, noted: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Forgets what was found out since; records are read anew."""
        self.variables, self.loops.kept = noted
        self.facts.forget()

    def awaited(self, element: Element, token: Token) -> str:
        """What a wait is found by, and what is thrown to it. Raises ExpressionFailed."""
        facts = self.stand(token.runs)
        told = {
            name.removeprefix(MATCH): compile_argument(text)(facts)
            for name, text in element.properties.items()
            if name.startswith(MATCH)
        }
        return events.awaited_by(element, told, self.row["entity"], self.row["record_id"])

    def kept(self) -> dict[str, Any]:
        """The variables as they are kept. Raises RecordInvalid."""
        return to_kept(self.variables, {KEPT: self.loops.kept} if self.loops.kept else None)


@dataclass(frozen=True)
class Entered:
    """A step that an instance has entered just now: its row, and for whom it waits in a queue."""

    element: Element
    token: Token
    step: int
    row: Mapping[str, Any]
    audiences: tuple[str, ...]


class _Telling:
    """Tells the library what the instance knows."""

    run: Run

    def value(self, task: Any, text: str) -> Any:
        if is_moment(text):
            return text.strip()
        at = element_of(task)
        facts = self.run.stand(runs_of(task))
        try:
            value = compile_expression(expression(text))(facts)
            return times.for_timer(text, value) if self.run.diagram.elements[at].event == "timer" else value
        except ExpressionFailed as error:
            raise StepFailed(at, str(error)) from error

    def length(self, task: Any, element: str) -> int:
        run, known = self.run, self.run.diagram.elements[element]
        around = runs_of(task)
        items, entity = over(known, run.stand(around))
        run.set(around, {name: [] for name, _text in gathered(known)})
        return run.loops.begin(str(task.id), items, entity)

    def passed(self, task: Any) -> None:
        run, runs = self.run, runs_of(task)
        added = gather(run.diagram.elements[runs[0].element], run.stand(runs))
        known = run.loops.names(runs[1:], run.variables)
        run.set(runs[1:], {name: [*known[name], value] for name, value in added.items()})


def process_of(edition: Edition, name: str) -> Process:
    """The process of that name. Raises RecordNotFound."""
    found = edition.all(Process).get(name)
    if found is None:
        raise RecordNotFound(_("There is no process “%(name)s” here", name=name))
    return found


def starting(edition: Edition) -> Iterable[Process]:
    """The processes that start: all but those that others replace."""
    known = edition.all(Process).values()
    replaced = {one.replaces for one in known if one.replaces and one.replaces != one.name}
    return [one for one in known if one.name not in replaced]


class Runs:
    """The instances of one workspace, in one transaction."""

    def __init__(self, session: Session, edition: Edition) -> None:
        self.session, self.edition = session, edition

    def has_begun(self, key: str) -> bool:
        """Whether there is an instance with this key."""
        return self.session.scalar(sa.select(_instance.id).where(_instance.key == key)) is not None

    def begin(self, run: Run, at: tuple[str, str] | None = None) -> None:
        """Writes an instance that is new, for what needs its id: where it stands ``at`` (problem, stuck), if that is known."""
        if run.id == NEW:
            values = self._values(run, *at) if at is not None else {}
            run.id, run.kept_at = self.session.scalar(_INSERT, {**run.row, **values}) or NEW, at

    def locked(self, instance: int) -> Mapping[str, Any]:
        """The row of an instance that nobody else moves until the transaction ends. Raises RecordNotFound."""
        found = self.session.execute(_LOCKED, {"instance": instance}).mappings().first()
        if found is None:
            raise RecordNotFound()
        return dict(found)

    def load(self, instance: int) -> Run:
        """An instance ready to be moved. Raises RecordNotFound, Conflict when it has ended."""
        row = self.locked(instance)
        if row["state"] not in OPEN:
            raise Conflict(_("This instance has ended already"))
        diagram = versions.of_version(self.session, self.edition, row["version_id"])
        return self.of(instance, row, process_of(self.edition, row["process"]), diagram)

    def try_load(self, instance: int) -> Run | None:
        """An instance ready to be moved; None when it has ended, or its plugin is not enabled."""
        try:
            return self.load(instance)
        except (Conflict, RecordNotFound):
            return None

    def of(self, instance: int, row: Mapping[str, Any], process: Process, diagram: Diagram) -> Run:
        """A row as something that can be moved."""
        record = (row["entity"], row["record_id"]) if row["record_id"] is not None else None
        kept = dict(row["variables"])
        loops = Loops(kept.pop(KEPT, {}), diagram.elements)
        variables = from_kept(kept)
        facts = InstanceFacts(self.session, self.edition, variables, record, row["started_by_id"])
        telling = _Telling()
        flow = Flow(specification_of(diagram), row["flow"], telling)
        run = Run(instance, row, process, diagram, variables, facts, flow, loops)
        telling.run = run
        return run

    def keep(self, run: Run, problem: str, stuck: str, again: bool) -> None:
        """Keeps where an instance stands, and puts a job into the queue for its next timer if that is a new one."""
        ended = run.flow.ended
        due = None if ended else run.flow.due()
        if run.kept_at != (problem, stuck):
            self._write(run.id, run.row["version"], self._values(run, problem, stuck))
        run.kept_at = None
        if due is not None and (again or due != run.row["due_at"]):
            enqueue(self.session, TIMER_JOB, {"instance": run.id}, None, due)

    def _values(self, run: Run, problem: str, stuck: str) -> dict[str, Any]:
        ended = run.flow.ended
        run.loops.end_others(set() if ended else run.flow.repeating())
        return {
            "state": DONE if ended else FAILED if problem else RUNNING,
            "flow": b"" if ended else run.flow.state,
            "variables": run.kept(),
            "done": run.flow.done(),
            "active": run.flow.active(),
            "problem": problem,
            "stuck": stuck,
            "due_at": None if ended else run.flow.due(),
            "ended_at": datetime.now(UTC) if ended else None,
        }

    def stop(self, instance: int, problem: str, stuck: str) -> None:
        """An instance that was kept just now, and maybe moved on elsewhere since, cannot go on at an element."""
        values = {"state": FAILED, "problem": problem, "stuck": stuck}
        self._write(instance, self.locked(instance)["version"], values)

    def end(self, row: Mapping[str, Any], state: str, done: list[str]) -> None:
        """Ends an instance where it stands."""
        values = {"state": state, "flow": b"", "done": done, "active": [], "problem": "", "stuck": ""}
        self._write(row["id"], row["version"], {**values, "due_at": None, "ended_at": datetime.now(UTC)})

    def _write(self, instance: int, version: int, values: Mapping[str, Any]) -> None:
        """Keeps an instance at the version that was read, or raises StaleVersion."""
        found = {"of_instance": instance, "at_version": version}
        changed = self.session.execute(_CHANGE, {**values, "version": version + 1, **found})
        if not changed.rowcount:  # type: ignore[attr-defined]
            raise StaleVersion(version + 1)
