"""Division and multiplication in SQL: exact where money is concerned, never by zero, alike on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from trellis.kpi.arithmetic import average, days_between, product, ratio
from trellis.records.types import FixedPoint, UtcDateTime
from trellis.workspace import Workspace

MONEY = FixedPoint()


def money(text: str | None) -> sa.ColumnElement[Any]:
    return sa.type_coerce(sa.bindparam(None, None if text is None else Decimal(text), MONEY), MONEY)


def count(number: int) -> sa.ColumnElement[Any]:
    return sa.bindparam(None, number, sa.Integer())


def computed(workspace: Workspace, expression: sa.ColumnElement[Any]) -> Any:
    with workspace.read() as session:
        return session.scalar(sa.select(expression))


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (money("10"), money("40"), 0.25),
        (money("10"), count(4), 2.5),
        (count(1), money("2.5"), 0.4),
        (count(1), count(3), 1 / 3),
        (money("-1"), money("3"), -1 / 3),
    ],
)
def test_a_ratio_is_a_float_whatever_it_is_of(
    workspace: Workspace, part: Any, whole: Any, expected: float
) -> None:
    assert computed(workspace, ratio(part, whole)) == pytest.approx(expected)


@pytest.mark.parametrize("whole", [count(0), money("0"), money(None)])
def test_nothing_is_divided_by_nothing(workspace: Workspace, whole: Any) -> None:
    assert computed(workspace, ratio(money("10"), whole)) is None
    assert computed(workspace, average(money("10"), whole)) is None


def test_an_average_of_money_is_money_with_four_digits(workspace: Workspace) -> None:
    assert computed(workspace, average(money("100"), count(3))) == Decimal("33.3333")
    assert computed(workspace, average(money("-200"), count(3))) == Decimal("-66.6667")
    assert computed(workspace, average(money("10"), money("2.5"))) == Decimal("4.0000")
    assert computed(workspace, average(count(7), count(2))) == Decimal("3.5000")


def test_a_product_keeps_the_point_where_it_is(workspace: Workspace) -> None:
    assert computed(workspace, product(money("20000"), money("0.75"))) == Decimal("15000.0000")
    assert computed(workspace, product(money("0.01"), money("0.33"))) == Decimal("0.0033")
    assert computed(workspace, product(money("2.5"), count(3))) == Decimal("7.5000")


def test_expressions_keep_their_precedence(workspace: Workspace) -> None:
    assert computed(workspace, ratio(money("1") + money("2"), money("5") - money("2"))) == pytest.approx(1.0)


def test_days_between_moments_and_days(workspace: Workspace) -> None:
    start = sa.bindparam(None, datetime(2026, 3, 1, 12, tzinfo=UTC), UtcDateTime())
    end = sa.bindparam(None, datetime(2026, 3, 3, tzinfo=UTC), UtcDateTime())
    day = sa.bindparam(None, date(2026, 3, 2), sa.Date())
    assert computed(workspace, days_between(start, end)) == pytest.approx(1.5)
    assert computed(workspace, days_between(day, end)) == pytest.approx(1.0)
    assert computed(workspace, days_between(day, sa.null().cast(UtcDateTime()))) is None
