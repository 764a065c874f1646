"""Erasing a person: what is personal is overwritten wherever it is kept, figures stay.

It is written past the door, which would keep what was there in the audit trail and refuse records that lack a value; the
door is told, so that plugins and the change feed learn which fields are gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import attachments
from trellis.edition import Edition, EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import Text as Label
from trellis.i18n import translator, use_locale
from trellis.privacy.person import Person, batches, is_person, person_of, personal_fields, rows_of
from trellis.process import about
from trellis.quality.merged import Merged
from trellis.records.door import Records
from trellis.records.entity import Field
from trellis.records.events import Change
from trellis.records.schema import EXTERNAL
from trellis.records.types import Email, Text
from trellis.records.values import decode, encode
from trellis.scripts import about as conversations
from trellis.search.index import is_spoken
from trellis.search.unlearning import clean, unlearn
from trellis.system import Event, PluginState

_ = translator("trellis")


@dataclass(frozen=True)
class Overwritten:
    """So many records of an entity lose what stands in these fields."""

    view: EntityView
    records: int
    fields: Sequence[Field]


@dataclass(frozen=True)
class Kept:
    """Something that stays, and why."""

    what: Label | str
    why: Label | str


@dataclass(frozen=True)
class Erasure:
    """What erasing a person does."""

    person: Person
    overwritten: Sequence[Overwritten]
    files: int
    kept: Sequence[Kept]


def preview(records: Records, entity: str, record_id: int) -> Erasure:
    """What would go, what stays and why; nothing is changed. Raises what :func:`person_of` raises."""
    person = person_of(records, entity, record_id)
    edition = records.edition
    views = [edition.entity(name) for name in person.records]
    overwritten = [
        Overwritten(view, len(person.records[view.name]), _going(view)) for view in views if _going(view)
    ]
    files = sum(1 for _one in attachments.at_all(records.session, person.records))
    return Erasure(person, overwritten, files, list(_kept(records.session, edition, person, views)))


def erase(records: Records, entity: str, record_id: int, name: str) -> Erasure:
    """Overwrites all personal data of somebody, in one transaction. ``name`` is what the record is called, as typed.

    Raises RecordInvalid for another name, and what :func:`person_of` raises.
    """
    done = preview(records, entity, record_id)
    if name.strip().casefold() != done.person.title.strip().casefold():
        raise RecordInvalid(
            {"name": [_("Type the name as it stands on the record: %(name)s", name=done.person.title)]}
        )
    texts: list[str] = []
    with records.whole(), _overwriting(records.session):
        for one in done.overwritten:
            ids = done.person.records[one.view.name]
            _clear_log(records.session, one.view, ids)
            changes = list(_overwrite(records, one.view, ids, texts))
            records.tell(one.view.name, changes)
        _clear_merges(records.session, done.person)
        about.forget(records.session, done.person.records)
        conversations.forget(records.session, done.person.records)
        attachments.forget(records.session, done.person.records)
        unlearn(records.session, records.edition, texts)
        clean(records.session.connection(), [one.view for one in done.overwritten])
    return done


@contextmanager
def _overwriting(session: Session) -> Iterator[None]:
    """SQLite leaves what was deleted in its file until the place is needed; here it writes over it at once."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    if sqlite:
        session.execute(sa.text("PRAGMA secure_delete = ON"))
    try:
        yield
    finally:
        if sqlite:
            session.execute(sa.text("PRAGMA secure_delete = OFF"))


def _going(view: EntityView) -> list[Field]:
    """The fields that are overwritten; of people also the key under which another system knows them."""
    known = [view.fields[EXTERNAL]] if is_person(view) else []
    return [*personal_fields(view), *known]


