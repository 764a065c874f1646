"""Processes that the organisation draws itself: a draft to work at, and what was published of it last.

Only what is published exists in the edition. A draft may be as wrong as it likes; publishing checks it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.contributions import Process
from trellis.edition import OWN, Edition
from trellis.errors import Conflict, RecordInvalid, RecordNotFound, StaleVersion
from trellis.i18n import as_written, translator
from trellis.process import checks, schedule, versions
from trellis.process.diagram import DiagramInvalid, Problem, digest, read
from trellis.process.picture import drawn
from trellis.process.pools import calling, pools
from trellis.process.runs import process_of
from trellis.process.tables import OPEN, ProcessInstance, ProcessVersion
from trellis.process.wording import in_words
from trellis.records import types
from trellis.records.entity import Base
from trellis.records.events import Action, Change
from trellis.records.journal import keep
from trellis.records.types import BigId, JsonData, UtcDateTime
from trellis.security.actor import Actor
from trellis.security.people import User
from trellis.settings.names import new_name
from trellis.workspace_state import raise_revision

_ = translator("trellis")

Changes = Mapping[str, tuple[Any, Any]]
AUDITED = "process"
"""What the audit trail calls them."""
LONGEST_TITLE, LONGEST_TEXT, MOST_STARTS = 120, 2000, 20


class OwnProcess(Base):
    """A process of the organisation: its draft, and what is ``published`` of it. ``version`` rises with each change."""

    __tablename__ = "own_process"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    draft: Mapped[dict[str, Any]] = mapped_column(JsonData)
    diagram: Mapped[bytes] = mapped_column(sa.LargeBinary)
    published: Mapped[dict[str, Any] | None] = mapped_column(JsonData)
    published_diagram: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    copied_from: Mapped[str] = mapped_column(sa.String(160), default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by_id: Mapped[int | None] = mapped_column(BigId)
    version: Mapped[int] = mapped_column(sa.Integer, default=1)

    @property
    def changed(self) -> bool:
        """The draft is another than what is published."""
        return (self.draft, self.diagram) != (self.published, self.published_diagram)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draft:
    """What is said of a process beside its diagram (see :class:`trellis.Process`); ``keeper`` is who answers for it."""

    title: str = ""
    description: str = ""
    entity: str | None = None
    keeper: int | None = None
    starts: tuple[str, ...] = ()
    schedule: str = ""
    starters: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    replaces: str = ""

    @classmethod
    def of(cls, process: Process) -> Draft:
        """What is said of a process of a plugin."""
        return cls(
            title=str(process.title),
            description=str(process.description or ""),
            entity=process.entity,
            starts=tuple(process.starts),
            schedule=process.schedule,
            starters=tuple(process.starters),
            managers=tuple(process.managers),
        )

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Draft:
        """A draft as it is kept and sent. Raises RecordInvalid that names each part of a wrong type."""
        errors: dict[str, list[Any]] = {}
        for name, value in given.items():
            right = _SHAPES.get(name)
            if right is None or not right(value):
                errors[name] = [_("This is not what belongs here") if right else _("There is no such part")]
        if errors:
            raise RecordInvalid(errors)
        said: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
        }
        return cls(**said)

    def to_json(self) -> dict[str, Any]:
        """The opposite of :meth:`from_json`."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_STARTS and all(map(_is_text, value))


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**18)


_SHAPES = {
    **dict.fromkeys(("title", "description", "schedule", "replaces"), _is_text),
    **dict.fromkeys(("starts", "starters", "managers"), _are_texts),
    "entity": lambda value: value is None or _is_text(value),
    "keeper": _is_id,
}


def own_processes(session: Session) -> list[Process]:
    """What is published in the workspace, as contributions."""
    rows = session.execute(
        sa.select(OwnProcess.name, OwnProcess.published, OwnProcess.published_diagram)
        .where(OwnProcess.published_at.is_not(None))
        .order_by(OwnProcess.id)
    )
    return [_process(row.name, Draft.from_json(row.published), row.published_diagram) for row in rows]


def problems_of(edition: Edition, name: str, draft: Draft, diagram: bytes) -> list[Problem]:
    """All that keeps a draft from being published."""
    process = _process(name, draft, diagram)
    if process.entity is not None and process.entity not in edition.entities:
        return [Problem("", _("There is no entity “%(name)s”", name=process.entity))]
    try:
        found = checks.problems(edition, process, read(diagram))
    except DiagramInvalid as error:
        found = error.problems
    return [*checks.about(edition, process), *found]


