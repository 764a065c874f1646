"""ABC and XYZ (CU4): what brings most of the money, and how evenly it comes.

ABC ranks by revenue or margin and gives A while the better ones bring less than 80 % of the positive total, B below
95 %, else C; who brings nothing or a loss is C. XYZ divides the standard deviation over the months by their mean (a month
without sales is zero, the deviation that of the whole population): X up to 10 %, Y up to 25 %, else Z, and Z without a
positive mean. It takes six months that have ended; who first bought after the first of them has no XYZ class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.assumptions import Assumptions, Errors, Values, assumption, rising
from trellis.crm.analytics.items import CUSTOMERS, Items
from trellis.crm.analytics.window import Coverage, Window, measured
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.kpi.arithmetic import ratio
from trellis.records.days import bucket
from trellis.records.types import FixedPoint, Money, Percent
from trellis.security.actor import Actor

_ = translator("trellis")

ABC_CLASSES, XYZ_CLASSES = ("A", "B", "C"), ("X", "Y", "Z")
FEWEST_MONTHS = 6


def _check(values: Values) -> Errors:
    return rising(values, "a_below", "b_below") | rising(values, "x_up_to", "y_up_to")


_share = Percent(minimum=0, maximum=1)
ASSUMPTIONS = Assumptions(
    name="abc",
    title=_("ABC and XYZ"),
    about=_("Where the classes of customers and products end"),
    fields=(
        assumption("a_below", _share, _("A while better ones bring less than"), "0.8"),
        assumption("b_below", _share, _("B while better ones bring less than"), "0.95"),
        assumption("x_up_to", Percent(minimum=0, maximum=10), _("X up to a variation of"), "0.1"),
        assumption("y_up_to", Percent(minimum=0, maximum=10), _("Y up to a variation of"), "0.25"),
    ),
    check=_check,
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The items of one class or one cell of the matrix. ``share`` is that of the positive total; None without one."""

    items: int
    amount: Decimal
    share: float | None


