"""Versions of diagrams: each content is kept once, when the first instance begins with it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Process
from trellis.edition import Edition
from trellis.errors import RecordNotFound
from trellis.i18n import Text, as_written, translator
from trellis.plugins import CORE
from trellis.process.diagram import Diagram, digest, read
from trellis.process.dmn import embedded
from trellis.process.tables import ProcessVersion

_ = translator("trellis")

_KEPT = 200
_lock = threading.Lock()
_read: OrderedDict[str, Diagram] = OrderedDict()


def content(process: Process) -> bytes:
    """The diagram that a process has now, with its decision tables.

    Raises OSError when a file of the plugin is not there, DiagramInvalid for tables that are no DMN.
    """
    diagram, *tables = (
        one if isinstance(one, bytes) else one.read_bytes() for one in (process.diagram, *process.tables)
    )
    return embedded(diagram, tables)


def diagram_of(text: bytes) -> Diagram:
    """The diagram in a file, read once in this process. Raises DiagramInvalid."""
    key = digest(text)
    with _lock:
        if key in _read:
            _read.move_to_end(key)
            return _read[key]
    found = read(text)
    with _lock:
        _read[key] = found
        while len(_read) > _KEPT:
            _read.popitem(last=False)
    return found


def present(edition: Edition, process: Process) -> Diagram:
    """The diagram with which instances begin now."""
    made: Diagram = edition.cached(("process", process.name), lambda: diagram_of(content(process)))
    return made


def current(session: Session, edition: Edition, process: Process, user_id: int | None) -> int:
    """The id of the version with which instances begin now; it is kept when it is new."""
    known: dict[str, int] = edition.cached("process versions", dict)
    if process.name in known:
        return known[process.name]
    diagram = present(edition, process)
    same = ProcessVersion.process == process.name, ProcessVersion.digest == diagram.digest
    found = session.scalar(sa.select(ProcessVersion.id).where(*same))
    if found is not None:  # one that is only being written may be taken back, and is not remembered
        known[process.name] = found
        return found
    return keep(session, edition, process, diagram, user_id)


def keep(session: Session, edition: Edition, process: Process, diagram: Diagram, user_id: int | None) -> int:
    """Keeps a new version; returns its id."""
    last = session.scalar(
        sa.select(sa.func.max(ProcessVersion.number)).where(ProcessVersion.process == process.name)
    )
    values = {
        "process": process.name,
        "number": (last or 0) + 1,
        "digest": diagram.digest,
        "diagram": diagram.text,
        "source": edition.source(process.owner),
        "created_at": datetime.now(UTC),
        "created_by_id": user_id,
    }
    made = session.scalar(sa.insert(ProcessVersion).values(**values).returning(ProcessVersion.id))
    return int(made or 0)


def of_version(session: Session, edition: Edition, version_id: int) -> Diagram:
    """The diagram of a version, as long as there are instances on it."""
    known: dict[int, Diagram] = edition.cached("process diagrams", dict)
    if version_id not in known:
        text = session.scalar(sa.select(ProcessVersion.diagram).where(ProcessVersion.id == version_id))
        if text is None:
            raise RecordNotFound()
        known[version_id] = diagram_of(text)
    return known[version_id]


def words(edition: Edition, process: Process | None, text: str) -> Text:
    """A text of a diagram, in the language of the reader where the plugin has translated it."""
    manifest = edition.plugin(process.owner) if process else None
    if manifest is not None:
        return Text(text, domain=manifest.package)
    return Text(text, domain="trellis") if process and process.owner == CORE else as_written(text)
