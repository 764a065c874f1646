"""The kinds of notifications that the core tells of beside those of its folders, and telling of records and jobs."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from trellis.contributions import NotificationKind
from trellis.edition import Edition
from trellis.i18n import Text, plural_translator, translator
from trellis.jobs.job import DONE, FAILED, STOPPED
from trellis.notifications.notify import notify
from trellis.records.events import Saved

_ = translator("trellis")
_n = plural_translator("trellis")

ASSIGNED, TASK, QUEUE, LATE, JOB = "assigned", "task", "queue", "late", "job"
KINDS = [
    NotificationKind(
        name=ASSIGNED,
        title=_("A record is given to me"),
        text=_("%(who)s gave you “%(title)s” (%(entity)s)"),
        icon="user-round-check",
    ),
    NotificationKind(
        name=TASK,
        title=_("A task of a process waits for me"),
        text=_("A task waits for you: %(task)s (%(process)s)"),
        icon="circle-check",
    ),
    NotificationKind(
        name=QUEUE,
        title=_("Tasks wait in a queue of mine"),
        text=_("Tasks wait in the queue “%(queue)s”: %(number)s"),
        icon="inbox",
    ),
    NotificationKind(
        name=LATE,
        title=_("A task of a process is late"),
        text=_("A task is late: %(task)s (%(process)s)"),
        icon="clock",
    ),
    NotificationKind(
        name=JOB,
        title=_("An import or export of mine has ended"),
        text=_("%(job)s: %(state)s"),
        icon="loader",
    ),
]
PEOPLE_AND_PROCESSES = frozenset({"web", "rest", "cli", "process"})
"""Where what is written was meant for somebody; imports and demo data tell nobody."""
_STATES: Mapping[str, Text] = {DONE: _("done"), FAILED: _("failed"), STOPPED: _("stopped")}


def follow_owners(event: Saved) -> None:
    """Tells people of records that somebody else has given them; of several at once in one sentence."""
    actor = event.actor
    if actor.source not in PEOPLE_AND_PROCESSES or event.edition.entity(event.entity).info.parent:
        return
    given: dict[int, list[int]] = {}
    for change in event.changes:
        owner = change.changes.get("owner", (None, None))[1]
        if owner is not None and owner != actor.user_id and change.action in ("created", "updated"):
            given.setdefault(int(owner), []).append(change.id)
    for owner, ids in given.items():
        if len(ids) == 1:
            notify(event.session, event.edition, ASSIGNED, [owner], about=(event.entity, ids[0]), by=actor)
            continue
        view = event.edition.entity(event.entity)
        values = {"who": actor.name, "entity": view.info.plural}
        text = _n(
            "%(who)s gave you %(num)s record: %(entity)s",
            "%(who)s gave you %(num)s records: %(entity)s",
            len(ids),
            **values,
        )
        path = f"{event.entity}?owner={owner}"
        notify(event.session, event.edition, ASSIGNED, [owner], by=actor, path=path, told={"text": text})


def tell_of_job(session: Session, edition: Edition, job: int, title: Text, user_id: int, state: str) -> None:
    """Tells who asked for a job that it has ended."""
    told = {"job": title, "state": _STATES[state]}
    notify(session, edition, JOB, [user_id], path=f"jobs/{job}", told=told)
