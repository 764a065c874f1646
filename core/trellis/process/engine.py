"""Starts instances and moves them on, inside the transaction of what moves them.

What a step changes, where the instance stands, its tasks, timers and mails are committed together or not at all, so each
happens once, whatever is killed when. People write records as themselves; steps of the catalogue write as the process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import (
    Conflict,
    RecordInvalid,
    TrellisError,
)
from trellis.guard import has_abandoned
from trellis.i18n import translator
from trellis.process import scripts, steps, telling, versions
from trellis.process.diagram import Element
from trellis.process.doing import Doing, door_of
from trellis.process.elements import BY_ITSELF, IN, OUT, is_work
from trellis.process.expressions import compile_argument
from trellis.process.flow import StepFailed, Token
from trellis.process.forms import answers, form_of
from trellis.process.runs import NEW, Entered, Run, Runs, process_of
from trellis.process.tables import CANCELLED, FAILED, OPEN, RUNNING, ProcessInstance
from trellis.process.variables import from_kept, to_kept
from trellis.records.door import Records
from trellis.records.expressions import ExpressionFailed
from trellis.records.types import Integer, ValueInvalid
from trellis.security.actor import Actor

_ = translator("trellis")

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
        self._doing = Doing(records, self._start_beside)

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
        if key is not None and self._runs.has_begun(key):
            return None
        run = self._runs.of(NEW, row, process, diagram)
        self._advance(run)
        return run.id

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
            while work := [token for token in run.flow.ready() if is_work(run.element(token))]:
                self._runs.begin(run)
                self._do_all(run, work)
                run.flow.run()
        except StepFailed as error:
            problem, stuck = str(error), error.element
        entered: list[Entered] = []
        gone: list[str] = []
        self._runs.begin(run, (problem, stuck))
        try:
            entered, gone = steps.enter(self.session, run)
        except StepFailed as error:
            problem, stuck = problem or str(error), stuck or error.element
        self._runs.keep(run, problem, stuck, again)
        telling.tell_of_entered(self.session, self.edition, self.actor, entered)
        self._with_others(run, entered, gone)

    def _do_all(self, run: Run, work: Sequence[Token]) -> None:
        """Does what waits for nobody, until something is thrown that may have ended the others."""
        for token in work:
            if run.flow.is_ready(token.key) and not self._do(run, token):
                return

    def _do(self, run: Run, token: Token) -> bool:
        """Does a script, a service or a throw; whether its token has gone on.

        What is refused goes to its error event, or stops the instance there. What follows is told before what was done is
        settled: where that cannot be, it is undone, and done anew when the instance is tried again.
        """
        element, before, done = run.element(token), run.noted(), False
        passed = len(run.passed)
        run.passed.append((token, datetime.now(UTC)))
        try:
            with nullcontext() if element.kind in BY_ITSELF else self._records.whole():
                goes_on = self._doing.do(run, token)
                done = True
                if goes_on:
                    run.flow.complete(token.key)
        except (TrellisError, ExpressionFailed, ValueInvalid) as error:
            if has_abandoned(error):
                raise
            run.back_to(before)
            if not done and run.flow.throw(token.key, "error", getattr(error, "code", "failed")) is not None:
                return False
            del run.passed[passed:]
            if isinstance(error, StepFailed) and error.element:
                raise
            raise StepFailed(element.id, str(error)) from error
        return goes_on

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
        run.set(token.runs, from_kept(kept))
        run.ends[token.key] = {name: value for name, value in kept.items() if value is not None}

    # --- Processes that call one another ---

    def _with_others(self, run: Run, entered: Sequence[Entered], gone: Sequence[str]) -> None:
        """What an instance that was kept just now has to do with those that it called, and with its caller."""
        for one in entered:
            if one.element.kind == "callActivity":
                self._try_call(run, one.element, one.token)
        if gone and any(run.diagram.of_kind("callActivity")):
            self._cancel_called(run.id, gone)
        if run.row["parent_id"] is not None:
            for code in run.escalations:
                self._raise_above(run, "escalation", code)
            if run.error is not None:
                self._raise_above(run, "error", run.error)
            elif run.flow.ended:
                self._return(run)

    def _try_call(self, run: Run, element: Element, token: Token) -> None:
        """Starts the process that a call names. What keeps it from starting stops the instance there."""
        try:
            with self._records.whole():
                self._call(run, element, token)
        except (TrellisError, ExpressionFailed, ValueInvalid) as error:
            if has_abandoned(error):
                raise
            steps.take_back(self.session, run.id, token)
            self._runs.stop(run.id, str(error), element.id)

    def _call(self, run: Run, element: Element, token: Token) -> None:
        """Starts the process that a call names, about the same record or another."""
        facts = run.stand(token.runs)
        told = {
            name: compile_argument(text)(facts)
            for name, text in element.properties.items()
            if name == "id" or name.startswith(IN)
        }
        variables = {name.removeprefix(IN): value for name, value in told.items() if name.startswith(IN)}
        called = process_of(self.edition, element.detail)
        record = _ID.check(told.get("id")) or run.row["record_id"]
        self._require_shallow(run.id)
        door = door_of(self._records, run.process)
        Engine(door).start(
            called.name,
            record if called.entity else None,
            parent=run.id,
            variables={_CALLED_AT: token.key, **variables},
        )
        self._records.take_over(door)

    def _caller(self, run: Run) -> tuple[Run, Token] | None:
        """Whoever called an instance, and where it waits for it; nobody, if it does not wait any more."""
        parent = self._runs.try_load(run.row["parent_id"])
        key = str(run.variables.get(_CALLED_AT, ""))
        token = next((one for one in parent.flow.ready() if one.key == key), None) if parent else None
        return (parent, token) if parent is not None and token is not None else None

    def _return(self, run: Run) -> None:
        """A called process has ended: its caller goes on."""
        if (found := self._caller(run)) is None:
            return
        parent, token = found
        out = scripts.names_of(parent.element(token).properties.get(OUT, ""))
        parent.set(token.runs, {name: run.variables.get(name) for name in out})
        parent.flow.complete(token.key)
        self._advance(parent)

    def _raise_above(self, run: Run, event: str, code: str) -> None:
        """What nothing in a called process catches goes to the events of its caller; an error stops it without one."""
        if (found := self._caller(run)) is None:
            return
        parent, token = found
        if parent.flow.throw(token.key, event, code) is not None:
            self._advance(parent)
        elif event == "error":
            text = _("“%(process)s” has ended with the error “%(code)s”", process=run.process.name, code=code)
            steps.take_back(self.session, parent.id, token)
            self._runs.stop(parent.id, str(text), token.element)

    def _cancel_called(self, instance: int, tokens: Collection[str]) -> None:
        """Cancels the processes that an instance does not wait for any more."""
        below = sa.select(_instance.id, _instance.variables).where(
            _instance.parent_id == instance, _instance.state.in_(OPEN)
        )
        for child, variables in self.session.execute(below).all():
            if variables.get(_CALLED_AT) in tokens:
                self.cancel(child)

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


_CALLED_AT = "_token"
"""The variable of a called process that holds the place of its caller that waits for it."""
_ID = Integer(minimum=1)
