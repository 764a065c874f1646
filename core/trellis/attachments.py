"""Files at records: who may read a record may read them, who may change it may add and remove them.

They stand in the database in parts, never where a web server would find them; backups hold them, and they leave only as downloads.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path, PurePosixPath

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.entity import Base
from trellis.records.types import BigId, UtcDateTime
from trellis.uploads import check_content

_ = translator("trellis")

MOST = 100
"""Files of one record."""
LONGEST_NAME = 200
_LONGEST_ENDING = 20
PART = 48 * 1024
"""Bytes of a part: backups hold a thousand in memory."""
AT_ONCE = 50
"""Parts that are written and read together."""
REFUSED = frozenset(
    [
        ".bat",
        ".cmd",
        ".com",
        ".cpl",
        ".exe",
        ".hta",
        ".jar",
        ".js",
        ".jse",
        ".lnk",
        ".msi",
        ".pif",
        ".ps1",
        ".reg",
        ".scr",
        ".sh",
        ".vbe",
        ".vbs",
        ".wsf",
        ".wsh",
    ]
)
"""Programs, by the end of their name: nobody needs them at a customer."""
TYPES: Mapping[str, str] = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Media types that are told by the end of a name; of others nothing is claimed."""
UNKNOWN = "application/octet-stream"


class Attachment(Base):
    """A file at a record. One that is ``sealed`` is not removed: somebody has approved or signed it, or is asked to."""

    __tablename__ = "attachment"
    __table_args__ = (sa.Index("ix_attachment_record", "entity", "record_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity: Mapped[str] = mapped_column(sa.String(80))
    record_id: Mapped[int] = mapped_column(BigId)
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by_id: Mapped[int | None] = mapped_column(BigId)
    sealed: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())

    @property
    def media_type(self) -> str:
        """What its name says it is."""
        return TYPES.get(PurePosixPath(self.name).suffix.lower(), UNKNOWN)


class AttachmentPart(Base):
    """A piece of a file's content."""

    __tablename__ = "attachment_part"

    attachment_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(sa.LargeBinary)


def of(records: Records, entity: str, record_id: int) -> Sequence[Attachment]:
    """The files of a record, the newest first. Raises RecordNotFound."""
    records.get(entity, record_id)
    query = sa.select(Attachment).where(*_at(entity, record_id)).order_by(Attachment.id.desc())
    return records.session.scalars(query).all()


def add(records: Records, entity: str, record_id: int, filename: str, path: Path) -> Attachment:
    """Keeps a file at a record. Raises RecordNotFound, PermissionRefused, RecordInvalid for a file that is not taken."""
    _may_change(records, entity, record_id)
    name = _plain(filename)
    size = path.stat().st_size
    if not size:
        raise RecordInvalid({"file": [_("The file is empty")]})
    if PurePosixPath(name).suffix.lower() in REFUSED:
        raise RecordInvalid({"file": [_("Programs are not kept here: %(name)s", name=name)]})
    check_content(path, name)
    session = records.session
    if (session.scalar(sa.select(sa.func.count()).where(*_at(entity, record_id))) or 0) >= MOST:
        raise RecordInvalid({"file": [_("A record has %(most)s files at most", most=MOST)]})
    made = Attachment(
        entity=entity,
        record_id=record_id,
        name=name,
        size=size,
        added_at=datetime.now(UTC),
        added_by_id=records.actor.user_id,
    )
    session.add(made)
    session.flush()
    with path.open("rb") as file:
        pieces = enumerate(iter(lambda: file.read(PART), b""))
        rows = ({"attachment_id": made.id, "number": number, "data": data} for number, data in pieces)
        while some := list(islice(rows, AT_ONCE)):
            session.execute(sa.insert(AttachmentPart), some)
    return made


def find(records: Records, entity: str, record_id: int, number: int) -> Attachment:
    """One file of a record. Raises RecordNotFound, also where the record may not be read."""
    records.get(entity, record_id)
    found = records.session.get(Attachment, number)
    if found is None or (found.entity, found.record_id) != (entity, record_id):
        raise RecordNotFound()
    return found


def content(session: Session, attachment: Attachment) -> Iterator[bytes]:
    """The content piece by piece."""
    query = sa.select(AttachmentPart.data).where(AttachmentPart.attachment_id == attachment.id)
    yield from session.scalars(
        query.order_by(AttachmentPart.number), execution_options={"yield_per": AT_ONCE}
    )


def remove(records: Records, entity: str, record_id: int, number: int) -> None:
    """Removes a file for good. Raises RecordNotFound, PermissionRefused, Conflict for a sealed one."""
    found = find(records, entity, record_id, number)
    _may_change(records, entity, record_id)
    if found.sealed:
        raise Conflict(_("The file belongs to a document that was sent for approval, and stays"))
    _drop(records.session, [found.id])


def at_all(session: Session, records: Mapping[str, Sequence[int]]) -> Iterator[Attachment]:
    """The files of all these records, whoever asks."""
    for entity, ids in records.items():
        query = sa.select(Attachment).where(Attachment.entity == entity, Attachment.record_id.in_(ids))
        yield from session.scalars(query.order_by(Attachment.id))


def forget(session: Session, records: Mapping[str, Sequence[int]]) -> None:
    """Removes all files of records whose personal data is erased."""
    _drop(session, [one.id for one in at_all(session, records)])


def hand_over(session: Session, entity: str, old: int, new: int) -> list[int]:
    """Gives the files of a record to another one of the entity; which they are."""
    ids = list(session.scalars(sa.select(Attachment.id).where(*_at(entity, old))))
    give(session, ids, new)
    return ids


def give(session: Session, ids: Sequence[int], record_id: int) -> None:
    """Gives files to a record."""
    statement = sa.update(Attachment).where(Attachment.id.in_(ids)).values(record_id=record_id)
    session.execute(statement.execution_options(synchronize_session=False))


def _may_change(records: Records, entity: str, record_id: int) -> None:
    record = records.get(entity, record_id)
    if not records.actor.reaches(entity, "update", {**record.values, "id": record.id}):
        raise PermissionRefused()


def _at(entity: str, record_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return Attachment.entity == entity, Attachment.record_id == record_id


def _drop(session: Session, ids: Sequence[int]) -> None:
    statement = sa.delete(Attachment).where(Attachment.id.in_(ids))  # its parts go with it
    session.execute(statement.execution_options(synchronize_session=False))


def _plain(filename: str) -> str:
    """The name without folders, and without signs that are not seen or turn the direction of writing."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    seen = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(" .")
    if not seen:
        raise RecordInvalid({"file": [_("The file has no name")]})
    stem, dot, ending = seen.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return seen[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}"
