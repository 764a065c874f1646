"""Responsibility matrices: which position does, answers for, is asked about and is told of each step of a process.

A cell of the matrix is a record like any other, so that REST, import, audit, rights and undo are those of records. Exactly one
position answers for a step: a second one is refused, and :func:`put` hands over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from trellis.contributions import Process
from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.process import versions
from trellis.process.diagram import Diagram
from trellis.process.elements import PEOPLE
from trellis.records.door import Records, Write
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.events import BeforeSave
from trellis.records.types import Choice, Option, Reference, Text
from trellis.security.actor import Actor
from trellis.security.people import Position

_ = translator("trellis")

RESPONSIBILITY = "responsibility"
DOES, ANSWERS, ASKED, TOLD = "R", "A", "C", "I"
LETTERS = (
    Option(DOES, _("R: does it"), tone="info"),
    Option(ANSWERS, _("A: answers for it"), tone="good"),
    Option(ASKED, _("C: is asked"), tone="neutral"),
    Option(TOLD, _("I: is told"), tone="neutral"),
)
"""What a position can be for a step."""
_LIVE = sa.text("deleted_at IS NULL")
_ONE_ANSWERS = sa.text("deleted_at IS NULL AND letter = 'A'")

Cell = tuple[str, int]
"""A step (the id of its element) and the id of a position."""


class Responsibility(Entity):
    """What a position is for a step of a process: a cell of its responsibility matrix (MG5)."""

    __tablename__ = RESPONSIBILITY
    __entity__ = EntityInfo(
        name=RESPONSIBILITY,
        title=_("Responsibility"),
        plural=_("Responsibilities"),
        about=_(
            "Responsibilities say which position does a step of a process, answers for it, is asked and is told. They are "
            "set in the responsibility matrix of the process"
        ),
        icon="table-2",
        direction="management",
        level="tactics",
        row="MG5",
        title_field="step",
        subtitle_field="letter",
        line_fields=("process",),
        by_hand=False,
        parent="position",
        sort="process",
    )
    __table_args__ = (
        sa.Index(
            "uq_responsibility_cell",
            *("process", "step", "position_id"),
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        sa.Index(
            "uq_responsibility_answers",
            *("process", "step"),
            unique=True,
            sqlite_where=_ONE_ANSWERS,
            postgresql_where=_ONE_ANSWERS,
        ),
    )

    process: Mapped[str] = column(Text(160, names="process"), label=_("Process"), required=True, in_list=True)
    step: Mapped[str] = column(
        Text(160, names="step"),
        label=_("Step"),
        required=True,
        in_list=True,
        help=_("The id of a task of people in the diagram"),
    )
    position_id: Mapped[int] = column(
        Reference("position", "CASCADE"), label=_("Position"), required=True, in_list=True
    )
    letter: Mapped[str] = column(Choice(LETTERS), label=_("Responsibility"), required=True, in_list=True)


_CELLS = (
    sa.select(Responsibility.letter, Responsibility.position_id)
    .join(Position, Position.id == Responsibility.position_id)
    .where(
        Responsibility.process == sa.bindparam("process"),
        Responsibility.step == sa.bindparam("step"),
        Responsibility.letter.in_((DOES, ANSWERS)),
        Responsibility.deleted_at.is_(None),
        Position.deleted_at.is_(None),
    )
    .order_by(Responsibility.position_id)
)


def who_does(session: Session, process: str, step: str) -> list[int]:
    """The positions that do a step; where there are none, that which answers for it."""
    found = session.execute(_CELLS, {"process": process, "step": step}).all()
    return [one.position_id for one in found if one.letter == DOES] or [one.position_id for one in found]


def who_answers(session: Session, process: str, step: str) -> list[int]:
    """The position that answers for a step, if there is one."""
    found = session.execute(_CELLS, {"process": process, "step": step}).all()
    return [one.position_id for one in found if one.letter == ANSWERS]


def steps_of(diagram: Diagram) -> dict[str, str]:
    """The steps of a diagram that people do: their names by id, in its order."""
    return {one.id: one.name or one.id for one in diagram.of_kind(*PEOPLE)}


def matrices(session: Session, actor: Actor, processes: Collection[str]) -> dict[str, dict[Cell, str]]:
    """The letters of the matrices of processes, as far as the actor sees them; without positions that are in the bin."""
    query = (
        sa.select(
            Responsibility.process, Responsibility.step, Responsibility.position_id, Responsibility.letter
        )
        .join(Position, Position.id == Responsibility.position_id)
        .where(
            Responsibility.process.in_(processes),
            Responsibility.deleted_at.is_(None),
            Position.deleted_at.is_(None),
            actor.visible(Responsibility),
            actor.visible(Position),
        )
    )
    found: dict[str, dict[Cell, str]] = {name: {} for name in processes}
    for process, step, position, letter in session.execute(query):
        found[process][step, position] = letter
    return found


def complete(event: BeforeSave) -> None:
    """Checks a cell before it is written. Raises RecordInvalid for a step that is not there, a cell that is, a second A."""
    cell = {**event.before, **event.values}
    process, step, position = cell.get("process"), cell.get("step"), cell.get("position")
    if event.action == "deleted" or not process or not step or position is None:
        return
    if any(cell[name] != event.before.get(name) for name in ("process", "step")):
        _require_step(event.edition, process, step)
    others = (
        sa.select(Responsibility.letter, Responsibility.position_id, Position.name)
        .join(Position, Position.id == Responsibility.position_id)
        .where(
            Responsibility.process == process,
            Responsibility.step == step,
            Responsibility.deleted_at.is_(None),
            Responsibility.id != (event.id or 0),
        )
    )
    for one in event.session.execute(others):
        said = {"position": one.name, "step": title_of(event.edition, process, step)}
        if one.position_id == position:
            text = _("“%(position)s” has a letter for “%(step)s” already: change that", **said)
            raise RecordInvalid({"position": [text]})
        if one.letter == cell.get("letter") == ANSWERS:
            text = _(
                "“%(position)s” answers for “%(step)s” already, and only one position can: take the A away there first",
                **said,
            )
            raise RecordInvalid({"letter": [text]})


def _require_step(edition: Edition, process: str, step: str) -> None:
    known = edition.all(Process).get(process)
    if known is None:
        raise RecordInvalid({"process": [_("There is no process “%(name)s” here", name=process)]})
    if step not in steps_of(versions.present(edition, known)):
        text = _("“%(process)s” has no task of people with the id “%(step)s”", process=known.title, step=step)
        raise RecordInvalid({"step": [text]})


def title_of(edition: Edition, process: str, step: str) -> Any:
    """What a step is called, in the reader's language; its id where it is not there any more."""
    known = edition.all(Process).get(process)
    name = steps_of(versions.present(edition, known)).get(step) if known is not None else None
    return versions.words(edition, known, name) if name else step


