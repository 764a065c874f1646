"""An act on several tasks at once, of processes and activities alike: each by itself, under the rules of the act on one.

What cannot be done is left as it is, and said why; the others are done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.contributions import Process
from trellis.crm.service import tasks
from trellis.errors import Conflict, Message, RecordInvalid, RecordNotFound, TrellisError
from trellis.i18n import translator
from trellis.process import versions
from trellis.process.forms import form_of
from trellis.process.tasks import Tasks
from trellis.records.calendar import on_day
from trellis.records.door import BatchInvalid, Records, Write
from trellis.security.people import User

_ = translator("trellis")

MOST = 200
"""As many as the page of tasks shows."""
STEP = "p"
"""The ids of tasks of processes begin so; the others are those of activities."""
_ID = re.compile(r"(p?)(\d{1,18})")
_EVENING = time(18)
"""When a task is due on a day, if it was due at no time before."""


@dataclass(frozen=True)
class Left:
    """A task that was left as it is: its id, its title as far as it may be known, the process or customer that it is about, and
    why, by field (``_record``: all of it)."""

    id: str
    title: Message
    about: Message
    errors: dict[str, Sequence[Message]]


@dataclass
class Outcome:
    """What became of several tasks."""

    done: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


class ManyTasks:
    """The tasks with some ids (``p31``, ``7``). Raises RecordInvalid for what is no id, for none and for more than :data:`MOST`."""

    def __init__(self, records: Records, ids: Sequence[str]) -> None:
        self._records, self._tasks = records, Tasks(records)
        self._ids = list(dict.fromkeys(ids))
        if not self._ids or len(self._ids) > MOST or not all(map(_ID.fullmatch, self._ids)):
            text = _("Give the ids of 1 to %(most)s tasks, as they are listed: p31, 7", most=MOST)
            raise RecordInvalid({"tasks": [text]})

    def complete(self) -> Outcome:
        """Completes those that ask for nothing."""

        def step(number: int, found: Any) -> None:
            element = versions.of_version(
                self._records.session, self._records.edition, found.version_id
            ).elements[found.element]
            form = form_of(element)
            if form.fields or form.own:
                raise Conflict(_("It has a form to fill in: complete it by itself"))
            self._tasks.complete(number, {})

        return self._each(step, lambda number: tasks.complete(self._records, number))

    def take(self) -> Outcome:
        """Takes those that wait in a queue."""
        return self._each(lambda number, _found: self._tasks.take(number), self._no_queue)

    def put_back(self) -> Outcome:
        """Puts those that came from a queue back into it."""
        return self._each(lambda number, _found: self._tasks.put_back(number), self._no_queue)

    def reassign(self, person: int | None) -> Outcome:
        """Hands them to somebody. Raises RecordInvalid for nobody who works here."""
        known = sa.select(User.id).where(User.id == person, User.active, User.deleted_at.is_(None))
        if person is None or self._records.session.scalar(known) is None:
            raise RecordInvalid({"person": [_("Choose somebody who works here")]})
        return self._each(
            lambda number, _found: self._tasks.reassign(number, person),
            lambda number: self._write(number, {"owner": person}),
        )

    def postpone(self, text: Any) -> Outcome:
        """Moves the day on which they are due, not the hour. Raises RecordInvalid for what is no day."""
        try:
            day = date.fromisoformat(text)
        except (TypeError, ValueError):
            raise RecordInvalid({"day": [_("Must be a date such as 2026-11-23")]}) from None
        view = self._records.edition.entity("activity")
        zone = ZoneInfo(self._records.edition.settings.timezone)

        def activity(number: int) -> None:
            due = self._records.get("activity", number).values.get("due_at")
            moved = on_day(view.fields["due_at"], due or datetime.combine(day, _EVENING, zone), day, zone)
            self._write(number, {"due_at": moved})

        def step(_number: int, _found: Any) -> None:
            raise Conflict(_("Its process says when it is due"))

        return self._each(step, activity)

    def _each(self, step: Callable[[int, Any], None], activity: Callable[[int], Any]) -> Outcome:
        outcome = Outcome()
        for one in self._ids:
            known = _ID.fullmatch(one)
            assert known is not None  # looked at when they were given
            number, title, about = int(known[2]), one, ""
            try:
                with self._records.whole():
                    if known[1]:
                        found = self._tasks.get(number)
                        title, about = self._words(found)
                        step(number, found)
                    else:
                        record = self._records.get("activity", number)
                        title = record.values.get("subject") or one
                        about = record.titles.get("customer", "")
                        activity(number)
            except TrellisError as error:
                outcome.left.append(Left(one, title, about, _errors(error)))
            else:
                outcome.done.append(one)
        return outcome

    def _words(self, found: Any) -> tuple[str, str]:
        """What a task of a process and its process are called."""
        process = self._records.edition.all(Process).get(found.process)
        title = str(versions.words(self._records.edition, process, found.title))
        return title, str(process.title) if process is not None else ""

    def _no_queue(self, _number: int) -> None:
        raise Conflict(_("It is not in a queue: only tasks of processes are"))

    def _write(self, number: int, values: dict[str, Any]) -> None:
        """Changes an activity, which may be out of sight afterwards."""
        try:
            self._records.save("activity", [Write(id=number, values=values)])
        except BatchInvalid as error:
            raise error.failures[0] from None


def _errors(error: TrellisError) -> dict[str, Sequence[Message]]:
    if isinstance(error, RecordInvalid):
        return dict(error.errors)
    if isinstance(error, RecordNotFound):
        return {"_record": [_("There is no such task for you")]}
    return {"_record": [error.detail]}
