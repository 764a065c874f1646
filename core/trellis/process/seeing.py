"""Who sees which instances, and who may start what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Process
from trellis.errors import PermissionRefused, RecordNotFound
from trellis.process import versions
from trellis.process.decisions import written_out
from trellis.process.diagram import Diagram
from trellis.process.dmn import tables
from trellis.process.engine import Engine
from trellis.process.runs import process_of, starting
from trellis.process.tables import DECIDED, OPEN, ProcessInstance, ProcessStep
from trellis.process.tasks import Tasks, manages
from trellis.process.variables import from_kept
from trellis.records.door import Records
from trellis.records.query import Record

_instance = ProcessInstance.__table__.c
COLUMNS = tuple(column for column in _instance if column.name not in ("flow", "variables"))


def may_start(records: Records, process: Process, record: Record | None) -> bool:
    """Whether the actor may start a process by hand, about this record where it is about one."""
    actor = records.actor
    if process.given or process not in starting(records.edition):
        return False
    if process.entity is not None:
        if record is None or not actor.reaches(process.entity, "read", record.values):
            return False
        if not process.starters:
            return actor.reaches(process.entity, "update", record.values)
    return actor.administrator or not process.starters or bool(set(process.starters) & set(actor.roles))


def startable(records: Records, record: Record) -> list[Process]:
    """The processes that the actor may start about a record."""
    return [
        process
        for process in records.edition.all(Process).values()
        if process.entity == record.entity and may_start(records, process, record)
    ]


def start(records: Records, name: str, record_id: int | None, given: dict[str, Any]) -> int:
    """Starts a process by hand. Raises RecordNotFound, PermissionRefused, RecordInvalid."""
    process = process_of(records.edition, name)
    record = records.get(process.entity, record_id) if process.entity and record_id else None
    if (process.entity is None or record is not None) and not may_start(records, process, record):
        raise PermissionRefused()
    return Engine(records).start(name, record_id, given) or 0


@dataclass(frozen=True)
class Decision:
    """What a table decided at a step of an instance: the rules that held, and the outputs that the reader may see."""

    element: str
    at: datetime
    table: str
    rules: Sequence[int]
    outputs: Mapping[str, Any]


def decision(records: Records, diagram: Diagram, step: Any) -> Decision | None:
    """What was decided at a step; None for other steps. What was computed from a record is for those who manage the process."""
    told = step.outcome.get(DECIDED)
    if not told:
        return None
    table, outputs = tables(diagram.text).get(told["table"]), from_kept(told["outputs"])
    if not manages(records.actor, records.edition.all(Process).get(step.process)):
        plain = written_out(table, told["rules"]) if table is not None else set()
        outputs = {name: value for name, value in outputs.items() if name in plain}
    return Decision(step.element, step.left_at, told["table"], told["rules"], outputs)


def decisions(records: Records, instance: Any) -> list[Decision]:
    """What tables decided in an instance, in order."""
    diagram = versions.of_version(records.session, records.edition, instance.version_id)
    mine = ProcessStep.instance_id == instance.id, ProcessStep.kind == "businessRuleTask"
    steps = records.session.scalars(sa.select(ProcessStep).where(*mine).order_by(ProcessStep.id).limit(500))
    found = [decision(records, diagram, step) for step in steps]
    return [one for one in found if one is not None]


class Instances:
    """The instances that one actor sees: of records that they see, those they started or had a task in, or all."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._session, self._edition, self._actor = records.session, records.edition, records.actor

    def get(self, number: int) -> Any:
        """One instance. Raises RecordNotFound for what is not there for the actor."""
        columns = (*COLUMNS, _instance.variables)
        found = self._session.execute(sa.select(*columns).where(_instance.id == number)).first()
        process = self._edition.all(Process).get(found.process) if found is not None else None
        if found is None or process is None:
            raise RecordNotFound()
        seen = sa.select(_instance.id).where(_instance.id == number, self._seen(process))
        if self._session.scalar(seen) is None:
            raise RecordNotFound()
        return found

    def page(
        self, process: Process, states: Sequence[str], limit: int, before: int | None = None
    ) -> Sequence[Any]:
        """The instances of a process, the newest first."""
        query = sa.select(*COLUMNS).where(_instance.process == process.name, self._seen(process))
        query = query.where(_instance.state.in_(states)) if states else query
        query = query.where(_instance.id < before) if before else query
        return self._session.execute(query.order_by(_instance.id.desc()).limit(limit)).all()

    def of_record(self, entity: str, record_id: int) -> Sequence[Any]:
        """The instances that go on about a record, which the actor has read."""
        known = list(self._edition.all(Process))
        query = sa.select(*COLUMNS).where(
            _instance.entity == entity,
            _instance.record_id == record_id,
            _instance.state.in_(OPEN),
            _instance.process.in_(known),
        )
        return self._session.execute(query.order_by(_instance.id.desc()).limit(20)).all()

    def require_manager(self, number: int) -> Any:
        """One instance that the actor may cancel and try again. Raises RecordNotFound, PermissionRefused."""
        found = self.get(number)
        if not manages(self._actor, self._edition.all(Process).get(found.process)):
            raise PermissionRefused()
        return found

    def _seen(self, process: Process) -> sa.ColumnElement[bool]:
        if manages(self._actor, process):
            return sa.true()
        me = self._actor.user_id
        part = sa.exists().where(
            ProcessStep.instance_id == _instance.id,
            sa.or_(ProcessStep.by_id == me, ProcessStep.person_id.in_(Tasks(self._records).persons)),
        )
        seen = [_instance.started_by_id == me, part]
        if process.entity is not None and self._actor.may(process.entity, "read"):
            entity = self._edition.entity(process.entity).entity
            visible = sa.select(entity.id).where(self._actor.visible(entity), entity.deleted_at.is_(None))
            seen.append(_instance.record_id.in_(visible))
        return sa.or_(*seen)