def put(records: Records, process: str, cells: Mapping[Cell, str]) -> dict[Cell, str]:
    """Sets cells of the matrix of a process, all or none; an empty letter clears one. Returns what stood there before.

    Whoever answered for a step does not any more when the A is given to another position; that cell is among those returned.
    Raises RecordInvalid, PermissionRefused.
    """
    found = {(row.step, row.position_id): row for row in _rows(records, process, cells)}
    wanted = dict(cells)
    for (step, _position), letter in cells.items():
        if letter == ANSWERS:
            given_up = [cell for cell, row in found.items() if cell[0] == step and row.letter == ANSWERS]
            wanted |= {cell: "" for cell in given_up if cell not in cells}
    before = {cell: found[cell].letter if cell in found else "" for cell in wanted}
    changed = {cell: letter for cell, letter in wanted.items() if letter != before[cell]}
    gone = [found[cell].id for cell, letter in changed.items() if not letter]
    with records.whole():
        if gone:
            records.delete_many(RESPONSIBILITY, gone)
        for last in (False, True):  # who answers now is written after who did
            for (step, position), letter in changed.items():
                if letter and (letter == ANSWERS) is last:
                    _write(records, found.get((step, position)), process, step, position, letter)
    return before


def _rows(records: Records, process: str, cells: Mapping[Cell, str]) -> Sequence[Any]:
    """The cells of the steps that are about to change, also those of positions in the bin."""
    columns = Responsibility.id, Responsibility.step, Responsibility.position_id, Responsibility.letter
    query = sa.select(*columns).where(
        Responsibility.process == process,
        Responsibility.step.in_({step for step, _position in cells}),
        Responsibility.deleted_at.is_(None),
    )
    return records.session.execute(query).all()


def _write(records: Records, row: Any, process: str, step: str, position: int, letter: str) -> None:
    if row is not None:
        write = Write(id=row.id, values={"letter": letter})
    else:
        write = Write(values={"process": process, "step": step, "position": position, "letter": letter})
    records.save(RESPONSIBILITY, [write])
