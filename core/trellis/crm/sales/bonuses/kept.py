"""What runs have kept: statements with their lines, read for many people at once and written through the one door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.sales.bonuses.entities import CORRECTION, BonusLine, BonusRun, BonusStatement
from trellis.crm.sales.bonuses.reckoning import Line, total
from trellis.errors import PermissionRefused
from trellis.i18n import translator
from trellis.records.bulk import among
from trellis.records.door import Records, Write
from trellis.records.events import BeforeSave
from trellis.security.actor import SYSTEM, Actor
from trellis.security.people import User

_ = translator("trellis")

_statement, _line = (cast(sa.Table, one.__table__).c for one in (BonusStatement, BonusLine))
_OF_LINE = [_line[name] for name in ("id", "statement_id", "name", "kind", "period", "amount", "basis")]
_AT_WORK = "trellis_bonuses"
"""In a session while Trellis itself writes what was reckoned."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement of a run with its lines; without an id one that is not written yet. ``lines`` follow their places."""

    person: int
    lines: Sequence[Line]
    id: int | None = None
    line_ids: Sequence[int] = ()
    total: Decimal = Decimal(0)
    binned: bool = False


def keep(event: BeforeSave) -> None:
    """Nobody but Trellis writes what was reckoned. Raises PermissionRefused."""
    if event.actor.user_id is not None and not event.session.info.get(_AT_WORK):
        raise PermissionRefused(
            _("Bonuses are reckoned by Trellis: change the scheme, the plan or the records")
        )


@contextmanager
def door(records: Records) -> Iterator[Records]:
    """The door through which Trellis writes for the actor, in whose name it stands in the log."""
    session, actor = records.session, records.actor
    for_it = replace(SYSTEM, user_id=actor.user_id, name=actor.name, source=actor.source)
    mine = Records(session, records.edition, for_it)
    session.info[_AT_WORK] = True
    try:
        with mine.whole():
            yield mine
    finally:
        del session.info[_AT_WORK]
        records.take_over(mine)


def kept(session: Session, run: int, actor: Actor = SYSTEM) -> dict[int, Statement]:
    """The statements of a run that ``actor`` may see by person, those in the bin too: in two statements of the database."""
    lines: dict[int, list[Any]] = {}
    of_run = sa.select(_statement.id).where(_statement.run_id == run)
    query = sa.select(*_OF_LINE).where(
        _line.statement_id.in_(of_run), _line.deleted_at.is_(None), actor.visible(BonusLine)
    )
    for line in session.execute(query.order_by(_line.place)):
        lines.setdefault(line.statement_id, []).append(line)
    columns = (_statement.id, _statement.person_id, _statement.total, _statement.deleted_at)
    mine = sa.select(*columns).where(_statement.run_id == run, actor.visible(BonusStatement))
    return {
        row.person_id: Statement(
            person=row.person_id,
            id=row.id,
            lines=[_stated(one) for one in lines.get(row.id, [])],
            line_ids=[one.id for one in lines.get(row.id, [])],
            total=row.total,
            binned=row.deleted_at is not None,
        )
        for row in session.execute(mine)
    }


def _stated(row: Any) -> Line:
    return Line(name=row.name, kind=row.kind, period=row.period, amount=row.amount, basis=row.basis or {})


def corrected(session: Session, scheme: int, period: str) -> dict[int, Decimal]:
    """What closed runs of a scheme have corrected of an earlier period, by person."""
    query = (
        sa.select(BonusStatement.person_id, sa.func.sum(BonusLine.amount))
        .join(BonusStatement, BonusStatement.id == BonusLine.statement_id)
        .join(BonusRun, BonusRun.id == BonusStatement.run_id)
        .where(
            BonusRun.scheme_id == scheme,
            BonusRun.state == "closed",
            BonusRun.deleted_at.is_(None),
            BonusStatement.deleted_at.is_(None),
            BonusLine.deleted_at.is_(None),
            BonusLine.kind == CORRECTION,
            BonusLine.period == period,
        )
        .group_by(BonusStatement.person_id)
    )
    return {person: amount for person, amount in session.execute(query)}


def write(
    records: Records, run: BonusRun, present: Mapping[int, Statement], wanted: Mapping[int, Sequence[Line]]
) -> None:
    """Brings the statements of a run, now ``present``, to what was reckoned; what is so already is not touched."""
    gone = [one.id for one in present.values() if not one.binned and one.person not in wanted and one.id]
    back = [one.id for one in present.values() if one.binned and one.person in wanted and one.id]
    if gone:
        records.delete_many("bonus_statement", gone)
    if back:
        records.restore_many("bonus_statement", back)
    ids = {person: one.id for person, one in present.items() if one.id is not None}
    new = [person for person in wanted if person not in ids]
    people = _people(records.session, list(wanted))
    common = {"run": run.id, "scheme": run.scheme_id, "period": run.period, "begins_on": run.begins_on}
    common |= {"currency": run.currency, "state": run.state}
    writes = [
        Write(values={}, kept={**common, **_whose(run, person, people), "total": total(wanted[person])})
        for person in new
    ]
    if writes:
        ids |= dict(zip(new, records.save("bonus_statement", writes), strict=True))
    changed = [
        Write(id=ids[person], values={}, kept={"total": total(lines)})
        for person, lines in wanted.items()
        if person in present and total(lines) != present[person].total
    ]
    if changed:
        records.save("bonus_statement", changed)
    _write_lines(records, run, ids, present, wanted, people)


def _write_lines(
    records: Records,
    run: BonusRun,
    ids: Mapping[int, int],
    present: Mapping[int, Statement],
    wanted: Mapping[int, Sequence[Line]],
    people: Mapping[int, Any],
) -> None:
    """Writes the lines that differ, in their places."""
    writes, surplus, currency = [], [], run.currency
    for person, lines in wanted.items():
        before = present.get(person) or Statement(person=person, lines=[])
        whose = _of(people, person)
        surplus += list(before.line_ids[len(lines) :])
        for place, line in enumerate(lines):
            known = place < len(before.lines)
            if known and before.lines[place] == line:
                continue
            values = {
                "place": place + 1,
                "name": line.name,
                "kind": line.kind,
                "period": line.period,
                "amount": line.amount,
                "currency": currency,
                "basis": line.basis,
            }
            if not known:
                values |= {"statement": ids[person], **whose}
            writes.append(Write(id=before.line_ids[place] if known else None, values={}, kept=values))
    if surplus:
        records.delete_many("bonus_line", surplus)
    if writes:
        records.save("bonus_line", writes)


def _people(session: Session, ids: Sequence[int]) -> dict[int, Any]:
    """Name and unit of people, by id."""
    query = sa.select(User.id, User.name, User.unit_id).where(among(session, User.id, ids))
    return {row.id: row for row in session.execute(query)}


def _whose(run: BonusRun, person: int, people: Mapping[int, Any]) -> dict[str, Any]:
    name = people[person].name if person in people else f"#{person}"
    return {"person": person, "title": f"{name}, {run.title}"[:300], **_of(people, person)}


def _of(people: Mapping[int, Any], person: int) -> dict[str, Any]:
    """A statement and its lines belong to the person, and are seen by those who head the person's unit."""
    return {"owner": person, "unit": people[person].unit_id if person in people else None}
