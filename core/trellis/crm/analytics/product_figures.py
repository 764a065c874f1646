"""What is kept on each product: the stage that its sales trend proposes (PR2), and its ABC and XYZ class (PR3).

The trend holds the sales of the last 12 months against the 12 months before, so that seasons do not count. A product is in
its introduction for the first months after its first sale; then it grows from a trend of 10 % on, declines from -10 % on, and
is mature in between. One that is not on sale any more, or that sold before and has not for 12 months, is withdrawn; one
that never sold has no proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.analytics.abc import classes
from trellis.crm.analytics.assumptions import Assumptions, assumption
from trellis.crm.analytics.items import PRODUCTS
from trellis.crm.analytics.window import REVENUE, Window
from trellis.crm.products.entities import Product
from trellis.crm.products.life import DECLINE, GROWTH, INTRODUCTION, MATURITY, WITHDRAWN
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.jobs import Work
from trellis.kpi.arithmetic import average
from trellis.kpi.periods import months_later, today_in
from trellis.records.types import FixedPoint, Integer, Percent
from trellis.security.actor import SYSTEM

_ = translator("trellis")

KIND = "product_figures"
_PRODUCT = cast(sa.Table, Product.__table__)
_product = _PRODUCT.c
_STEEPEST = Decimal(999)
"""A trend that is kept; a product that began with one piece may be far above."""

_share = Percent(minimum=0, maximum=10)
ASSUMPTIONS = Assumptions(
    name="product_lifecycle",
    title=_("Product lifecycle"),
    about=_("By which trend of its sales a stage is proposed for a product"),
    fields=(
        assumption(
            "introduction_months", Integer(0, 120), _("Introduction, months after the first sale"), 12
        ),
        assumption("growth_from", _share, _("Growth from a rise of"), "0.1"),
        assumption("decline_from", Percent(minimum=0, maximum=1), _("Decline from a fall of"), "0.1"),
    ),
)


def refresh(session: Session, edition: Edition, as_of: date) -> int:
    """Computes them for all products, by all that was sold; how many rows changed."""
    return _propose(session, edition, as_of) + _class(session, edition, as_of)


def _propose(session: Session, edition: Edition, as_of: date) -> int:
    proposed = _proposed(edition, as_of).subquery("proposed").c
    values = {"proposed_stage": proposed.stage, "sales_trend": proposed.trend}
    return _write(session, values, _product.id == proposed.id)


def _class(session: Session, edition: Edition, as_of: date) -> int:
    """The classes of the last 12 months; what was not sold has none."""
    window = Window.until(as_of)
    measure = PRODUCTS.covered(session, edition, SYSTEM, window).measure
    row = classes(edition, SYSTEM, window, as_of, measure, PRODUCTS).subquery("row").c
    written = _write(session, {"abc": row.abc, "xyz": row.xyz}, _product.id == row.item_id)
    absent = sa.not_(sa.exists().where(row.item_id == _product.id))
    return written + _write(session, {"abc": sa.null(), "xyz": sa.null()}, absent)


def _write(session: Session, values: Mapping[str, Any], *some: sa.ColumnElement[bool]) -> int:
    """Writes the values to products for which one differs."""
    differs = sa.or_(*(_product[name].is_distinct_from(value) for name, value in values.items()))
    changed = sa.update(_PRODUCT).where(*some, differs).values(**values)
    return session.execute(changed).rowcount  # type: ignore[attr-defined, no-any-return]


def work(work: Work) -> None:
    """The daily job."""
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        changed = refresh(session, edition, today_in(ZoneInfo(edition.settings.timezone)))
        work.finish(session, {"changed": changed})


def sums_by_product(amount: Any, last: Window) -> sa.Select[Any]:
    """Of each product the sales of the last window and of what lies before it."""
    zero = sa.literal(0, FixedPoint())
    recent = sa.case((amount.day >= last.first, amount.amount), else_=zero)
    earlier = sa.case((amount.day < last.first, amount.amount), else_=zero)
    return sa.select(
        amount.item_id,
        sa.func.sum(recent, type_=FixedPoint()).label("last"),
        sa.func.sum(earlier, type_=FixedPoint()).label("earlier"),
    ).group_by(amount.item_id)


def _proposed(edition: Edition, as_of: date) -> sa.Select[Any]:
    """A row for each product: ``id``, the proposed ``stage``, and the ``trend``."""
    last, both = Window.until(as_of), Window.until(as_of, 24)
    amounts = PRODUCTS.amounts(edition, SYSTEM, both, REVENUE).subquery("amounts")
    sums = sums_by_product(amounts.c, last).subquery("sums")
    known = PRODUCTS.known(edition, SYSTEM).subquery("known")
    row = (
        sa.select(
            _product.id,
            _product.active,
            known.c.first,
            sa.func.coalesce(sums.c.last, sa.literal(0, FixedPoint())).label("last"),
            sa.func.coalesce(sums.c.earlier, sa.literal(0, FixedPoint())).label("earlier"),
        )
        .join_from(_PRODUCT, sums, sums.c.item_id == _product.id, isouter=True)
        .join(known, known.c.item_id == _product.id, isouter=True)
        .where(_product.deleted_at.is_(None))
        .subquery("row")
        .c
    )
    return sa.select(row.id, _stage(row, as_of, edition).label("stage"), _trend(row).label("trend"))


def _trend(row: Any) -> sa.ColumnElement[Any]:
    zero = sa.literal(0, FixedPoint())
    steep = row.last > row.earlier * sa.literal_column(str(int(_STEEPEST)), sa.Integer)
    trend = average(row.last - row.earlier, row.earlier)
    return sa.case((row.earlier <= zero, None), (steep, sa.literal(_STEEPEST, FixedPoint())), else_=trend)


def _stage(row: Any, as_of: date, edition: Edition) -> sa.ColumnElement[Any]:
    """In whole numbers, so that a product that stands exactly on a threshold is placed alike on both databases."""
    assumed = ASSUMPTIONS.of(edition)
    zero = sa.literal(0, FixedPoint())

    def parts(share: Decimal) -> Any:
        whole = sa.literal_column(str(int((1 + share) * 10_000)), sa.Integer)
        return row.earlier * whole

    times = row.last * sa.literal_column("10000", sa.Integer)
    young = row.first > months_later(as_of, -assumed["introduction_months"])
    return sa.case(
        (sa.not_(row.active), WITHDRAWN),
        (row.first.is_(None), None),
        (young, INTRODUCTION),
        (row.last <= zero, WITHDRAWN),
        (sa.or_(row.earlier <= zero, times >= parts(assumed["growth_from"])), GROWTH),
        (times <= parts(-assumed["decline_from"]), DECLINE),
        else_=MATURITY,
    )