class OwnProcesses:
    """The processes that administrators of one workspace draw. Each act raises PermissionRefused for others."""

    def __init__(self, session: Session, edition: Edition, actor: Actor) -> None:
        actor.require_administrator()
        self._session, self._edition, self._actor = session, edition, actor

    def get(self, name: str) -> OwnProcess:
        """One of them. Raises RecordNotFound."""
        row = self._session.scalar(sa.select(OwnProcess).where(OwnProcess.name == name))
        if row is None:
            raise RecordNotFound(_("There is no process “%(name)s” here", name=name))
        return row

    def create(self, draft: Draft, diagram: bytes, copied_from: str = "") -> OwnProcess:
        """Keeps a new draft. Raises RecordInvalid, DiagramInvalid for what is no BPMN file with one process."""
        self._require_sound(draft)
        known = {
            *self._edition.all(Process),
            *self._session.scalars(sa.select(OwnProcess.name)),
            *self._session.scalars(sa.select(ProcessVersion.process).distinct()),  # of what was removed
        }
        row = OwnProcess(
            name=new_name(draft.title, known, "process"),
            draft=draft.to_json(),
            diagram=drawn(diagram),
            copied_from=copied_from,
            changed_at=datetime.now(UTC),
            changed_by_id=self._actor.user_id,
        )
        self._session.add(row)
        self._session.flush()
        self._log(row, "created", {"title": (None, draft.title)})
        return row

    def create_each(self, draft: Draft, diagram: bytes) -> list[OwnProcess]:
        """Keeps a new draft of each process in a file, which may hold several, and call one another.

        Raises RecordInvalid, DiagramInvalid.
        """
        found = pools(diagram)
        if len(found) == 1:
            return [self.create(draft, diagram)]
        titles = [f"{draft.title}: {one.title}"[:LONGEST_TITLE] if draft.title else "" for one in found]
        made = [
            self.create(dataclasses.replace(draft, title=title), one.text)
            for title, one in zip(titles, found, strict=True)
        ]
        names = {one.process: row.name for one, row in zip(found, made, strict=True)}
        for row in made:
            row.diagram = calling(row.diagram, names)
        self._session.flush()
        return made

    def copy(self, name: str) -> OwnProcess:
        """A draft that begins as a process of the edition, in the reader's words. Raises RecordNotFound."""
        process = process_of(self._edition, name)
        draft = Draft.of(process)
        own = process.owner == OWN
        named = _("%(title)s (copy)", title=draft.title) if own else _("%(title)s (own)", title=draft.title)
        title = str(named)[:LONGEST_TITLE]
        draft = dataclasses.replace(draft, title=title, replaces=name)
        diagram = in_words(
            versions.content(process), lambda text: versions.words(self._edition, process, text)
        )
        return self.create(draft, diagram, name)

    def save(self, name: str, draft: Draft, diagram: bytes, version: int | None = None) -> OwnProcess:
        """Keeps a changed draft. Raises StaleVersion when it is not ``version`` any more, RecordInvalid, DiagramInvalid."""
        row = self.get(name)
        if version is not None and row.version != version:
            raise StaleVersion(row.version)
        self._require_sound(draft)
        content = drawn(diagram)
        said = draft.to_json()
        changes = {
            key: (row.draft.get(key), value) for key, value in said.items() if row.draft.get(key) != value
        }
        if row.diagram != content:
            changes["diagram"] = (digest(row.diagram), digest(content))
        if changes:
            row.draft, row.diagram = said, content
            self._touch(row, changes)
        return row

    def publish(self, name: str) -> OwnProcess:
        """Makes the draft what starts from now on. Raises DiagramInvalid that names each problem."""
        row = self.get(name)
        draft = Draft.from_json(row.draft)
        found = problems_of(self._edition, name, draft, row.diagram)
        if found:
            raise DiagramInvalid(found)
        before = row.published_diagram
        row.published, row.published_diagram = row.draft, row.diagram
        row.published_at = datetime.now(UTC)
        self._touch(row, {"published": (digest(before) if before else None, digest(row.diagram))})
        process = _process(name, draft, row.diagram)
        self._keep_version(process)
        self._announce(name, process)
        return row

    def discard(self, name: str) -> OwnProcess:
        """The draft is again what is published. Raises Conflict where nothing is."""
        row = self.get(name)
        if row.published is None or row.published_diagram is None:
            raise Conflict(_("Nothing of this process is published yet"))
        return self.save(name, Draft.from_json(row.published), row.published_diagram)

    def take_back(self, name: str, number: int) -> OwnProcess:
        """The draft gets the diagram of an older version. Raises RecordNotFound."""
        row = self.get(name)
        wanted = sa.select(ProcessVersion.diagram).where(
            ProcessVersion.process == name, ProcessVersion.number == number
        )
        diagram = self._session.scalar(wanted)
        if diagram is None:
            raise RecordNotFound()
        return self.save(name, Draft.from_json(row.draft), diagram)

    def remove(self, name: str) -> None:
        """Takes a process away; what has run stays in the history. Raises Conflict while instances go on."""
        row = self.get(name)
        going = sa.select(ProcessInstance.id).where(
            ProcessInstance.process == name, ProcessInstance.state.in_(OPEN)
        )
        if self._session.scalar(going.limit(1)) is not None:
            raise Conflict(_("Runs of this process still go on: let them finish, or cancel them"))
        was_published = row.published_at is not None
        self._log(row, "deleted", {"title": (row.draft["title"], None)})
        self._session.delete(row)
        self._session.flush()
        if was_published:
            self._announce(name, None)

    def _announce(self, name: str, process: Process | None) -> None:
        """Has everybody build the edition anew, and plans when what it holds then starts by the clock."""
        raise_revision(self._session.connection())
        known = {key: one for key, one in self._edition.all(Process).items() if key != name}
        if process is not None:
            known[name] = process
        contributions = {**self._edition.contributions, Process: known}
        schedule.plan(
            self._session, dataclasses.replace(self._edition, contributions=contributions, _cache={})
        )

    def _keep_version(self, process: Process) -> None:
        diagram = versions.diagram_of(versions.content(process))
        same = ProcessVersion.process == process.name, ProcessVersion.digest == diagram.digest
        if self._session.scalar(sa.select(ProcessVersion.id).where(*same)) is None:
            versions.keep(self._session, self._edition, process, diagram, self._actor.user_id)

    def _require_sound(self, draft: Draft) -> None:
        """Raises RecordInvalid for what no draft may say."""
        errors: dict[str, list[Any]] = {}
        for name, field in _FIELDS.items():
            try:
                field.check(getattr(draft, name))
            except types.ValueInvalid as error:
                errors[name] = [error.message]
        if not draft.title.strip():
            errors["title"] = [_("Give the process a title")]
        if draft.entity is not None and draft.entity not in self._edition.entities:
            errors["entity"] = [_("There is no entity “%(name)s”", name=draft.entity)]
        if draft.keeper is not None and self._session.get(User, draft.keeper) is None:
            errors["keeper"] = [_("Choose somebody who works here")]
        if errors:
            raise RecordInvalid(errors)

    def _touch(self, row: OwnProcess, changes: Changes) -> None:
        row.version += 1
        row.changed_at, row.changed_by_id = datetime.now(UTC), self._actor.user_id
        self._session.flush()
        self._log(row, "updated", changes)

    def _log(self, row: OwnProcess, action: Action, changes: Changes) -> None:
        told = {"process": (row.name, row.name), **changes}
        keep(self._session, self._actor, AUDITED, [Change(row.id, action, told)])


