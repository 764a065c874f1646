"""The profile of a target segment (CU3): what its customers are, bring and buy, compared with all customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Rule
from trellis.crm.analytics.bands import bands
from trellis.crm.analytics.spread import is_number, telling_fields
from trellis.crm.analytics.window import Window, coverage, per_customer
from trellis.crm.customers.entities import Customer
from trellis.edition import Edition
from trellis.errors import RuleInvalid, TrellisError
from trellis.i18n import Text, translator
from trellis.kpi.income import withholds_income
from trellis.kpi.periods import Grain, containing, today_in
from trellis.naming import names
from trellis.records.grouping import Grouping, grouping, key_of, title_of
from trellis.records.joins import Joins
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.query import ListQuery
from trellis.records.rules import Path, resolve
from trellis.records.types import Choice
from trellis.records.types import Text as TextType
from trellis.security.actor import Actor
from trellis.segments.engine import find, members, share_of

_ = translator("trellis")

CUSTOMER = "customer"
MOST_VALUES = 200
"""Fields with more different values (names, numbers) tell nothing about a segment."""
MOST_ROWS = 40
_FEWEST = 5
"""A value that fewer have, and would be expected to have, says nothing."""
_LEAST_Z = 1.96
"""A difference that is smaller may well be chance (95 %)."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One value of a field: how many of the segment have it, and of all customers."""

    field: str
    label: str
    key: Any
    title: str
    count: int
    everybody: int
    share: float | None
    share_of_all: float | None
    rule: Rule | None = None

    @property
    def index(self) -> int | None:
        """100 where the segment is like all customers, 200 where the value is twice as frequent."""
        if not self.share_of_all or self.share is None:
            return None
        return round(self.share / self.share_of_all * 100)

    def weight(self, size: int) -> float:
        """How much the difference matters: its distance from chance, in standard deviations."""
        rate = self.share_of_all or 0.0
        spread = sqrt(rate * (1 - rate) / size) if size else 0.0
        return ((self.share or 0.0) - rate) / spread if spread else 0.0

    def to_json(self) -> dict[str, Any]:
        """One line of the profile."""
        key = self.key.isoformat() if isinstance(self.key, date) else self.key
        return {
            "field": self.field,
            "label": self.label,
            "value": key,
            "title": self.title,
            "customers": self.count,
            "share": self.share,
            "customers_of_all": self.everybody,
            "share_of_all": self.share_of_all,
            "index": self.index,
        }


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What some customers brought in 12 months; money in the workspace's currency."""

    customers: int
    buyers: int
    revenue: Decimal
    margin: Decimal
    days: int
    kept: int
    before: int

    @property
    def retention(self) -> float | None:
        """Of those who bought in the 12 months before, the share who bought again."""
        return share_of(self.kept, self.before)

    @property
    def buying(self) -> float | None:
        """The share who bought."""
        return share_of(self.buyers, self.customers)

    def average(self, amount: Decimal, number: int) -> Decimal | None:
        """An amount by a number; None without any."""
        return round(amount / number, 2) if number else None

    def to_json(self) -> dict[str, Any]:
        """The figures as money strings and ratios."""
        order = self.average(self.revenue, self.days)
        return {
            "customers": self.customers,
            "buyers": self.buyers,
            "revenue": str(round(self.revenue, 2)),
            "margin": str(round(self.margin, 2)),
            "average_purchase": None if order is None else str(order),
            "buying": self.buying,
            "retention": self.retention,
        }


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A segment beside all customers. ``figures`` are (segment, all); None where the reader may not know of income."""

    segment: str
    size: int
    everybody: int
    figures: tuple[Figures, Figures] | None
    cost_known: float | None
    rows: Sequence[Row]

    def to_json(self) -> dict[str, Any]:
        """The answer over REST."""
        figures = self.figures
        return {
            "segment": self.segment,
            "members": self.size,
            "customers": self.everybody,
            "figures": {"segment": figures[0].to_json(), "all": figures[1].to_json()} if figures else None,
            "rows": [row.to_json() for row in self.rows],
        }


def profile(session: Session, edition: Edition, actor: Actor, name: str, field: str = "") -> Profile:
    """The profile of a segment of customers; with ``field`` the whole distribution of that field, of a number by bands.

    Without, the values in which the segment differs from all customers by more than chance, the greatest difference first.
    """
    if find(edition, name).entity != CUSTOMER:
        raise TrellisError(_("Only segments of customers have a profile"))
    actor.require(CUSTOMER, "read")
    view = edition.entity(CUSTOMER)
    inside = sa.select(sa.func.count()).select_from(members(edition, actor, name).subquery())
    size, everybody = session.scalar(inside) or 0, ListQuery(view, edition, actor).count(session)
    if field in view.fields and is_number(view.fields[field]):
        by = Grouping(view, view.fields[field])
        found = list(_bands(session, edition, actor, name, by, size, everybody))
    elif field:
        found = list(_distribution(session, edition, actor, name, grouping(field, view), size, everybody))
    else:
        told = [Grouping(view, one) for one in telling_fields(view.fields.values())]
        spread = [list(_distribution(session, edition, actor, name, by, size, everybody)) for by in told]
        found = [row for rows in spread if len(rows) < MOST_VALUES for row in rows]
        found = _telling([*found, *_bought(session, edition, actor, name)], size)
    open_ = not withholds_income(edition)
    window = _window(edition)
    return Profile(
        segment=name,
        size=size,
        everybody=everybody,
        figures=_figures(session, edition, actor, name, size, everybody) if open_ else None,
        cost_known=coverage(session, edition, actor, window).cost_known if open_ else None,
        rows=found,
    )


def _telling(rows: Sequence[Row], size: int) -> list[Row]:
    """The rows that differ by more than chance, the greatest difference first."""
    known = [row for row in rows if max(row.count, size * (row.share_of_all or 0)) >= _FEWEST]
    weighed = [(abs(row.weight(size)), row) for row in known]
    telling = [pair for pair in weighed if pair[0] >= _LEAST_Z]
    return [row for _weight, row in sorted(telling, key=lambda pair: -pair[0])[:MOST_ROWS]]


def _distribution(
    session: Session,
    edition: Edition,
    actor: Actor,
    name: str,
    by: Grouping,
    size: int,
    everybody: int,
) -> Iterator[Row]:
    """The values of a field with how many have them: one statement."""
    inside = SEGMENT_MEMBER.alias()

    def columns(joins: Joins) -> list[sa.ColumnElement[Any]]:
        joins.look_up(inside, sa.and_(inside.c.segment == name, inside.c.record_id == joins.root.id))
        return [key_of(joins, by), title_of(joins, by), inside.c.record_id.label("inside")]

    found = ListQuery(by.view, edition, actor).selecting(columns).subquery()
    both = sa.func.count(found.c.inside), sa.func.count()
    counted = sa.select(found.c.key, found.c.title, *both).group_by(found.c.key, found.c.title)
    order = [found.c.key] if by.unit is not None else [both[0].desc(), both[1].desc(), found.c.key]
    for key, title, count, of_all in session.execute(counted.order_by(*order).limit(MOST_VALUES)):
        yield Row(
            field=by.name,
            label=str(by.field.label),
            key=key,
            title=title_of_value(edition, by, key, title),
            count=count,
            everybody=of_all,
            share=share_of(count, size),
            share_of_all=share_of(of_all, everybody),
            rule={"all": [{"segment": name}, by.rule(key)]},
        )


def _bands(
    session: Session, edition: Edition, actor: Actor, name: str, by: Grouping, size: int, everybody: int
) -> Iterator[Row]:
    """The bands of a number with how many are in them, and how many have none."""
    found = [
        (band.title(edition, by.field), band.rule(by.field), band.count, band.everybody)
        for band in bands(session, edition, actor, name, by)
    ]
    left = size - sum(one[2] for one in found), everybody - sum(one[3] for one in found)
    none = [(str(_("none")), by.rule(None), *left)] if left[1] else []
    for title, rule, count, of_all in [*found, *none]:
        yield Row(
            field=by.name,
            label=str(by.field.label),
            key=rule.get("value"),
            title=title,
            count=count,
            everybody=of_all,
            share=share_of(count, size),
            share_of_all=share_of(of_all, everybody),
            rule={"all": [{"segment": name}, rule]},
        )


def title_of_value(edition: Edition, by: Grouping, key: Any, title: str | None) -> str:
    """A value of a field in words."""
    if key is None:
        return str(_("none"))
    if title is not None:
        return str(title)
    if by.unit is not None and isinstance(key, date):
        return containing(key, Grain(by.unit), edition.settings.fiscal_month).title
    if isinstance(key, bool):
        return str(_("Yes") if key else _("No"))
    if isinstance(by.field.type, TextType) and by.field.type.names:
        return str(names(edition, by.field.type.names).get(key, key))
    option = by.field.type.option(key) if isinstance(by.field.type, Choice) else None
    return str(option.label) if option else str(key)


def _window(edition: Edition) -> Window:
    return Window.until(today_in(ZoneInfo(edition.settings.timezone)))


def _figures(
    session: Session, edition: Edition, actor: Actor, name: str, size: int, everybody: int
) -> tuple[Figures, Figures]:
    """What the segment and all customers brought in 12 months, and who of those before bought again: one statement."""
    window = _window(edition)
    now = per_customer(edition, actor, window).subquery("now")
    then = per_customer(edition, actor, window.before()).subquery("then")
    member = SEGMENT_MEMBER.alias()
    joined = (
        sa.outerjoin(Customer, now, now.c.customer_id == Customer.id)
        .outerjoin(then, then.c.customer_id == Customer.id)
        .outerjoin(member, sa.and_(member.c.segment == name, member.c.record_id == Customer.id))
    )
    bought, before = now.c.frequency > 0, then.c.frequency > 0
    inside = member.c.record_id.is_not(None)
    sums = (
        sa.func.count().filter(bought),
        sa.func.coalesce(sa.func.sum(now.c.revenue), 0),
        sa.func.coalesce(sa.func.sum(now.c.margin), 0),
        sa.func.coalesce(sa.func.sum(now.c.frequency), 0),
        sa.func.count().filter(before, bought),
        sa.func.count().filter(before),
    )
    query = sa.select(inside, *sums).select_from(joined).where(Customer.deleted_at.is_(None))
    query = query.where(actor.visible(Customer)).group_by(inside)
    rows = {bool(row[0]): tuple(row[1:]) for row in session.execute(query)}
    nothing = (0, Decimal(0), Decimal(0), 0, 0, 0)
    ours, others = rows.get(True, nothing), rows.get(False, nothing)
    together = tuple(one + other for one, other in zip(ours, others, strict=True))
    return _of(size, ours), _of(everybody, together)


def _of(customers: int, sums: Sequence[Any]) -> Figures:
    buyers, revenue, margin, days, kept, before = sums
    return Figures(
        customers=customers,
        buyers=buyers,
        revenue=Decimal(revenue),
        margin=Decimal(margin),
        days=int(days),
        kept=kept,
        before=before,
    )


_BOUGHT: tuple[tuple[str, str, str, Text], ...] = (
    ("order", "customer", "channel", _("Channel of orders")),
    ("order_line", "order.customer", "product.category", _("Category bought")),
    ("order_line", "order.customer", "product", _("Product bought")),
)
"""Entity, the way to the customer, what is looked at, and its title."""


def _bought(session: Session, edition: Edition, actor: Actor, name: str) -> Iterator[Row]:
    """Channels, categories and products of 12 months: of the purchases of the segment, and of all, which share they have."""
    window = _window(edition)
    for entity, customer, field, label in _BOUGHT:
        if not actor.may(entity, "read"):
            continue
        view = edition.entity(entity)
        since = {
            "field": "ordered_at" if entity == "order" else "order.ordered_at",
            "op": "gte",
            "value": window.first.isoformat(),
        }
        try:
            paths = resolve(customer, view, edition), resolve(field, view, edition)
            query = ListQuery(view, edition, actor, rule=since)
        except RuleInvalid:  # a field on the way is withheld from the reader
            continue
        yield from _purchases(session, edition, query, *paths, str(label), name)


def _purchases(
    session: Session,
    edition: Edition,
    query: ListQuery,
    customer: Path,
    looked_at: Path,
    label: str,
    name: str,
) -> Iterator[Row]:
    """The values of a field of purchases with how many there are: one statement. What was bought most comes first."""
    inside = SEGMENT_MEMBER.alias()
    by = Grouping(query.view, looked_at.field)

    def columns(joins: Joins) -> list[sa.ColumnElement[Any]]:
        buyer = customer.field.of(joins.source(customer.hops))
        hops = (*looked_at.hops, looked_at.field)
        key: Any = looked_at.field.of(joins.source(looked_at.hops))
        title: Any = sa.null()
        if looked_at.is_reference:
            key, title = joins.source(hops).id, joins.title(hops)
        joins.look_up(inside, sa.and_(inside.c.segment == name, inside.c.record_id == buyer))
        return [key.label("key"), title.label("title"), inside.c.record_id.label("inside")]

    found = query.selecting(columns).subquery()
    both = sa.func.count(found.c.inside), sa.func.count()
    sums = (sa.func.sum(one).over() for one in both)
    counted = sa.select(found.c.key, found.c.title, *both, *sums).where(found.c.key.is_not(None))
    counted = counted.group_by(found.c.key, found.c.title).order_by(both[0].desc(), found.c.key)
    for key, title, count, of_all, whole, whole_of_all in session.execute(counted.limit(MOST_VALUES)):
        yield Row(
            field=f"{query.view.name}.{looked_at.name}",
            label=label,
            key=key,
            title=title_of_value(edition, by, key, title),
            count=count,
            everybody=of_all,
            share=share_of(count, int(whole)),
            share_of_all=share_of(of_all, int(whole_of_all)),
        )
