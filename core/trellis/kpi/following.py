"""Which days of which customers a write touches, so that their income is counted anew in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.contributions import IncomeSource, Watch
from trellis.edition import EntityView
from trellis.kpi.income import Touched, refresh
from trellis.records.events import Saved
from trellis.records.joins import source, table_of
from trellis.records.rules import Path, resolve
from trellis.records.types import Reference


def follow(event: Saved) -> list[int]:
    """Brings the rollup up to date with a write. Returns the ids of the customers whose income was counted anew."""
    sources = list(event.edition.all(IncomeSource).values())
    if event.entity == "customer":
        whole = [change.id for change in event.changes if change.action in ("deleted", "restored")]
        refresh(event.session, event.edition, Touched(customers=tuple(sorted(whole))), sources)
        return sorted(whole)
    customers: set[int] = set()
    known: dict[Watch, Touched] = {}
    for one in sources:
        watch = one.watches.get(event.entity)
        if watch is not None:
            if watch not in known:
                known[watch] = _touched(event, watch)
            refresh(event.session, event.edition, known[watch], [one])
            customers.update(known[watch].ids)
    return sorted(customers)


def _touched(event: Saved, watch: Watch) -> Touched:
    """Each customer that a record belongs or belonged to, with each day that it stands or stood on."""
    zone = ZoneInfo(event.edition.settings.timezone)
    customers = _values(event, watch.customer)
    days = _values(event, watch.date)
    touched = {
        (customer, _day(value, zone))
        for record, ids in customers.items()
        for customer in ids
        for value in days.get(record, ())
    }
    return Touched(days=tuple(sorted(touched)))


def _day(value: date | datetime, zone: ZoneInfo) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


def _values(event: Saved, name: str) -> dict[int, set[Any]]:
    """What the field ``name`` is, and was before the write, for each record written."""
    view = event.edition.entity(event.entity)
    path = resolve(name, view, event.edition)
    first = path.hops[0] if path.hops else path.field
    read = first.type.check
    now: dict[int, Any] = {}
    before: dict[int, Any] = {}
    unchanged: list[int] = []
    for change in event.changes:
        old, new = change.changes.get(first.name, (None, None))
        if first.name in change.changes or change.action == "created":
            before[change.id], now[change.id] = read(old), read(new)
        else:
            unchanged.append(change.id)
    now |= _lookup(event, view, Path((), first), unchanged)
    if path.hops:
        now, before = _followed(event, path, now), _followed(event, path, before)
    return {record: {now.get(record), before.get(record)} - {None} for record in (*now, *before)}


def _followed(event: Saved, path: Path, first: Mapping[int, Any]) -> dict[int, Any]:
    """The values at the end of ``path``, given those of its first reference."""
    assert isinstance(path.hops[0].type, Reference)
    target = event.edition.entity(path.hops[0].type.entity)
    found = _lookup(event, target, Path(path.hops[1:], path.field), set(first.values()) - {None})
    return {record: found.get(value) for record, value in first.items()}


def _lookup(event: Saved, view: EntityView, path: Path, ids: Iterable[int]) -> dict[int, Any]:
    """The value at the end of ``path`` for records of ``view`` by id; also of records in the bin."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    root = end = source(view.entity)
    joined = table_of(root)
    for hop in path.hops:
        target = source(event.edition.entity(cast(Reference, hop.type).entity).entity, alias=True)
        joined = joined.outerjoin(table_of(target), target.id == hop.of(end))
        end = target
    rows = event.session.execute(
        sa.select(root.id, path.field.of(end)).select_from(joined).where(root.id.in_(wanted))
    )
    return {row[0]: row[1] for row in rows}
