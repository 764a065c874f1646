"""Pictures in documents: the logo of the organisation, and those among the files of a record."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import attachments
from trellis.attachments import Attachment, AttachmentPart
from trellis.errors import RecordInvalid
from trellis.i18n import format_number, translator
from trellis.records import setup
from trellis.records.door import Records
from trellis.security.actor import Actor
from trellis.uploads import MB

_ = translator("trellis")

LARGEST = 5 * MB
"""Bytes of one picture, and of all of a document together four times as much."""
_ALL = 4 * LARGEST
PIXELS = 40_000_000
"""A small file may unfold into a huge picture."""
MOST = 20
_LOGO = ("organisation", 0)
"""Where the logo stands among the files; no record can be there."""
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Marks of JPEG behind which the size of the picture stands."""


def size_of(data: bytes) -> tuple[str, int, int] | None:
    """Kind (``png`` or ``jpg``), width and height of a picture; None for what is none, or broken."""
    if data.startswith(_PNG) and data[12:16] == b"IHDR":
        return "png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if not data.startswith(_JPEG):
        return None
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        mark, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        if mark in _FRAMES:
            height, width = data[place + 5 : place + 7], data[place + 7 : place + 9]
            return "jpg", int.from_bytes(width), int.from_bytes(height)
        place += 1 if mark == 0xFF else 2 + length
    return None


def problem_of(data: bytes) -> str | None:
    """Why these bytes cannot stand in a document; None when they can."""
    found = size_of(data)
    if found is None:
        return str(_("Choose a picture: PNG or JPEG"))
    if len(data) > LARGEST:
        return str(_("A picture has %(number)s MB at most", number=format_number(LARGEST // MB)))
    if not 0 < found[1] * found[2] <= PIXELS:
        return str(_("A picture has %(number)s pixels at most", number=format_number(PIXELS)))
    return None


def of_record(records: Records, entity: str, record_id: int) -> dict[str, Any]:
    """The pictures among the files of a record by their names, the oldest first, as programs that fill templates take them."""
    wanted = [
        one for one in attachments.of(records, entity, record_id) if one.media_type.startswith("image/")
    ]
    found: dict[str, Any] = {}
    left = _ALL
    for one in islice(reversed(wanted), MOST):
        if one.size > min(left, LARGEST):
            continue
        told = _told(records.session, one)
        if told is not None:
            found[one.name], left = told, left - one.size
    return found


def logo(session: Session) -> dict[str, Any] | None:
    """The logo of the organisation, likewise; None where there is none."""
    found = _logo(session)
    return None if found is None else _told(session, found)


def keep_logo(session: Session, path: Path, actor: Actor) -> None:
    """Keeps a picture as the logo, in the place of another. Raises RecordInvalid."""
    data = path.read_bytes()
    if problem := problem_of(data):
        raise RecordInvalid({"file": [problem]})
    _forget(session)
    kind, _width, _height = size_of(data) or ("png", 0, 0)
    entity, record_id = _LOGO
    made = Attachment(
        entity=entity,
        record_id=record_id,
        name=f"logo.{kind}",
        size=len(data),
        added_at=datetime.now(UTC),
        added_by_id=actor.user_id,
    )
    session.add(made)
    session.flush()
    step = attachments.PART
    parts = [
        {"attachment_id": made.id, "number": number, "data": data[start : start + step]}
        for number, start in enumerate(range(0, len(data), step))
    ]
    session.execute(sa.insert(AttachmentPart), parts)
    setup.note(session, actor, setup.SETTINGS, {}, {"logo": made.name})


def forget_logo(session: Session, actor: Actor) -> None:
    """Removes the logo."""
    if gone := _forget(session):
        setup.note(session, actor, setup.SETTINGS, {"logo": gone}, {})


def _forget(session: Session) -> str:
    """Removes the logo; the name of its file, empty when there was none."""
    found = _logo(session)
    if found is not None:
        session.delete(found)
        session.flush()
    return found.name if found is not None else ""


def _logo(session: Session) -> Attachment | None:
    entity, record_id = _LOGO
    return session.scalar(
        sa.select(Attachment).where(Attachment.entity == entity, Attachment.record_id == record_id)
    )


def _told(session: Session, file: Attachment) -> dict[str, Any] | None:
    data = b"".join(attachments.content(session, file))
    if problem_of(data) is not None:
        return None
    kind, width, _height = size_of(data) or ("", 0, 0)
    return {
        "kind": "picture",
        "text": file.name,
        "format": kind,
        "width": width,
        "data": base64.b64encode(data).decode(),
    }
