"""Conversations by a script: begun beside a record, led answer by answer, broken off, resumed, and read again.

Whoever may see a record and change it leads conversations beside it, and answers fill its fields with their own rights. A
conversation goes on with the version of the script that it began with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa

from trellis.contributions import Script, ScriptAnswer, ScriptObjection, ScriptStep
from trellis.edition import Edition
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import translator, use_locale
from trellis.records.door import Records
from trellis.records.events import BeforeSave
from trellis.records.query import Record
from trellis.records.reach import with_all_rights
from trellis.records.types import LongText, Reference, ValueInvalid
from trellis.scripts import versions
from trellis.scripts.tables import ANSWER, DONE, OBJECTION, PASSAGES, RUN, RUNNING, RUNS, STOPPED

_ = translator("trellis")

_run, _passage = RUNS.c, PASSAGES.c
_AT_WORK = "trellis_scripts"
"""In a session while a conversation is written."""
_ABOUT = ("customer", "lead", "opportunity", "case")
"""The records on whose timelines conversations stand, also those beside a record that refers to them."""
LONGEST_REMARK = 2000
LONGEST_PATH = 4000


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A run as it stands: ``at`` is its present step, None once it came to an outcome; ``passed`` is its path."""

    id: int
    script: Script
    number: int
    entity: str
    record: Record
    state: str
    at: ScriptStep | None
    ending: str
    leader: int | None
    passed: Sequence[Any]

    @property
    def answered(self) -> list[Any]:
        """The answers of its path."""
        return [one for one in self.passed if one.kind == ANSWER]

    def step(self, key: str) -> ScriptStep | None:
        """The step of that key."""
        return next((one for one in self.script.steps if one.key == key), None)

    def objection(self, key: str) -> ScriptObjection | None:
        """The objection of that key, as it can be made at the present step."""
        return next((one for one in self.objections if one.key == key), None)

    @property
    def objections(self) -> list[ScriptObjection]:
        """What can be objected at the present step."""
        return [*self.at.objections, *self.script.objections] if self.at else []

    def left(self) -> int:
        """At least how many answers lead from the present step to an outcome; 0 at one."""
        ways = {one.key: one.answers for one in self.script.steps}
        steps, seen, far = {self.at.key} if self.at else set(), set[str](), 0
        while steps:
            far += 1
            if any(answer.outcome for step in steps for answer in ways[step]):
                return far
            seen |= steps
            steps = {answer.to for step in steps for answer in ways[step]} - seen
        return far


def keep(event: BeforeSave) -> None:
    """Conversations are made by leading them. Raises PermissionRefused."""
    by_hand = event.actor.user_id is not None and not event.session.info.get(_AT_WORK)
    if event.action == "created" and by_hand:
        raise PermissionRefused(_("Begin a conversation beside a record, by a script"))


def about(edition: Edition, record: Record) -> dict[str, int]:
    """The records on whose timelines a conversation beside ``record`` stands: itself, and those that it refers to."""
    found = {record.entity: record.id} if record.entity in _ABOUT else {}
    for name, field in edition.entity(record.entity).references.items():
        target = cast(Reference, field.type).entity
        value = record.values.get(name)
        if name == target and target in _ABOUT and value is not None:
            found.setdefault(target, value)
    return found


