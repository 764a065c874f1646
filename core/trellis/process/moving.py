"""Instances that go on with the newest version of their process, where they stand at elements that it has as well.

What has been done stays done. What comes next is foretold anew by the newest diagram; times that run go on running, and so do
the runs of an element that runs several times, where it does so over the same and gathers the same in both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from SpiffWorkflow.util.task import TaskState
from sqlalchemy.orm import Session

from trellis.contributions import Process
from trellis.errors import Conflict
from trellis.i18n import Text, translator
from trellis.process import versions
from trellis.process.diagram import Diagram, Element
from trellis.process.elements import AWAITED
from trellis.process.flow import Flow
from trellis.process.loops import gathered
from trellis.process.runs import Run, Runs
from trellis.process.specification import Specification, specification_of
from trellis.process.tables import INSTANCES, OPEN, STEPS, ProcessVersion
from trellis.records.door import Records

_ = translator("trellis")

MOST_AT_ONCE = 200
"""Instances that one act moves; the others wait for the next."""
_instance, _step = INSTANCES.c, STEPS.c
_ACTIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_JOINS = ("parallelGateway", "inclusiveGateway")


@dataclass(frozen=True)
class Standing:
    """An instance on an older version, and why it cannot go on with the newest; empty when it can."""

    instance: int
    number: int
    obstacles: tuple[Text, ...]


def counts(session: Session, process: str) -> Mapping[int, int]:
    """How many instances go on with each version, by its number."""
    query = (
        sa.select(ProcessVersion.number, sa.func.count())
        .join(INSTANCES, _instance.version_id == ProcessVersion.id)
        .where(ProcessVersion.process == process, _instance.state.in_(OPEN))
        .group_by(ProcessVersion.number)
    )
    return {row[0]: row[1] for row in session.execute(query)}


class Moving:
    """Moves instances to the newest version, on behalf of an administrator. Raises PermissionRefused for others."""

    def __init__(self, records: Records) -> None:
        records.actor.require_administrator()
        self._session, self._edition, self._actor = records.session, records.edition, records.actor
        self._runs = Runs(records.session, records.edition)

    def standing(self, process: Process) -> list[Standing]:
        """The instances on older versions that the next act would look at, the oldest first."""
        newest = versions.present(self._edition, process)
        query = (
            sa.select(_instance.id, _instance.active, _instance.version_id, ProcessVersion.number)
            .join(ProcessVersion, ProcessVersion.id == _instance.version_id)
            .where(_instance.process == process.name, _instance.state.in_(OPEN))
            .where(ProcessVersion.digest != newest.digest)
            .order_by(_instance.id)
        )
        return [
            Standing(row.id, row.number, tuple(obstacles(self._diagram(row.version_id), newest, row.active)))
            for row in self._session.execute(query.limit(MOST_AT_ONCE)).all()
        ]

    def move(self, instance: int) -> None:
        """Has an instance go on with the newest version. Raises RecordNotFound, Conflict that says what stands against it."""
        run = self._runs.load(instance)
        newest = versions.present(self._edition, run.process)
        if run.diagram.digest == newest.digest:
            raise Conflict(_("This instance is on the newest version already"))
        against = list(obstacles(run.diagram, newest, run.row["active"]))
        if against:
            raise Conflict(" ".join(map(str, against)))
        shift(run.flow, specification_of(newest))
        run.diagram = newest
        version = versions.current(self._session, self._edition, run.process, self._actor.user_id)
        self._session.execute(sa.update(INSTANCES).where(_instance.id == instance).values(version_id=version))
        self._runs.keep(run, run.row["problem"], run.row["stuck"], False)
        self._wait_anew(run)

    def move_all(self, process: Process) -> int:
        """Moves the instances of :meth:`standing` that can go on with the newest version; how many."""
        can = [one.instance for one in self.standing(process) if not one.obstacles]
        for instance in can:
            self.move(instance)
        return len(can)

    def _wait_anew(self, run: Run) -> None:
        """Waits for events are found by what the newest version says of them."""
        for token in run.flow.waiting():
            element = run.element(token)
            if element.event in AWAITED:
                of_it = _step.instance_id == run.id, _step.token == token.key, _step.left_at.is_(None)
                awaits = run.awaited(element, token)
                self._session.execute(sa.update(STEPS).where(*of_it).values(awaits=awaits))

    def _diagram(self, version: int) -> Diagram:
        return versions.of_version(self._session, self._edition, version)


def obstacles(before: Diagram, newest: Diagram, active: Sequence[str]) -> Iterator[Text]:
    """What keeps an instance that stands at some elements from going on with another diagram."""
    for name in active:
        old, new = before.elements[name], newest.elements.get(name)
        called = old.name or name
        if new is None:
            yield _("“%(element)s”, where it stands, is not in the newest version.", element=called)
        elif old.several != new.several and (old.several is None or new.several is None):
            yield _("“%(element)s” runs once in one version and several times in the other.", element=called)
        elif old.several != new.several:
            yield _(
                "“%(element)s” runs several times just now, and over something else, or otherwise, in the newest version.",
                element=called,
            )
        elif _nature(old) != _nature(new):
            yield _(
                "“%(element)s”, where it stands, is of another kind in the newest version.", element=called
            )
        elif _gathered(old) != _gathered(new):
            yield _(
                "“%(element)s” runs several times just now, and gathers other lists in the newest version.",
                element=called,
            )
        elif _edges(before, name) != _edges(newest, name):
            yield _("Other events stand at the edge of “%(element)s” in the newest version.", element=called)
    at_once = [name for name in active if before.elements[name].kind != "subProcess"]
    if len(at_once) > 1 or any(before.elements[name].kind in _JOINS for name in at_once):
        for gateway in before.of_kind(*_JOINS):
            if _branches(before, gateway.id, active) != _branches(newest, gateway.id, active):
                yield _(
                    "It goes several ways at once, and other arrows lead to or from “%(gateway)s” in the newest version.",
                    gateway=gateway.name or gateway.id,
                )


def _nature(element: Element) -> Element:
    """What of an element must be the same: all but its words and its settings."""
    return dataclasses.replace(element, name="", properties={}, detail="", default="")


def _gathered(element: Element) -> set[str]:
    """The lists that the runs of an element add to: they were made when it began."""
    return {name for name, _text in gathered(element)} if element.several is not None else set()


def _edges(diagram: Diagram, name: str) -> set[tuple[str, str, bool]]:
    edges = (one for one in diagram.of_kind("boundaryEvent") if one.attached == name)
    return {(one.id, one.event, one.interrupting) for one in edges}


def _branches(diagram: Diagram, gateway: str, active: Sequence[str]) -> tuple[object, int]:
    """How many branches a gateway joins and parts; of one that waits for the others, also which have come."""
    sources = {one.source for one in diagram.entering(gateway)}
    return sources if gateway in active else len(sources), len(diagram.leaving(gateway))


def shift(flow: Flow, specification: Specification) -> None:
    """Puts an instance on another specification, which has all elements where it stands."""
    top = flow._workflow
    for workflow in (top, *top.subprocesses.values()):
        spec = specification.main if workflow is top else specification.parts[workflow.spec.name]
        _align(workflow, spec)
    flow._specification = specification


def _align(workflow: Any, spec: Any) -> None:
    workflow.spec = spec
    tasks = list(workflow.tasks.values())
    for task in tasks:
        task.task_spec = spec.task_specs.get(task.task_spec.name, spec.start)  # what is gone is past
    for task in tasks:
        if task.state & _ACTIVE and task.id in workflow.tasks:
            for child in task.children:
                if not child.triggered:  # runs of an element that runs several times go on
                    workflow._remove_task(child.id)
            task.task_spec._predict(task, mask=TaskState.NOT_FINISHED_MASK)
