"""Reminders of activities: when they are due, and telling whose activity it is.

Each reminder is a job of its own that waits for its moment, so that nothing looks through activities.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.jobs import Work, enqueue
from trellis.notifications.notify import notify
from trellis.records.door import Records
from trellis.records.events import BeforeSave, Saved
from trellis.security.actor import SYSTEM

_ = translator("trellis")

KIND, REMINDER = "reminder", "reminder"
_DECIDES = {"due_at", "remind_before"}
_FIELDS = _DECIDES | {"remind_at"}


def complete(event: BeforeSave) -> None:
    """The moment of a reminder from the day that an activity is due. Raises RecordInvalid where it has none."""
    values, before = event.values, event.before
    moved = {name for name in _FIELDS if name in values and values[name] != before.get(name)}
    if values.get("remind_before") is None and "remind_at" in moved:
        values["remind_before"] = None  # a moment that was chosen stays
        return
    activity = {**before, **values}
    minutes = activity.get("remind_before")
    if minutes is None and "remind_before" in moved:
        values["remind_at"] = None
    if minutes is None or not moved & _DECIDES:
        return
    if activity.get("due_at") is None:
        text = _("Say when it is due, or choose the moment of the reminder")
        raise RecordInvalid({"remind_before": [text]})
    try:
        values["remind_at"] = activity["due_at"] - timedelta(minutes=int(minutes))
    except OverflowError:
        raise RecordInvalid({"due_at": [_("Choose a day in this time")]}) from None


def follow(event: Saved) -> None:
    """Puts reminders that were written, and that are still to come, into the queue."""
    now = datetime.now(UTC)
    for change in event.changes:
        written = change.changes.get("remind_at", (None, None))[1]
        if written is not None and (at := datetime.fromisoformat(written)) > now:
            enqueue(event.session, KIND, {"activity": change.id, "at": at.isoformat()}, None, at)


def work(work: Work) -> None:
    """Reminds whoever has an activity now, unless it is done, gone or to be reminded of at another time."""
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        number, at = int(work.arguments["activity"]), datetime.fromisoformat(work.arguments["at"])
        try:
            activity = Records(session, edition, SYSTEM).get("activity", number).values
        except RecordNotFound:
            activity = {}
        if activity.get("remind_at") == at and activity["done_at"] is None:
            due = activity["due_at"]
            told = {"due": _("(due %(moment)s)", moment=due)} if due is not None else {}
            about = ("activity", number)
            notify(
                session, edition, REMINDER, [activity["owner"]], about=about, key=f"{number}:{at}", told=told
            )
        work.finish(session, {})