class Conversations:
    """The conversations of a workspace as one person leads and sees them, in one transaction."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._session, self._edition, self._actor = records.session, records.edition, records.actor

    # --- Reading ---

    def offered(self, record: Record) -> list[Script]:
        """The scripts that the actor may run beside a record, without those that others stand in for."""
        if not self._may_lead(record):
            return []
        known = self._edition.all(Script).values()
        replaced = {one.replaces for one in known if one.replaces}
        return [one for one in known if record.entity in one.entities and one.name not in replaced]

    def get(self, number: int) -> Conversation:
        """One conversation. Raises RecordNotFound for what is not there for the actor."""
        return self._read(number)

    def beside(self, record: Record) -> Conversation | None:
        """The latest conversation of the actor beside a record that goes on or was broken off."""
        mine = sa.select(_run.id).where(
            _run.of_entity == record.entity,
            _run.record == record.id,
            _run.owner_id == self._actor.user_id,
            _run.state.in_((RUNNING, STOPPED)),
            _run.deleted_at.is_(None),
        )
        for number in self._session.scalars(mine.order_by(_run.id.desc()).limit(1)):
            try:
                return self._read(number)
            except RecordNotFound:  # its plugin is not enabled
                return None
        return None

    def passages(self, number: int) -> Sequence[Any]:
        """The path of a conversation, without what was taken back."""
        query = sa.select(PASSAGES).where(_passage.run_id == number, sa.not_(_passage.undone))
        return self._session.execute(query.order_by(_passage.id)).all()

    # --- Leading ---

    def start(self, name: str, entity: str, record_id: int) -> Conversation:
        """Begins a conversation; one of the actor that goes on beside the record is broken off.

        Raises RecordNotFound, PermissionRefused, RecordInvalid for a script that does not run beside it.
        """
        record = self._records.get(entity, record_id)
        script = self._edition.all(Script).get(name)
        if script is None or entity not in script.entities:
            raise RecordInvalid(
                {"script": [_("There is no script “%(name)s” for this record", name=name[:80])]}
            )
        self._require(record)
        number = versions.current(self._session, self._edition, script, self._actor.user_id)
        with self._records.whole():
            self._break_off_other(record)
            return self._read(self._begin(script, number, record))

    def answer(self, number: int, step: str, choice: str, typed: Any = None) -> Conversation:
        """Gives an answer at the step where the conversation is: fills its field, and goes on or ends.

        Raises RecordInvalid that names the field, Conflict where it is at another step by now.
        """
        run = self._at(number, step)
        answer = next((one for one in run.at.answers if one.key == choice), None) if run.at else None
        if answer is None:
            raise RecordInvalid({"answer": [_("There is no answer “%(key)s” at this step", key=choice[:60])]})
        with self._records.whole():
            filled = self._fill(run, answer, typed)
            self._note(run, ANSWER, choice, filled)
            ending = {"state": DONE, "step": None, "ended_at": datetime.now(UTC)}
            self._move(run, ending | {"ending": answer.outcome} if answer.outcome else {"step": answer.to})
        return self._read(number)

    def object(self, number: int, step: str, objection: str) -> Conversation:
        """Notes an objection; the conversation stays at its step. Raises RecordInvalid, Conflict."""
        run = self._at(number, step)
        if run.objection(objection) is None:
            raise RecordInvalid(
                {"objection": [_("There is no objection “%(key)s” at this step", key=objection[:60])]}
            )
        self._note(run, OBJECTION, objection, {})
        return self._read(number)

    def back(self, number: int) -> Conversation:
        """Takes the last answer back: what it filled is as it was, unless it was changed since. Raises Conflict, RecordInvalid."""
        run = self._led(number)
        if not run.answered or run.state == STOPPED:
            raise Conflict(_("There is no step to go back to"))
        last = run.answered[-1]
        with self._records.whole():
            if last.field:
                self._give_back(run, last)
            self._session.execute(
                sa.update(PASSAGES)
                .where(_passage.run_id == number, _passage.id >= last.id)
                .values(undone=True)
            )
            again = {"state": RUNNING, "step": last.step, "ending": None, "ended_at": None}
            self._move(run, again)
        return self._read(number)

    def stop(self, number: int) -> Conversation:
        """Breaks a conversation off where it is. Raises Conflict."""
        run = self._led(number)
        if run.state != RUNNING:
            raise Conflict(_("This conversation has ended already"))
        self._put(number, {"state": STOPPED, "ended_at": datetime.now(UTC)})
        return self._read(number)

    def resume(self, number: int) -> Conversation:
        """Goes on with one that was broken off; another that goes on there is broken off. Raises Conflict."""
        run = self._led(number)
        if run.state != STOPPED:
            raise Conflict(_("This conversation was not broken off"))
        self._break_off_other(run.record)
        self._put(number, {"state": RUNNING, "ended_at": None})
        return self._read(number)

    # --- Steps of these ---

    def _read(self, number: int, *, lock: bool = False) -> Conversation:
        query = sa.select(RUNS).where(_run.id == number, _run.deleted_at.is_(None))
        row = self._session.execute(query.with_for_update() if lock else query).first()
        if row is None or row.script is None:
            raise RecordNotFound()
        if row.owner_id != self._actor.user_id or self._actor.user_id is None:
            self._records.get(RUN, number)
        if row.of_entity not in self._edition.entities:
            raise RecordNotFound()
        script = versions.of_number(self._session, self._edition, row.script, row.number)
        return Conversation(
            id=number,
            script=script,
            number=row.number,
            entity=row.of_entity,
            record=self._records.get(row.of_entity, row.record),
            state=row.state,
            at=next((one for one in script.steps if one.key == row.step), None),
            ending=row.ending or "",
            leader=row.owner_id,
            passed=self.passages(number),
        )

    def _led(self, number: int) -> Conversation:
        """A conversation that the actor may lead on. Raises RecordNotFound, PermissionRefused."""
        run = self._read(number, lock=True)
        self._require(run.record)
        return run

    def _at(self, number: int, step: str) -> Conversation:
        run = self._led(number)
        if run.state != RUNNING or run.at is None or run.at.key != step:
            raise Conflict(_("The conversation is at another step by now; look at it anew"))
        return run

    def _may_lead(self, record: Record) -> bool:
        return self._actor.reaches(record.entity, "update", {**record.values, "id": record.id})

    def _require(self, record: Record) -> None:
        if not self._may_lead(record):
            raise PermissionRefused()

    def _break_off_other(self, record: Record) -> None:
        """One person leads one conversation beside a record."""
        mine = sa.select(_run.id).where(
            _run.of_entity == record.entity,
            _run.record == record.id,
            _run.owner_id == self._actor.user_id,
            _run.state == RUNNING,
            _run.deleted_at.is_(None),
        )
        for number in self._session.scalars(mine).all():
            self._put(number, {"state": STOPPED, "ended_at": datetime.now(UTC)})

    def _begin(self, script: Script, number: int, record: Record) -> int:
        values = {
            "title": self._kept_words(script.title),
            "script": script.name,
            "number": number,
            "state": RUNNING,
            "started_at": datetime.now(UTC),
            "of_entity": record.entity,
            "record": record.id,
            "step": script.steps[0].key,
            **about(self._edition, record),
        }
        with self._door() as door:
            return door.create(RUN, {}, values).id

    def _fill(self, run: Conversation, answer: ScriptAnswer, typed: Any) -> Mapping[str, Any]:
        """Writes what an answer fills; what is kept of it. Raises RecordInvalid that names the field."""
        if answer.value is None and not (answer.fills or answer.asks):
            return {}
        value = typed if answer.value is None else answer.value
        view = self._edition.entity(run.entity)
        named = answer.fills or "remark"
        if value is None or (isinstance(value, str) and not value.strip()):
            raise RecordInvalid({named: [_("Give a value, or choose another answer")]})
        if answer.fills not in view.fields:
            return {"remark": self._remark(named, value)}
        to_json = view.fields[answer.fills].type.to_json
        before = run.record.values.get(answer.fills)
        after = self._records.update(run.entity, run.record.id, {answer.fills: value}).values[answer.fills]
        kept = [None if one is None else to_json(one) for one in (before, after)]
        return {"field": answer.fills, "before": kept[0], "value": kept[1]}

    def _remark(self, named: str, value: Any) -> str:
        text = str(value).strip()
        try:
            LongText().check(text)
        except ValueInvalid as error:
            raise RecordInvalid({named: [error.message]}) from None
        if len(text) > LONGEST_REMARK:
            raise RecordInvalid({named: [_("At most %(most)s characters", most=LONGEST_REMARK)]})
        return text

    def _give_back(self, run: Conversation, last: Any) -> None:
        declared = self._edition.entity(run.entity).fields.get(last.field)
        now = run.record.values.get(last.field)
        if declared is not None and now is not None and declared.type.to_json(now) == last.value:
            self._records.update(run.entity, run.record.id, {last.field: last.before})

    def _note(self, run: Conversation, kind: str, choice: str, filled: Mapping[str, Any]) -> None:
        values = {"field": "", "value": None, "before": None, "remark": "", **filled}
        self._session.execute(
            sa.insert(PASSAGES).values(
                run_id=run.id,
                step=run.at.key if run.at else "",
                kind=kind,
                choice=choice,
                at=datetime.now(UTC),
                undone=False,
                **values,
            )
        )

    def _move(self, run: Conversation, values: Mapping[str, Any]) -> None:
        """Keeps where a conversation stands, with its path and outcome in words."""
        ending = next((o for o in run.script.outcomes if o.key == values.get("ending")), None)
        told = {"path": self._path(run), "outcome": None, "result": None}
        if ending is not None:
            told |= {"outcome": self._kept_words(ending.title), "result": ending.result.value}
        self._put(run.id, {**values, **told})

    def _path(self, run: Conversation) -> str | None:
        titles = []
        for one in self.passages(run.id):
            step = run.step(one.step)
            answer = next((a for a in step.answers if a.key == one.choice), None) if step else None
            if one.kind == ANSWER and answer is not None:
                titles.append(self._kept_words(answer.title))
        return " → ".join(titles)[:LONGEST_PATH] or None

    def _put(self, number: int, values: Mapping[str, Any]) -> None:
        with self._door() as door:
            door.update(RUN, number, {}, kept=values)

    def _kept_words(self, text: Any) -> str:
        """A text as it is kept: in the language of the workspace."""
        with use_locale(self._edition.settings.language):
            return str(text)

    @contextmanager
    def _door(self) -> Iterator[Records]:
        door = with_all_rights(self._records)
        self._session.info[_AT_WORK] = True
        try:
            yield door
        finally:
            del self._session.info[_AT_WORK]
            self._records.take_over(door)
