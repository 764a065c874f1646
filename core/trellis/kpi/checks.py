"""The checks of KPIs and income sources when an edition is built."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.kpi.composite import check_formula, leaves
from trellis.kpi.income import IncomeQuery, Touched
from trellis.kpi.periods import Grain, Period, containing
from trellis.kpi.query import KpiQuery
from trellis.kpi.splits import splits_of
from trellis.records.compiling import compiles
from trellis.records.days import bucket
from trellis.records.rules import parse, resolve
from trellis.security.actor import SYSTEM
from trellis.segments.checks import segment_reads

_DAY = date(2026, 1, 15)
_COLUMNS = "customer id, day, currency, revenue, cost, purchases"
_MOST_KNOWN = 10_000
_passed: set[Any] = set()
"""What the checks of KPIs and income that were right depend on: an edition that is built anew differs in little."""


def check_kpi(edition: Edition, kpi: Any) -> None:
    """One column, kept to the reader's rights, compiles on both databases, and can be split as declared."""
    if (kpi.select is None) == (not kpi.expression):
        raise ValueError(f"{kpi.name}: give either a select or an expression")
    if kpi.select is None:
        check_formula(edition, kpi)
        return
    state = _state(edition, kpi)
    if state in _passed:
        return
    _check_select(edition, kpi)
    _pass(state)


def _pass(state: Any) -> None:
    if len(_passed) >= _MOST_KNOWN:
        _passed.clear()
    _passed.add(state)


def _state(edition: Edition, kpi: Any) -> Any:
    """All that the check of a select looks at, in a form that can be kept."""
    entity = getattr(kpi.entity, "__entity__", None)
    fields = edition.entity(entity.name).fields if entity is not None else {}
    segments = tuple((name, one.entity) for name, one in edition.all(Segment).items())
    asked = (kpi.select, kpi.behind, kpi.entity, kpi.date, repr(kpi.rule), tuple(kpi.breakdowns.items()))
    return (
        *asked,
        tuple((name, type(one.type)) for name, one in fields.items()),
        segments,
        repr(edition.settings),
    )


def _check_select(edition: Edition, kpi: Any) -> None:
    query, statement = _asked(edition, kpi, containing(_DAY, Grain.MONTH))
    if len(statement.selected_columns) != 1:
        raise ValueError(f"{kpi.name}: the select must have one column, the value")
    if not query.limited:
        raise ValueError(f"{kpi.name}: limit the select by q.visible(<entity>), q.earned() or q.income()")
    if kpi.date is not None and kpi.entity is None:
        raise ValueError(f"{kpi.name}: date needs entity")
    if kpi.entity is None:
        compiles(statement)
        _check_behind(edition, kpi)
        return
    if kpi.behind is not None:
        raise ValueError(f"{kpi.name}: a figure with an entity has its records; leave out behind")
    if kpi.rule is not None:
        parse(kpi.rule, edition.entity(kpi.entity.__entity__.name), edition)
    sources = compiles(statement, _sources)
    wanted = [("entity", kpi.entity.__table__), *_tables("date", kpi.date)]
    splits = splits_of(edition, kpi)
    for by, split in splits.items():
        if by in kpi.breakdowns:
            wanted += _tables(f"breakdown {by}", split.key)
    keys = [split.key for split in splits.values()]
    conditions = [condition for split in splits.values() for condition in split.conditions]
    compiles(statement.add_columns(*keys).where(*conditions).group_by(*keys))  # all at once: it is quicker
    for what, table in wanted:
        if table not in sources and table not in _sources(statement):  # an alias is another in each statement
            raise ValueError(
                f"{kpi.name}: the {what} is of “{table.name}”, which the select does not read from"
            )
    if kpi.date is not None:
        compiles(statement.add_columns(bucket(kpi.date, [_bounds(kpi.date)]).label("b")).group_by("b"))


