"""Which days of which customers a write touches, so that their income is counted anew in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from trellis.contributions import IncomeSource, Watch
from trellis.edition import Edition, EntityView
from trellis.kpi.income import BEGINNING, END, Touch, merged, refresh
from trellis.records.entity import Entity
from trellis.records.events import Saved
from trellis.records.rules import Path, resolve
from trellis.records.types import Reference


def follow(event: Saved) -> list[int]:
    """Brings the rollup up to date with a write. Returns the ids of the customers whose income was counted anew."""
    sources = list(event.edition.all(IncomeSource).values())
    if event.entity == "customer":
        whole = [change.id for change in event.changes if change.action in ("deleted", "restored")]
        touches = [Touch(customer, BEGINNING, END) for customer in sorted(whole)]
        refresh(event.session, event.edition, touches, sources)
        return sorted(whole)
    customers: set[int] = set()
    known: dict[Watch, list[Touch]] = {}
    for source in sources:
        watch = source.watches.get(event.entity)
        if watch is not None:
            if watch not in known:
                known[watch] = merged(_touches(event, watch))
            refresh(event.session, event.edition, known[watch], [source])
            customers.update(touch.customer_id for touch in known[watch])
    return sorted(customers)


def _touches(event: Saved, watch: Watch) -> set[Touch]:
    """Each customer that a record belongs or belonged to, with each day that it stands or stood on."""
    zone = ZoneInfo(event.edition.settings.timezone)
    customers = _values(event, watch.customer)
    days = _values(event, watch.date)
    return {
        Touch(customer, day, day + timedelta(days=1))
        for record, ids in customers.items()
        for customer in ids
        for day in (_day(value, zone) for value in days.get(record, ()))
    }


def _day(value: date | datetime, zone: ZoneInfo) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


def _values(event: Saved, name: str) -> dict[int, set[Any]]:
    """What the field ``name`` is, and was before the write, for each record written."""
    view = event.edition.entity(event.entity)
    path = resolve(name, view, event.edition)
    found = {id: {value} - {None} for id, value in _lookup(event, view, path, event.ids).items()}
    first = path.hops[0] if path.hops else path.field
    before = {
        change.id: change.changes[first.name][0] for change in event.changes if first.name in change.changes
    }
    before = {id: value for id, value in before.items() if value is not None}
    if path.hops and before:
        assert isinstance(first.type, Reference)
        rest = Path(path.hops[1:], path.field)
        past = _lookup(event, event.edition.entity(first.type.entity), rest, sorted(set(before.values())))
        before = {id: past.get(value) for id, value in before.items()}
    elif before:
        before = {id: path.field.type.check(value) for id, value in before.items()}
    for id, value in before.items():
        found.setdefault(id, set()).update({value} - {None})
    return found


def _lookup(event: Saved, view: EntityView, path: Path, ids: Sequence[int]) -> Mapping[int, Any]:
    """The value at the end of ``path`` for records of ``view`` by id; also of records in the bin."""
    root, statement = _joined(event.edition, view, path)
    rows: Iterable[Any] = event.session.execute(statement.where(root.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def _joined(edition: Edition, view: EntityView, path: Path) -> tuple[type[Entity], sa.Select[Any]]:
    root = aliased(view.entity)
    source, steps = root, []
    for hop in path.hops:
        assert isinstance(hop.type, Reference)
        target = aliased(edition.entity(hop.type.entity).entity)
        steps.append((target, target.id == hop.of(source)))
        source = target
    statement = sa.select(root.id, path.field.of(source)).select_from(root)
    for target, condition in steps:
        statement = statement.outerjoin(target, condition)
    return root, statement
