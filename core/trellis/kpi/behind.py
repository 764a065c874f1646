"""The records behind a figure: their ids, and the rule that lists exactly them.

Most figures are told by the fields of their records. The others (those of the income rollup, of a state at the end of a
period, of a row by segment, and those counted as a whole) are told by their name: ``{"kpi": "active_customers", "period": "2026-10"}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.contributions import Kpi
from trellis.edition import OWN, Edition
from trellis.errors import RuleInvalid, TrellisError
from trellis.guard import limited
from trellis.i18n import Text, translator
from trellis.kpi.catalogue import find
from trellis.kpi.income import IncomeDay
from trellis.kpi.measuring import select
from trellis.kpi.periods import Period, parse, today_in
from trellis.kpi.query import KpiQuery
from trellis.kpi.splits import Split, field_path, split_of, within
from trellis.plugins import CORE
from trellis.records.query import LARGEST_ID
from trellis.records.rules import OfFigure, RuleContext
from trellis.security.actor import Actor

_ = translator("trellis")


def entity_of(kpi: Kpi) -> str | None:
    """The entity of the records that a figure is of; None for a formula over others."""
    if kpi.entity is not None:
        return "customer" if kpi.entity is IncomeDay else kpi.entity.__entity__.name  # type: ignore[union-attr]
    return kpi.behind.entity if kpi.behind is not None else None


def records(
    edition: Edition,
    actor: Actor,
    name: str,
    period: Period,
    by: str | None = None,
    key: Any = None,
    today: date | None = None,
) -> tuple[str, sa.Select[Any]] | None:
    """The records behind a figure: their entity, and a select of their ids. None for a formula over others."""
    kpi = find(edition, name)
    entity = entity_of(kpi)
    if entity is None:
        return None
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    query = KpiQuery(edition, actor, [period], today, kpi.date)
    if kpi.entity is None:
        return entity, _of_whole(kpi, query)
    ids: Any = IncomeDay.customer_id if issubclass(kpi.entity, IncomeDay) else kpi.entity.id
    statement = select(kpi, query).with_only_columns(ids, maintain_column_froms=True).distinct()
    return entity, statement if by is None else within(edition, kpi, statement, by, [key])


def _of_whole(kpi: Kpi, query: KpiQuery) -> sa.Select[Any]:
    assert kpi.behind is not None
    build = kpi.behind.select
    return build(query) if kpi.owner in (CORE, OWN) else limited(lambda: build(query))


def drill_rule(
    edition: Edition,
    kpi: Kpi,
    period: Period,
    split: Split | None = None,
    key: Any = None,
    within: Sequence[int] = (),
) -> Mapping[str, Any] | None:
    """The rule that lists exactly the records of a period and of a row of a breakdown; ``within`` are the units of its reader.

    None for a formula over others, and for records of a unit where they have none.
    """
    entity = entity_of(kpi)
    if entity is None or (within and "unit" not in edition.entity(entity).fields):
        return None
    told = _by_fields(edition, kpi, period, split, key)
    if told is None:
        row = {} if split is None else {"by": split.by, "key": key}
        told = {"kpi": kpi.name, "period": period.code, **row}
    return {"all": [told, {"field": "unit", "op": "in", "value": list(within)}]} if within else told


def _by_fields(
    edition: Edition, kpi: Kpi, period: Period, split: Split | None, key: Any
) -> Mapping[str, Any] | None:
    """The rule over fields of the records; None where fields cannot tell them."""
    if kpi.entity is None or kpi.entity is IncomeDay:
        return None
    date_field = field_path(edition, kpi, kpi.date)
    if date_field is None:
        return None
    start, end = period.bounds(kpi.date, ZoneInfo(edition.settings.timezone))
    rules: list[Mapping[str, Any]] = [
        {"field": date_field, "op": "gte", "value": start.isoformat().replace("+00:00", "Z")},
        {"field": date_field, "op": "lt", "value": end.isoformat().replace("+00:00", "Z")},
    ]
    if kpi.rule is not None:
        rules.append(kpi.rule)
    if split is not None:
        if split.field is None:
            return None
        empty = {"field": split.field, "op": "is_empty"}
        rules.append(empty if key is None else {"field": split.field, "op": "eq", "value": key})
    return {"all": rules}


class KpiFigures:
    """What rules ask of the KPI engine (:class:`trellis.edition.Figures`)."""

    def named(self, edition: Edition, figure: OfFigure) -> tuple[str, Text]:
        """The entity of the records, and what the figure is called."""
        kpi, period = find(edition, figure.kpi), _period(edition, figure, None)
        entity = entity_of(kpi)
        if entity is None:
            raise RuleInvalid(
                _("“%(kpi)s” is a formula over other figures and has no records", kpi=kpi.title)
            )
        words = {"kpi": kpi.title, "period": period.label}
        if figure.by is None:
            return entity, _("%(kpi)s, %(period)s", **words)
        split = split_of(edition, kpi, figure.by)
        if not _fits(split, figure.key):
            raise RuleInvalid(_("“%(by)s” has no row “%(row)s”", by=figure.by, row=str(figure.key)[:80]))
        row = split.title(figure.key, None)
        return entity, _("%(kpi)s, %(period)s, %(by)s: %(row)s", **words, by=split.label, row=row)

    def ids(self, context: RuleContext, figure: OfFigure) -> sa.Select[Any]:
        """The ids of the records that the reader may see."""
        edition, today = context.edition, context.today
        period = _period(edition, figure, today)
        try:
            found = records(edition, context.actor, figure.kpi, period, figure.by, figure.key, today)
        except TrellisError as error:
            raise RuleInvalid(error.detail) from None
        except Exception as error:  # a select is code of a plugin: it may raise anything
            if find(edition, figure.kpi).owner in (CORE, OWN):
                raise
            raise RuleInvalid(
                _("The plugin of “%(kpi)s” failed; its records cannot be listed", kpi=figure.kpi)
            ) from error
        assert found is not None, "a figure without records was refused when the rule was read"
        return found[1]


def _period(edition: Edition, figure: OfFigure, today: date | None) -> Period:
    today = today or today_in(ZoneInfo(edition.settings.timezone))
    return parse(figure.period, edition.settings.fiscal_month, today)


def _fits(split: Split, key: str | int | None) -> bool:
    """Whether a key is of the type that the rows of a breakdown have."""
    if isinstance(key, int) and not 0 <= key <= LARGEST_ID:
        return False
    return key is None or isinstance(key, split.key.type.python_type)


FIGURES = KpiFigures()