def _overwrite(
    records: Records, view: EntityView, ids: Collection[int], texts: list[str]
) -> Iterator[Change]:
    """Writes the rows; ``texts`` gathers the texts that are gone."""
    going, table = _going(view), view.entity.__table__
    stamp = {"updated_at": datetime.now(UTC), "updated_by_id": records.actor.user_id}
    for row in rows_of(records.session, view, ids):
        before = decode(view, row)
        blank = {
            field.name: _blank(field, row["id"], records.edition)
            for field in going
            if before[field.name] is not None
        }
        texts += [before[field.name] for field in going if is_spoken(field) and before[field.name]]
        extra = _without_hidden(view, row["extra"] or {})
        columns = encode(view, blank, extra)
        if extra != (row["extra"] or {}):
            columns.setdefault("extra", extra)
        if not columns:
            continue
        written = sa.update(table).where(table.c.id == row["id"])  # type: ignore[arg-type]
        records.session.execute(written.values(**columns, **stamp, version=row["version"] + 1))
        yield Change(row["id"], "erased", {name: (None, None) for name in blank})


def _without_hidden(view: EntityView, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The extension values of a person without those of plugins that are disabled: nobody can tell what they hold."""
    return {name: value for name, value in extra.items() if name in view.fields or not is_person(view)}


def _blank(field: Field, record_id: int, edition: Edition) -> Any:
    """What stands in a field afterwards: nothing, or a text where every record must have one."""
    if not field.required:
        return None
    if isinstance(field.type, Email):
        return f"erased-{record_id}@erased.invalid"
    if isinstance(field.type, Text):
        with use_locale(edition.settings.language):
            return str(_("Erased #%(number)s", number=record_id))[: field.type.length]
    return None if field.is_extension else field.default


def _clear_log(session: Session, view: EntityView, ids: Collection[int]) -> None:
    """Takes the values out of the audit trail; that a field was changed, when and by whom, stays."""
    going = {field.name for field in _going(view)}
    events = Event.__table__
    for some in batches(ids):
        query = sa.select(events.c.id, events.c.changes)
        query = query.where(events.c.entity == view.name, events.c.record_id.in_(some))
        for event_id, changes in session.execute(query).all():
            gone = {
                name for name in changes if name in going or (name not in view.fields and is_person(view))
            }
            if gone:
                cleared = {**changes, **{name: [None, None] for name in gone}}
                session.execute(
                    sa.update(events).where(events.c.id == event_id).values(changes=cleared)  # type: ignore[arg-type]
                )


def _clear_merges(session: Session, person: Person) -> None:
    """Takes the values out of what is kept to take merges back."""
    going = {field.name for field in _going(person.view)}
    query = sa.select(Merged).where(Merged.entity == person.view.name, Merged.survivor_id.in_(person.own))
    for merged in session.scalars(query):
        merged.external_id = None
        merged.fields = {name: pair for name, pair in merged.fields.items() if name not in going}
        merged.cleared = {name: value for name, value in merged.cleared.items() if name not in going}
    session.flush()


def _kept(session: Session, edition: Edition, person: Person, views: Sequence[EntityView]) -> Iterator[Kept]:
    for view in views:
        if not _going(view):
            yield Kept(
                view.info.plural, _("Figures stay; they hold no field that is marked as personal data")
            )
    staying = [
        str(one.label) for one in person.view.fields.values() if not one.personal and one.name != EXTERNAL
    ]
    yield Kept(_("Fields that are not marked as personal data"), ", ".join(staying))
    yield Kept(
        _("Backups and copies"),
        _("Those made before still hold the data; delete them, or erase again after restoring one"),
    )
    yield Kept(
        _("Files of imports and exports"),
        _("They are removed 14 days after they were made; answers to repeated REST calls after a day"),
    )
    disabled = session.scalars(sa.select(PluginState.title).where(PluginState.enabled.is_(False))).all()
    if disabled:
        names = ", ".join(disabled)
        yield Kept(
            _("Tables of disabled plugins: %(names)s", names=names),
            _("Enable them before erasing, or purge them"),
        )
