"""Mentions: people who are named in a text with an ``@``, by their name or mail address, are told."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import NotificationKind
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.notifications.notify import notify
from trellis.records.events import Saved
from trellis.security.people import User

_ = translator("trellis")

MENTION = "mention"
KIND = NotificationKind(
    name=MENTION,
    title=_("Somebody mentions me"),
    text=_("%(who)s mentioned you in “%(title)s”"),
    icon="at-sign",
    mail=True,
)
_AT = re.compile(r"(?<![\w.@+-])@(?=\w)")
"""An ``@`` that begins a name; not that of a mail address."""
_LONGEST = 320


def follow(event: Saved) -> None:
    """Tells those who were mentioned in what was written, and had not been before."""
    if event.actor.source == "import":
        return
    names = _fields(event.edition).get(event.entity, ())
    for change in event.changes:
        written = [pair for name in names if (pair := change.changes.get(name)) is not None]
        if change.action not in ("created", "updated") or not any(
            "@" in (new or "") for _old, new in written
        ):
            continue
        before = {one for old, _new in written for one in mentioned(event.session, old or "")}
        now = [one for _old, new in written for one in mentioned(event.session, new or "")]
        people = [one for one in now if one not in before]
        notify(event.session, event.edition, MENTION, people, about=(event.entity, change.id), by=event.actor)


def mentioned(session: Session, text: str) -> list[int]:
    """The people who are named in a text, in order; the longest name that fits, and nobody where two are called so."""
    places = [found.end() for found in _AT.finditer(text)]
    if not places:
        return []
    known = _people(session)
    found = (_named(text[at : at + _LONGEST].lower(), known) for at in places)
    return list(dict.fromkeys(one for one in found if one is not None))


def _named(rest: str, known: Mapping[str, int | None]) -> int | None:
    for end in range(len(rest), 0, -1):
        if (end == len(rest) or not rest[end].isalnum()) and rest[:end] in known:
            return known[rest[:end]]
    return None


def _people(session: Session) -> dict[str, int | None]:
    """Who works here, by what they may be called: name and address in small letters; None for a name of several."""
    query = sa.select(User.id, User.name, User.email).where(User.active, User.deleted_at.is_(None))
    found: dict[str, int | None] = {}
    for number, name, email in session.execute(query):
        called = " ".join(name.split()).lower()
        found[called] = None if called in found else number
        found[email.lower()] = number
    return found


def _fields(edition: Edition) -> Mapping[str, tuple[str, ...]]:
    """The fields in which people are mentioned, by entity."""
    found: Mapping[str, tuple[str, ...]] = edition.cached("mentions", lambda: _gathered(edition))
    return found


def _gathered(edition: Edition) -> dict[str, tuple[str, ...]]:
    named = {
        view.name: tuple(field.name for field in view.fields.values() if field.mentions)
        for view in edition.entities.values()
    }
    return {entity: fields for entity, fields in named.items() if fields}
