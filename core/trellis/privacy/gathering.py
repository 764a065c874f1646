"""Everything that is kept about a person, as data and as a file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import attachments
from trellis.attachments import Attachment
from trellis.edition import EntityView
from trellis.privacy.person import Person, batches, person_of, rows_of
from trellis.process import about
from trellis.records.door import Records
from trellis.records.values import decode, to_json
from trellis.scripts import about as conversations
from trellis.system import Event

_event = Event.__table__.c
_NOT_IN_NAMES = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def everything(records: Records, entity: str, record_id: int) -> dict[str, Any]:
    """The record, what was merged into it, what refers to them with all fields, processes, conversations, the files, the timeline and the history, as JSON.

    Of a file it has the name and the place in the archive that :func:`write_zip` makes.

    Raises RecordNotFound, PermissionRefused, Conflict for what is no person.
    """
    person = person_of(records, entity, record_id)
    edition, session = records.edition, records.session
    found = {name: list(_records(session, edition.entity(name), ids)) for name, ids in person.records.items()}
    return {
        "workspace": edition.workspace,
        "made_at": datetime.now(UTC).isoformat(),
        "entity": entity,
        "id": record_id,
        "title": person.title,
        "merged": list(person.own[1:]),
        "records": found,
        "processes": list(about.said(session, person.records)),
        "conversations": list(conversations.said(session, person.records)),
        "files": [_file(one) for one in attachments.at_all(session, person.records)],
        "timeline": _timeline(records, person, found),
        "history": list(_history(session, person)),
    }


def write_zip(path: Path, data: dict[str, Any], html: str, records: Records) -> None:
    """A file with the data for programs, a page for people, and the files at the records."""
    person = person_of(records, data["entity"], data["id"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("personal-data.json", orjson.dumps(data, option=orjson.OPT_INDENT_2))
        archive.writestr("personal-data.html", html)
        for one in attachments.at_all(records.session, person.records):
            with archive.open(_place(one), "w") as file:
                file.writelines(attachments.content(records.session, one))


def _records(session: Session, view: EntityView, ids: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    for row in rows_of(session, view, ids):
        values = to_json(view, decode(view, row))
        hidden = {name: value for name, value in (row["extra"] or {}).items() if name not in view.fields}
        deleted = row["deleted_at"]
        yield {
            "id": row["id"],
            **{name: value for name, value in values.items() if value is not None},
            **hidden,
            "deleted_at": deleted.isoformat() if deleted else None,
        }


def _file(one: Attachment) -> dict[str, Any]:
    return {
        "entity": one.entity,
        "record_id": one.record_id,
        "name": one.name,
        "size": one.size,
        "added_at": one.added_at.isoformat(),
        "path": _place(one),
    }


def _place(one: Attachment) -> str:
    """Where a file stands in the archive: two of one name do not meet."""
    return f"files/{one.id}-{one.name.translate(_NOT_IN_NAMES)}"


def _timeline(
    records: Records, person: Person, found: dict[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """What happened when, the latest first."""
    entries = []
    for name, known in found.items():
        view = records.edition.entity(name)
        dated = view.info.date_field or "created_at"
        title = view.info.title_field
        entries += [
            {
                "at": one.get(dated) or one.get("created_at"),
                "entity": name,
                "id": one["id"],
                "title": one.get(title),
            }
            for one in known
            if name != person.view.name
        ]
    return sorted(entries, key=lambda entry: str(entry["at"]), reverse=True)


def _history(session: Session, person: Person) -> Iterator[dict[str, Any]]:
    """The entries of the audit trail on these records."""
    columns = (_event.at, _event.actor_name, _event.source, _event.entity, _event.record_id)
    for name, ids in person.records.items():
        for some in batches(ids):
            query = sa.select(*columns, _event.action, _event.changes)
            query = query.where(_event.entity == name, _event.record_id.in_(some)).order_by(_event.id)
            for row in session.execute(query).mappings():
                yield {**row, "at": row["at"].isoformat()}