@dataclass(frozen=True, kw_only=True)
class Abc:
    """The classes of a window. ``cells`` holds the groups by (ABC class, XYZ class or None)."""

    window: Window
    measure: str
    currency: str
    months: int
    cells: dict[tuple[str, str | None], Group]
    positive: Decimal
    without_profit: int
    coverage: Coverage

    @property
    def items(self) -> int:
        """How many are classed."""
        return sum(one.items for one in self.cells.values())

    def of(self, abc: str | None = None, xyz: str | None = None) -> Group:
        """The items of a class, of a cell where both are given, of all where none is."""
        found = [
            group
            for (first, second), group in self.cells.items()
            if abc in (None, first) and xyz in (None, second)
        ]
        amount = sum((one.amount for one in found), Decimal(0))
        return Group(items=sum(one.items for one in found), amount=amount, share=_part(amount, self.positive))

    @property
    def unclassed(self) -> Group:
        """Those without an XYZ class: too young, or the window is too short."""
        return self._together([one for (_abc, xyz), one in self.cells.items() if xyz is None])

    @property
    def without_xyz(self) -> int:
        """How many have no XYZ class."""
        return self.unclassed.items

    def _together(self, groups: Sequence[Group]) -> Group:
        amount = sum((one.amount for one in groups), Decimal(0))
        return Group(
            items=sum(one.items for one in groups), amount=amount, share=_part(amount, self.positive)
        )

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics abc``, but for its assumptions."""
        return {
            "measure": self.measure,
            "currency": self.currency,
            "from": self.window.first.isoformat(),
            "to": self.window.last.isoformat(),
            "customers": self.items,
            "classes": [{"class": one, **_group_json(self.of(one))} for one in ABC_CLASSES],
            "xyz": [{"class": one, **_group_json(self.of(xyz=one))} for one in XYZ_CLASSES],
            "matrix": [
                {"abc": abc, "xyz": xyz, **_group_json(self.of(abc, xyz))}
                for abc in ABC_CLASSES
                for xyz in XYZ_CLASSES
            ],
            "without_profit": self.without_profit,
            "without_xyz": self.without_xyz,
            "xyz_months": self.months if self.months >= FEWEST_MONTHS else 0,
            **self.coverage.to_json(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Classed:
    """One item with its classes, and what decided them."""

    id: int
    external_id: str | None
    name: str
    amount: Decimal
    before: float | None
    abc: str
    variation: float | None
    xyz: str | None

    def to_json(self) -> dict[str, Any]:
        """One line of ``analytics abc --customers``."""
        return {
            "id": self.id,
            "external_id": self.external_id,
            "name": self.name,
            "amount": Money().to_json(self.amount),
            "share_before": self.before,
            "class": self.abc,
            "variation": self.variation,
            "xyz": self.xyz,
        }


def abc(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    today: date,
    measure: str | None = None,
    items: Items = CUSTOMERS,
) -> Abc:
    """The classes of what the reader may see. ``measure`` is margin, revenue, or None to choose by what is known."""
    items.check(edition, actor)
    chosen = measured(measure)
    complete = items.covered(session, edition, actor, window)
    chosen = chosen or complete.measure
    classed = classes(edition, actor, window, today, chosen, items).subquery("classed").c
    zero = sa.literal(0, FixedPoint())
    query = sa.select(
        classed.abc,
        classed.xyz,
        sa.func.count().label("items"),
        sa.func.sum(classed.amount).label("amount"),
        sa.func.count().filter(classed.amount <= zero).label("without_profit"),
        sa.func.max(classed.total).label("total"),
    ).group_by(classed.abc, classed.xyz)
    rows = session.execute(query).all()
    positive = rows[0].total if rows else Decimal(0)
    return Abc(
        window=window,
        measure=chosen,
        currency=edition.settings.currency,
        months=len(_months(window, today)),
        cells={
            (row.abc, row.xyz): Group(items=row.items, amount=row.amount, share=_part(row.amount, positive))
            for row in rows
        },
        positive=positive,
        without_profit=sum(row.without_profit for row in rows),
        coverage=complete,
    )


def abc_items(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    today: date,
    measure: str,
    items: Items = CUSTOMERS,
    most: int | None = None,
) -> Iterator[Classed]:
    """The items from the best down, with their classes; ``most`` of them, or all."""
    items.check(edition, actor)
    classed = classes(edition, actor, window, today, measure, items).subquery("classed")
    named = items.named
    query = (
        sa.select(named.id, named.external_id, named.name, classed)
        .join(classed, classed.c.item_id == named.id)
        .order_by(classed.c.amount.desc(), named.id)
        .limit(most)
    )
    for row in session.execute(query, execution_options={"yield_per": 2000}):
        yield Classed(
            id=row.id,
            external_id=row.external_id,
            name=row.name,
            amount=row.amount,
            before=_rounded(row.before),
            abc=row.abc,
            variation=_rounded(sqrt(row.squared) if row.squared is not None else None),
            xyz=row.xyz,
        )


def classes(
    edition: Edition, actor: Actor, window: Window, today: date, measure: str, items: Items = CUSTOMERS
) -> sa.Select[Any]:
    """A row an item: ``item_id``, ``amount``, ``total`` of all that is positive, ``before`` (the share that better items
    bring), ``abc``, ``squared`` (the squared variation) and ``xyz``."""
    months = _months(window, today)
    summed = _summed(items.amounts(edition, actor, window, measure).subquery("amounts"), months)
    item = summed.subquery("item")
    known = items.known(edition, actor).subquery("known")
    placed = sa.select(
        item,
        _better(item.c).label("better"),
        sa.func.sum(_positive(item.c.amount)).over().label("total"),
        known.c.first,
    ).join_from(item, known, known.c.item_id == item.c.item_id, isouter=True)
    row = placed.subquery("placed").c
    assumed = ASSUMPTIONS.of(edition)
    steady = months if len(months) >= FEWEST_MONTHS else []
    squared, xyz = _xyz(row, steady, assumed)
    return sa.select(
        row.item_id,
        row.amount,
        row.total,
        ratio(row.better, row.total).label("before"),
        _abc(row, assumed).label("abc"),
        squared.label("squared"),
        xyz.label("xyz"),
    )


def _months(window: Window, today: date) -> list[tuple[date, date]]:
    """The months of the window that have ended."""
    return [(first, end) for first, end in window.months if end <= today or window.last == today]


def _summed(amounts: sa.Subquery, months: Sequence[tuple[date, date]]) -> sa.Select[Any]:
    """Of each item the whole amount, and the sum and the sum of squares over the months."""
    row = amounts.c
    month = bucket(row.day, months) if months else sa.literal(-1)
    monthly = (
        sa.select(row.item_id, month.label("month"), sa.func.sum(row.amount).label("amount"))
        .group_by(row.item_id, month)
        .subquery("monthly")
        .c
    )
    figure = sa.cast(sa.case((monthly.month >= 0, monthly.amount)), sa.Float)
    return sa.select(
        monthly.item_id,
        sa.func.sum(monthly.amount).label("amount"),
        sa.func.coalesce(sa.func.sum(figure), 0.0).label("once"),
        sa.func.coalesce(sa.func.sum(figure * figure), 0.0).label("squares"),
    ).group_by(monthly.item_id)


def _positive(amount: Any) -> sa.ColumnElement[Decimal]:
    zero = sa.literal(0, FixedPoint())
    return sa.case((amount > zero, amount), else_=zero)


def _better(item: Any) -> sa.ColumnElement[Decimal]:
    """What the items above this one bring; equal ones stand by their id."""
    order = (item.amount.desc(), item.item_id)
    above = sa.func.sum(_positive(item.amount)).over(order_by=order, rows=(None, -1))
    return sa.func.coalesce(above, sa.literal(0, FixedPoint()))


def _abc(row: Any, assumed: Values) -> sa.ColumnElement[str]:
    """In whole numbers, so that an item that stands exactly on a threshold is placed alike on both databases."""

    def under(share: Decimal) -> Any:
        parts = sa.literal_column(str(int(share * 10_000)), sa.Integer)
        return row.better * sa.literal_column("10000", sa.Integer) < row.total * parts

    return sa.case(
        (row.amount <= sa.literal(0, FixedPoint()), "C"),
        (under(assumed["a_below"]), "A"),
        (under(assumed["b_below"]), "B"),
        else_="C",
    )


def _xyz(
    row: Any, months: Sequence[tuple[date, date]], assumed: Values
) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """The squared variation and the class. With n months it is n times the sum of squares by the squared sum, less one.

    It is rounded to ten digits: sums of floats differ in their last ones.
    """
    if not months:
        return sa.cast(sa.null(), sa.Numeric), sa.cast(sa.null(), sa.String(1))
    young = row.first >= months[0][1]
    even = sa.and_(row.once > 0, sa.or_(row.first.is_(None), sa.not_(young)))
    exact = row.squares * len(months) / (row.once * row.once) - 1
    squared = sa.case((even, sa.func.round(sa.cast(sa.case((exact > 0, exact), else_=0.0), sa.Numeric), 10)))
    xyz = sa.case(
        (young, None),
        (row.once <= 0, "Z"),
        (squared <= assumed["x_up_to"] ** 2, "X"),
        (squared <= assumed["y_up_to"] ** 2, "Y"),
        else_="Z",
    )
    return squared, xyz


def _part(amount: Decimal, total: Decimal) -> float | None:
    return round(float(amount / total), 6) if total else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _group_json(group: Group) -> dict[str, Any]:
    return {"customers": group.items, "amount": Money().to_json(group.amount), "share": group.share}
