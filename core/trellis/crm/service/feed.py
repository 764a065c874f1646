"""One's own activities as a calendar that programs subscribe to (iCalendar, RFC 5545).

Its address holds the workspace and a secret, signed, as that of a survey does; whoever knows it reads the calendar, so it can be
made anew and switched off.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from icalendar import Alarm, Calendar, Event
from sqlalchemy.orm import Session

from trellis.config import Config
from trellis.crm.service.calendar_feed import CalendarFeed
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.records.query import ListQuery, Record
from trellis.records.types import Choice
from trellis.security.actor import Actor
from trellis.security.keys import Unreadable, seal, unseal
from trellis.security.links import opened, signed

_ = translator("trellis")

PATH = "s/calendar"
"""The first parts of the address; its last is the link."""
_PURPOSE = "calendar"
BACK, AHEAD = timedelta(days=90), timedelta(days=400)
"""How far the calendar goes."""
MOST = 2000
_NEEDED = {"owner", "kind", "due_at", "created_at", "updated_at"}
"""Fields without which nothing can be shown to who has no right to them."""
LENGTHS = {"meeting": timedelta(hours=1), "call": timedelta(minutes=30)}
USUAL = timedelta(minutes=30)
"""How long activities of a kind are; they have no end of their own."""


def renew(config: Config, session: Session, user_id: int) -> None:
    """Gives somebody's calendar a new address; the old one opens nothing any more."""
    secret = secrets.token_urlsafe(24)
    made = {"digest": _digest(secret), "sealed": seal(config, secret), "made_at": datetime.now(UTC)}
    session.merge(CalendarFeed(user_id=user_id, **made))
    session.flush()


def switch_off(session: Session, user_id: int) -> None:
    """Takes somebody's calendar away."""
    session.execute(sa.delete(CalendarFeed).where(CalendarFeed.user_id == user_id))


def address(config: Config, session: Session, workspace: str, user_id: int) -> str | None:
    """The path of somebody's calendar on this server; empty where its secret cannot be read, None where there is none."""
    found = session.get(CalendarFeed, user_id)
    if found is None:
        return None
    try:
        secret = unseal(config, found.sealed)
    except Unreadable:
        return ""
    return f"{PATH}/{signed(config, _PURPOSE, workspace, secret)}.ics"


def read_link(config: Config, link: str) -> tuple[str, str] | None:
    """The workspace and the secret of a link; None for what was never given out here."""
    found = opened(config, _PURPOSE, link)
    return (str(found[0]), str(found[1])) if found is not None and len(found) == 2 else None


def owner_of(session: Session, secret: str) -> int | None:
    """Whose calendar a secret opens."""
    return session.scalar(sa.select(CalendarFeed.user_id).where(CalendarFeed.digest == _digest(secret)))


def calendar_of(
    session: Session, edition: Edition, actor: Actor, zone: ZoneInfo, base: str, now: datetime
) -> bytes:
    """The activities of an actor that have a day, as iCalendar; the same as long as nothing changes.

    Times stand in ``zone``; those in the bin are cancelled; ``base`` is the address of the workspace.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Trellis//Trellis//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    title = str(_("%(title)s: my activities", title=edition.settings.title or edition.workspace))
    calendar.add("x-wr-calname", title)
    calendar.add("x-wr-timezone", zone.key)
    calendar.add("refresh-interval;value=duration", "PT15M")
    for record, deleted in _activities(session, edition, actor, now):
        calendar.add_component(_event(edition, record, zone, base, cancelled=deleted))
    calendar.add_missing_timezones()
    return cast(bytes, calendar.to_ical())


def _activities(
    session: Session, edition: Edition, actor: Actor, now: datetime
) -> Iterator[tuple[Record, bool]]:
    """One's own, with whether each is in the bin."""
    if not (actor.may("activity", "read") and edition.entity("activity").fields.keys() >= _NEEDED):
        return
    first, last = (moment.astimezone(UTC).isoformat() for moment in (now - BACK, now + AHEAD))
    rule = {
        "all": [
            {"field": "owner", "op": "eq", "value": actor.user_id},
            {"field": "kind", "op": "ne", "value": "note"},
            {"field": "due_at", "op": "gte", "value": first},
            {"field": "due_at", "op": "lt", "value": last},
        ]
    }
    view = edition.entity("activity")
    for deleted in (False, True):
        query = ListQuery(view, edition, actor, rule=rule, sort=["due_at"], limit=MOST, deleted=deleted)
        for record in query.page(session).items:
            yield record, deleted


def _event(edition: Edition, record: Record, zone: ZoneInfo, base: str, *, cancelled: bool) -> Event:
    values = record.values
    kind = str(values.get("kind") or "task")
    start: datetime = values["due_at"].astimezone(zone)
    done = values.get("done_at") is not None
    event = Event()
    event.add("uid", f"activity-{record.id}@{urlsplit(base).hostname or 'trellis'}.{edition.workspace}")
    event.add("dtstamp", values["updated_at"])
    event.add("created", values["created_at"])
    event.add("last-modified", values["updated_at"])
    event.add("sequence", record.version)
    event.add("dtstart", start)
    event.add("dtend", start + LENGTHS.get(kind, USUAL))
    subject = str(values.get("subject") or f"#{record.id}")
    event.add("summary", f"✓ {subject}" if done else subject)
    about = [record.titles.get("customer", ""), str(values.get("body") or ""), f"{base}/activity/{record.id}"]
    event.add("description", "\n\n".join(one for one in about if one))
    event.add("url", f"{base}/activity/{record.id}")
    event.add("categories", [_kind(edition, kind)])
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE" if kind in LENGTHS and not (done or cancelled) else "TRANSPARENT")
    if values.get("remind_at") is not None and not (done or cancelled):
        event.add_component(_alarm(subject, values["remind_at"]))
    return event


def _alarm(subject: str, at: datetime) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", subject)
    alarm.add("trigger", at.astimezone(UTC))
    return alarm


def _kind(edition: Edition, kind: str) -> str:
    declared: Any = edition.whole.entity("activity").fields["kind"].type
    option = declared.option(kind) if isinstance(declared, Choice) else None
    return str(option.label) if option else kind


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
