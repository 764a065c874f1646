"""Starts instances and moves them on, inside the transaction of what moves them.

What a step changes, where the instance stands, its tasks, timers and mails are committed together or not at all, so each
happens once, whatever is killed when. People write records as themselves; steps of the catalogue write as the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Operation, Process
from trellis.edition import Edition
from trellis.errors import (
    Conflict,
    RecordInvalid,
    TrellisError,
)
from trellis.guard import has_abandoned
from trellis.i18n import translator
from trellis.jobs.queue import enqueue
from trellis.process import scripts, steps, telling, versions
from trellis.process.checks import CALL, IN, OUT, PEOPLE, RESULT, SET
from trellis.process.diagram import Element
from trellis.process.expressions import compile_argument
from trellis.process.flow import StepFailed, Token
from trellis.process.forms import answers, form_of
from trellis.process.operations import OperationCall, call_operation, checked
from trellis.process.runs import Run, Runs, process_of
from trellis.process.tables import CANCELLED, FAILED, OPEN, RUNNING, ProcessInstance
from trellis.process.variables import from_kept, to_kept
from trellis.records.door import Records
from trellis.records.expressions import ExpressionFailed
from trellis.records.types import Integer, ValueInvalid
from trellis.security.actor import Actor

_ = translator("trellis")

SOURCE = "process"
DEEPEST = 8
"""Processes that may call one another."""

_instance = ProcessInstance.__table__.c


class Engine:
    """Moves the instances of one workspace on behalf of ``records``' actor, in its transaction."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.session: Session = records.session
        self.edition: Edition = records.edition
        self.actor: Actor = records.actor
        self._runs = Runs(records.session, records.edition)

    # --- What moves an instance ---

    def start(
        self,
        name: str,
        record_id: int | None = None,
        given: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        parent: int | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> int | None:
        """Begins an instance; its id, or None when one with this ``key`` has begun already.

        ``given`` answers the form of the start event. Raises RecordNotFound, RecordInvalid.
        """
        process = process_of(self.edition, name)
        if process.entity is not None:
            if record_id is None:
                raise RecordInvalid({"record": [_("Name the record that the process is about")]})
            self._records.get(process.entity, record_id)
        elif record_id is not None:
            raise RecordInvalid({"record": [_("This process is about no record")]})
        diagram = versions.present(self.edition, process)
        known = {**(variables or {}), **answers(form_of(diagram.start), None, given or {})[1]}
        row = {
            "process": name,
            "version_id": versions.current(self.session, self.edition, process, self.actor.user_id),
            "parent_id": parent,
            "entity": process.entity,
            "record_id": record_id,
            "state": RUNNING,
            "flow": b"",
            "variables": to_kept(known),
            "done": [],
            "active": [],
            "problem": "",
            "stuck": "",
            "due_at": None,
            "started_at": datetime.now(UTC),
            "started_by_id": self.actor.user_id,
            "key": key,
            "version": 1,
        }
        made = self._runs.insert(row)
        if made is None:
            return None
        run = self._runs.of(made, row, process, diagram)
        self._advance(run)
        return made

    def complete(self, step: Any, given: Mapping[str, Any]) -> None:
        """Completes a task of people, with the answers to its form, as the actor. Raises RecordInvalid, Conflict."""
        run = self._runs.load(step.instance_id)
        token = next((one for one in run.flow.ready() if one.key == step.token), None)
        if token is None:
            raise Conflict(_("This task is done already"))
        self._fill_in(run, run.element(token), given, token)
        run.by = self.actor.user_id
        run.flow.complete(token.key)
        self._advance(run)

    def tick(self, instance: int) -> None:
        """Lets the timers of an instance fire that are due."""
        run = self._runs.try_load(instance)
        if run is not None:
            self._advance(run, again=True)

    def catch(self, instance: int, token: str) -> None:
        """The event that a step waits for has come."""
        run = self._runs.try_load(instance)
        if run is None or token not in {one.key for one in run.flow.waiting()}:
            return
        run.flow.catch(token)
        self._advance(run)

    def retry(self, instance: int) -> None:
        """Tries again what could not go on."""
        run = self._runs.load(instance)
        if run.row["state"] != FAILED:
            raise Conflict(_("Only an instance that cannot go on can be tried again"))
        self._advance(run)

    def cancel(self, instance: int) -> None:
        """Ends an instance where it stands, with those that it has called."""
        row = self._runs.locked(instance)
        if row["state"] not in OPEN:
            raise Conflict(_("This instance has ended already"))
        self._runs.end(row, CANCELLED, [*row["done"]])
        steps.leave_all(self.session, instance, self.actor.user_id)
        below = sa.select(_instance.id, _instance.variables).where(
            _instance.parent_id == instance, _instance.state.in_(OPEN)
        )
        for child, variables in self.session.execute(below).all():
            if _CALLED_AT in variables:
                self.cancel(child)

    # --- Moving ---

    def _advance(self, run: Run, *, again: bool = False) -> None:
        """Goes on until somebody or something has to be waited for, and keeps where that is."""
        problem, stuck = "", ""
        try:
            run.flow.run()
            while work := [token for token in run.flow.ready() if run.element(token).kind in _WORK]:
                for token in work:
                    self._do(run, token)
                run.flow.run()
        except StepFailed as error:
            problem, stuck = str(error), error.element
        entered: list[tuple[Element, Token]] = []
        try:
            entered = steps.enter(self.session, run)
        except StepFailed as error:
            problem, stuck = problem or str(error), stuck or error.element
        self._runs.keep(run, problem, stuck, again)
        tokens = [token.key for element, token in entered if element.kind in PEOPLE]
        if tokens:
            telling.tell_of_entered(self.session, self.edition, self.actor, run.id, tokens)
        for element, token in entered:
            if element.kind == "callActivity":
                self._try_call(run, element, token)
        if run.flow.ended and run.row["parent_id"] is not None:
            self._return(run)

    def _do(self, run: Run, token: Token) -> None:
        """Does a script or a service. What it refuses goes to its error event, or stops the instance there."""
        element = run.element(token)
        run.passed.append((token, datetime.now(UTC)))
        try:
            if element.kind == "scriptTask":
                self._script(run, element)
            else:
                with self._records.whole():
                    self._service(run, element)
        except (TrellisError, ExpressionFailed, ValueInvalid) as error:
            if has_abandoned(error):
                raise
            run.facts.forget()
            code = getattr(error, "code", "failed")
            if not run.flow.throw(token.key, code):
                run.passed.pop()
                raise StepFailed(element.id, str(error)) from error
            return
        run.flow.complete(token.key)

    def _script(self, run: Run, element: Element) -> None:
        found = dict(run.variables)
        run.facts.variables = found
        for name, expression in scripts.assignments(element.detail):
            found[name] = expression(run.facts)
        to_kept(found)
        run.variables = found

    def _service(self, run: Run, element: Element) -> None:
        operation = self.edition.all(Operation).get(element.properties.get(CALL, ""))
        if operation is None:
            raise Conflict(_("There is no operation “%(name)s” here", name=element.properties.get(CALL, "")))
        told = {
            name: compile_argument(text)(run.facts)
            for name, text in element.properties.items()
            if name not in (CALL, RESULT)
        }
        door = self._door(run.process)
        call = OperationCall(
            records=door,
            entity=run.row["entity"],
            record_id=run.row["record_id"],
            arguments=checked(operation, told),
            values={name.removeprefix(SET): value for name, value in told.items() if name.startswith(SET)},
            instance=run.id,
            element=element.id,
            later=lambda kind, arguments: enqueue(self.session, kind, arguments, None),
            start=lambda name, record: self._start_beside(run, door, name, record),
            by=run.by,
        )
        try:
            found = call_operation(operation, call)
        finally:
            self._records.take_over(door)
        run.facts.forget()
        if element.properties.get(RESULT):
            run.variables[element.properties[RESULT]] = found
            to_kept(run.variables)

    def _fill_in(self, run: Run, element: Element, given: Mapping[str, Any], token: Token) -> None:
        """Writes the answers: fields of the record by the door, as the actor; the others into variables."""
        form = form_of(element)
        entity, record_id = run.row["entity"], run.row["record_id"]
        view = self.edition.entities.get(entity) if entity else None
        values, ours = answers(form, view, given)
        missing = [name for name in form.required if name in values and values[name] in (None, "")]
        if entity and record_id and form.required:
            known = self._records.get(entity, record_id).values
            missing += [name for name in form.required if name not in values and known.get(name) is None]
        if missing:
            raise RecordInvalid({name: [_("This field needs a value")] for name in missing})
        if values and entity and record_id:
            self._records.update(entity, record_id, values)
            run.facts.forget()
        kept = to_kept(ours)
        run.variables |= from_kept(kept)
        run.ends[token.key] = {name: value for name, value in kept.items() if value is not None}

    # --- Processes that call one another ---

    def _try_call(self, run: Run, element: Element, token: Token) -> None:
        """Starts the process that a call names. What keeps it from starting stops the instance there."""
        try:
            with self._records.whole():
                self._call(run, element, token)
        except (TrellisError, ExpressionFailed, ValueInvalid) as error:
            if has_abandoned(error):
                raise
            steps.take_back(self.session, run.id, token)
            self._runs.stop(run, str(error), element.id)

    def _call(self, run: Run, element: Element, token: Token) -> None:
        """Starts the process that a call names, about the same record or another."""
        told = {
            name: compile_argument(text)(run.facts)
            for name, text in element.properties.items()
            if name != OUT
        }
        variables = {name.removeprefix(IN): value for name, value in told.items() if name.startswith(IN)}
        called = process_of(self.edition, element.detail)
        record = _ID.check(told.get("id")) or run.row["record_id"]
        self._require_shallow(run.id)
        door = self._door(run.process)
        Engine(door).start(
            called.name,
            record if called.entity else None,
            parent=run.id,
            variables={_CALLED_AT: token.key, **variables},
        )
        self._records.take_over(door)

    def _return(self, run: Run) -> None:
        """A called process has ended: its caller goes on."""
        parent = self._runs.try_load(run.row["parent_id"])
        key = str(run.variables.get(_CALLED_AT, ""))
        token = next((one for one in parent.flow.ready() if one.key == key), None) if parent else None
        if parent is None or token is None:
            return
        for name in scripts.names_of(parent.element(token).properties.get(OUT, "")):
            parent.variables[name] = run.variables.get(name)
        parent.flow.complete(key)
        self._advance(parent)

    def _start_beside(self, run: Run, door: Records, name: str, record: int | None) -> int:
        """Starts a process that nobody waits for."""
        self._require_shallow(run.id)
        about = record if process_of(self.edition, name).entity else None
        return Engine(door).start(name, about, parent=run.id) or 0

    def _require_shallow(self, instance: int) -> None:
        above: int | None = instance
        for _depth in range(DEEPEST):
            above = self.session.scalar(sa.select(_instance.parent_id).where(_instance.id == above))
            if above is None:
                return
        raise StepFailed("", str(_("Processes call one another more than %(number)s deep", number=DEEPEST)))

    def _door(self, process: Process) -> Records:
        """The door through which steps of the catalogue write: as the process."""
        actor = Actor(
            name=str(process.title), roles=(f"{SOURCE}:{process.name}",), administrator=True, source=SOURCE
        )
        return Records(self.session, self.edition, actor)


_CALLED_AT = "_token"
"""The variable of a called process that holds the place of its caller that waits for it."""
_ID = Integer(minimum=1)
_WORK = ("scriptTask", "serviceTask", "sendTask")
"""What the engine does by itself."""
