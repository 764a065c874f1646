"""Scripts of one's own: drafts that are worked on, published as versions; and copies of those that the edition brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Script
from trellis.edition import OWN, Edition
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.events import BeforeSave, Saved
from trellis.records.query import Record
from trellis.scripts import versions
from trellis.scripts.checks import ScriptFault, faults_of
from trellis.scripts.content import LONGEST_TITLE, checked, from_json, starter, to_json
from trellis.scripts.tables import PUBLISHED, SCRIPT, VERSIONS, WITHDRAWN, OwnScript
from trellis.workspace_state import raise_revision

_ = translator("trellis")

_PREFIX = f"{OWN}.script_"


def name_of(number: int) -> str:
    """What a script of one's own is called in the edition."""
    return f"{_PREFIX}{number}"


def number_of(name: str) -> int | None:
    """The record of a script of one's own; None for one of the edition."""
    number = name.removeprefix(_PREFIX)
    return int(number) if name.startswith(_PREFIX) and number.isdecimal() and len(number) < 19 else None


def own_scripts(session: Session) -> list[Script]:
    """The published scripts of the workspace, as contributions."""
    own, version = OwnScript.__table__.c, VERSIONS.c
    query = sa.select(version.script, version.content, own.replaces).where(
        own.state == PUBLISHED,
        own.deleted_at.is_(None),
        version.script == sa.literal(_PREFIX).concat(sa.cast(own.id, sa.String(20))),
        version.number == own.published,
    )
    rows = session.execute(query.order_by(own.id)).all()
    return [from_json(row.script, row.content, replaces=row.replaces or "") for row in rows]


def complete(event: BeforeSave) -> None:
    """Gives a new script its first step, and refuses a draft that is none. Raises RecordInvalid."""
    if event.action not in ("created", "updated"):
        return
    values = {**event.before, **event.values}
    title = str(values.get("name") or "")[:LONGEST_TITLE]
    instead = event.values.get("replaces")
    if instead and (instead not in event.edition.all(Script) or number_of(instead) is not None):
        raise RecordInvalid({"replaces": [_("The edition brings no script “%(name)s”", name=instead[:80])]})
    draft = values.get("draft")
    event.values["draft"] = {**checked(draft), "title": title} if draft is not None else starter(title)


def follow(event: Saved) -> None:
    """A published script that is deleted, or comes back, changes what there is to run."""
    if any(change.action in ("deleted", "restored") for change in event.changes):
        raise_revision(event.session.connection())


def draft_of(record: Record) -> Script:
    """The script as it is worked on."""
    return from_json(name_of(record.id), record.values["draft"], replaces=record.values["replaces"] or "")


def faults(edition: Edition, record: Record) -> list[ScriptFault]:
    """What keeps a draft from being published."""
    return faults_of(edition, draft_of(record))


def publish(records: Records, number: int) -> Record:
    """Puts the draft to use as a new version. Raises RecordNotFound, PermissionRefused, RecordInvalid with its faults."""
    record = records.get(SCRIPT, number)
    found = faults(records.edition, record)
    if found:
        told = [": ".join(part for part in (f.step, f.part, str(f.text)) if part) for f in found]
        raise RecordInvalid({"draft": told})
    made = to_json(draft_of(record))
    kept = versions.keep(records.session, name_of(number), made, OWN, records.actor.user_id)
    return _put(records, number, {"state": PUBLISHED, "published": kept})


def withdraw(records: Records, number: int) -> Record:
    """Takes a script out of use; conversations by it go on, none begins."""
    return _put(records, number, {"state": WITHDRAWN})


def copy(records: Records, name: str) -> Record:
    """Makes a script of one's own from one of the edition, offered instead of it once it is published, or from one's own."""
    script = records.edition.all(Script).get(name)
    if script is None:
        raise RecordNotFound(_("There is no script “%(name)s” here", name=name[:80]))
    mine = number_of(name) is not None
    title = str(_("%(title)s (copy)", title=script.title) if mine else script.title)[:LONGEST_TITLE]
    draft = {**to_json(script, words=True), "title": title}
    return records.create(SCRIPT, {"name": title, "draft": draft, "replaces": None if mine else name})


def _put(records: Records, number: int, kept: Mapping[str, Any]) -> Record:
    changed = records.update(SCRIPT, number, {}, kept=kept)
    raise_revision(records.session.connection())
    return changed