_FIELDS: Mapping[str, types.FieldType] = {
    "title": types.Text(LONGEST_TITLE),
    "description": types.Text(LONGEST_TEXT),
    "schedule": types.Text(LONGEST_TITLE),
}


def keepers(session: Session) -> dict[str, tuple[str, int]]:
    """Who answers for which process of the organisation: name and id, by process."""
    rows = session.execute(sa.select(OwnProcess.name, OwnProcess.draft, OwnProcess.published)).all()
    said = {row.name: (row.published or row.draft).get("keeper") for row in rows}
    wanted = {one for one in said.values() if one is not None}
    names = (
        dict(session.execute(sa.select(User.id, User.name).where(User.id.in_(wanted))).all())
        if wanted
        else {}
    )
    return {name: (names[one], one) for name, one in said.items() if one in names}


def rows_of(session: Session) -> Sequence[OwnProcess]:
    """All of them, published or not."""
    return session.scalars(sa.select(OwnProcess).order_by(OwnProcess.id)).all()


def _process(name: str, draft: Draft, diagram: bytes) -> Process:
    return Process(
        name=name,
        title=as_written(draft.title),
        description=as_written(draft.description) if draft.description else None,
        diagram=diagram,
        entity=draft.entity,
        starts=draft.starts,
        schedule=draft.schedule,
        starters=draft.starters,
        managers=draft.managers,
        replaces=draft.replaces,
        owner=OWN,
    )