def _check_behind(edition: Edition, kpi: Any) -> None:
    """One column of ids, of an entity that there is."""
    if kpi.behind is None:
        return
    edition.entity(kpi.behind.entity)
    query = KpiQuery(edition, SYSTEM, [containing(_DAY, Grain.MONTH)], _DAY)
    statement = kpi.behind.select(query)
    if not isinstance(statement, sa.Select) or len(statement.selected_columns) != 1 or not query.limited:
        raise ValueError(
            f"{kpi.name}: behind selects one column, the ids of the records that the reader may see"
        )
    compiles(statement)


def kpi_reads(edition: Edition, kpi: Any) -> list[sa.ClauseElement]:
    """What a KPI is computed from and split by."""
    if kpi.select is None:
        return [read for one in leaves(edition, kpi) for read in kpi_reads(edition, one)]
    query, statement = _asked(edition, kpi, containing(_DAY, Grain.MONTH))
    if kpi.entity is None:
        return [statement] if kpi.behind is None else [statement, kpi.behind.select(query)]
    splits = splits_of(edition, kpi).values()
    dates = [] if kpi.date is None else [sa.select(kpi.date)]
    asked = [
        read for name in sorted(query.segments) for read in segment_reads(edition, edition.all(Segment)[name])
    ]
    return [statement, *dates, *asked, *(sa.select(split.key).where(*split.conditions) for split in splits)]


def income_reads(edition: Edition, source: Any) -> list[sa.ClauseElement]:
    """What the income of a source is computed from."""
    return [source.select(IncomeQuery(edition.settings, None))]


def _asked(edition: Edition, kpi: Any, period: Period) -> tuple[KpiQuery, sa.Select[Any]]:
    query = KpiQuery(edition, SYSTEM, [period], _DAY, kpi.date)
    statement = kpi.select(query)
    if not isinstance(statement, sa.Select):
        raise TypeError(f"{kpi.name}: the select function returned {type(statement).__name__}, not a select")
    return query, statement


def _bounds(column: Any) -> tuple[Any, Any]:
    from zoneinfo import ZoneInfo

    return containing(_DAY, Grain.MONTH).bounds(column, ZoneInfo("UTC"))


def _sources(statement: sa.Select[Any]) -> set[Any]:
    """The tables that a select itself reads from, joins taken apart; not those inside subqueries."""
    waiting, found = list(statement.get_final_froms()), set()
    while waiting:
        source = waiting.pop()
        if isinstance(source, sa.Join):
            waiting += [source.left, source.right]
        else:
            found.add(source)
    return found


def _tables(what: str, column: Any) -> list[tuple[str, Any]]:
    """The table of a mapped or plain column; nothing for an expression."""
    expression = getattr(column, "expression", column)
    return [(what, expression.table)] if isinstance(expression, sa.Column) else []


def check_income(edition: Edition, source: Any) -> None:
    """The select has its six columns, reads the sales, and compiles on both databases; the watched paths exist."""
    sale = source.entity
    state = (source.select, sale, repr(edition.settings))
    if state not in _passed:
        _check_income_select(edition, source)
        _pass(state)
    if not source.watches:
        raise ValueError(f"{source.name}: name in watches the entities whose writes change this income")
    if sale is not None and sale.__entity__.name not in source.watches:
        raise ValueError(
            f"{source.name}: name “{sale.__entity__.name}” in watches: a sale may change its owner"
        )
    for entity, watch in source.watches.items():
        view = edition.entity(entity)
        for path in (watch.customer, watch.date):
            resolve(path, view, edition)


def _check_income_select(edition: Edition, source: Any) -> None:
    sale = source.entity
    for touched in (None, Touched(days=((1, _DAY),)), Touched(days=((1, _DAY), (2, _DAY)))):
        statement = source.select(IncomeQuery(edition.settings, touched))
        if not isinstance(statement, sa.Select) or len(statement.selected_columns) != 6:
            raise ValueError(f"{source.name}: the select must have six columns: {_COLUMNS}")
        if sale is not None and sale.__table__ not in compiles(statement, _sources):
            raise ValueError(
                f"{source.name}: the select does not read from “{sale.__table__.name}”, its entity"
            )
        compiles(statement)
