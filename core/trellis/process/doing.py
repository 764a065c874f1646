"""What an instance does by itself: scripts, services, what events throw, and undoing what was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from trellis.contributions import Operation, Process
from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.jobs.queue import enqueue
from trellis.process import events, scripts
from trellis.process.decisions import compiled
from trellis.process.diagram import Element
from trellis.process.dmn import tables
from trellis.process.elements import CALL, RESULT, SET
from trellis.process.expressions import compile_argument
from trellis.process.flow import Ran, Token
from trellis.process.operations import OperationCall, call_operation, checked
from trellis.process.runs import Run
from trellis.process.tables import DECIDED, STEPS
from trellis.process.variables import to_kept
from trellis.records.door import Records
from trellis.security.actor import Actor

_ = translator("trellis")

SOURCE = "process"

Start = Callable[[Run, Records, str, int | None], int]
"""Starts a process that nobody waits for."""


def door_of(records: Records, process: Process) -> Records:
    """The door through which steps of the catalogue write: as the process."""
    actor = Actor(
        name=str(process.title), roles=(f"{SOURCE}:{process.name}",), administrator=True, source=SOURCE
    )
    return Records(records.session, records.edition, actor)


class Doing:
    """Does the elements that wait for nobody, in the transaction of ``records``."""

    def __init__(self, records: Records, start: Start) -> None:
        self._records = records
        self._start = start

    def do(self, run: Run, token: Token) -> bool:
        """Does what stands at a token; whether the token goes on from there.

        Raises whatever keeps it from being done.
        """
        element = run.element(token)
        match element.event:
            case "message" | "signal":
                self._tell(run, element, token)
            case "error":
                return self._end_by_error(run, element, token)
            case "escalation":
                return self._escalate(run, element, token)
            case "compensate":
                self._undo(run, element, token)
            case _:
                self._do_one(run, element, token)
        return True

    def _do_one(self, run: Run, element: Element, token: Token) -> None:
        if element.kind == "scriptTask":
            self._script(run, element, token.runs)
        elif element.kind == "businessRuleTask":
            self._decide(run, element, token)
        else:
            self._service(run, element, token.runs)

    def _script(self, run: Run, element: Element, runs: Sequence[Ran]) -> None:
        facts, made = run.stand(runs), {}
        found = dict(facts.variables)
        facts.variables = found
        for name, expression in scripts.assignments(element.detail):
            found[name] = made[name] = expression(facts)
        run.set(runs, made)

    def _decide(self, run: Run, element: Element, token: Token) -> None:
        table = tables(run.diagram.text)[element.detail]
        decided = compiled(table).decide(run.stand(token.runs))
        result = element.properties.get(RESULT)
        alone = next(iter(decided.outputs.values()))
        run.set(token.runs, {result: alone} if result else decided.outputs)
        outputs = to_kept(decided.outputs)
        run.told[token.key] = {DECIDED: {"table": table.id, "rules": list(decided.rules), "outputs": outputs}}

    def _service(self, run: Run, element: Element, runs: Sequence[Ran]) -> None:
        operation = self._records.edition.all(Operation).get(element.properties.get(CALL, ""))
        if operation is None:
            raise Conflict(_("There is no operation “%(name)s” here", name=element.properties.get(CALL, "")))
        facts = run.stand(runs)
        told = {
            name: compile_argument(text)(facts)
            for name, text in element.properties.items()
            if name in {one.name for one in operation.parameters} or name.startswith(SET)
        }
        door = door_of(self._records, run.process)
        call = OperationCall(
            records=door,
            entity=run.row["entity"],
            record_id=run.row["record_id"],
            arguments=checked(operation, told),
            values={name.removeprefix(SET): value for name, value in told.items() if name.startswith(SET)},
            instance=run.id,
            element=element.id,
            later=lambda kind, arguments: enqueue(self._records.session, kind, arguments, None),
            start=lambda name, record: self._start(run, door, name, record),
            by=run.by,
        )
        try:
            found = call_operation(operation, call)
        finally:
            self._records.take_over(door)
        run.facts.forget()
        if element.properties.get(RESULT):
            run.set(runs, {element.properties[RESULT]: found})

    def _tell(self, run: Run, element: Element, token: Token) -> None:
        """Puts a message or a signal into the queue, for those that wait for it by now."""
        session = self._records.session
        last = session.scalar(sa.select(sa.func.max(STEPS.c.id)))
        told = {
            "told": events.told(element),
            "awaits": run.awaited(element, token),
            "until": last or 0,
            "record": [run.row["entity"], run.row["record_id"]],
            "by": run.process.name,
        }
        enqueue(session, events.EVENT_JOB, told, None)

    def _end_by_error(self, run: Run, element: Element, token: Token) -> bool:
        """The nearest event that catches the error does; without one the instance ends, and its caller is told."""
        if run.flow.throw(token.key, "error", element.detail) is None:
            run.flow.complete(token.key)
            run.flow.stop()
            run.error = element.detail
        return False

    def _escalate(self, run: Run, element: Element, token: Token) -> bool:
        interrupts = run.flow.throw(token.key, "escalation", element.detail)
        if interrupts is None:
            run.escalations.append(element.detail)
        return not interrupts

    def _undo(self, run: Run, element: Element, token: Token) -> None:
        """Undoes what was done around here, the last first: all of it or, where one cannot be, nothing."""
        found = run.flow.to_undo(token.key, run.diagram, element.detail)
        for one in found:
            undoing = run.diagram.elements[run.diagram.undoing[one.element]]
            self._do_one(run, undoing, one)
            run.passed.append((Token(one.key, undoing.id, one.runs), datetime.now(UTC)))
        for one in found:
            run.flow.undone(one.key)
