"""What flows of money are worth. The figures are those of metrics.md 17-20, checked there by other means."""

from __future__ import annotations

from decimal import Decimal

import pytest
from trellis.crm.analytics.cash_flow import irr, monthly, payback, sign_changes, worth, yearly


def flows(*amounts: float) -> list[Decimal]:
    return [Decimal(str(amount)) for amount in amounts]


def test_the_worked_example() -> None:
    found = worth(flows(-1000, 300, 420, 520, 300), Decimal("0.12"))
    assert round(found.npv, 4) == Decimal("163.4597")
    assert found.irr == pytest.approx(0.193468, abs=1e-6)
    assert (found.payback, found.discounted_payback) == (
        pytest.approx(2.5385, abs=1e-4),
        pytest.approx(3.1426, abs=1e-4),
    )
    assert found.profitability == pytest.approx(1.1635, abs=1e-4)
    assert not found.several_irr


def test_without_a_change_of_sign_there_is_no_rate_of_return() -> None:
    assert [irr(flows(*one)) for one in ((100, 200), (-5, -1), (0, 0), ())] == [None] * 4


def test_several_changes_of_sign_are_told() -> None:
    found = worth(flows(-100, 230, -132), Decimal("0.1"))
    assert (found.several_irr, found.irr, round(found.npv, 6)) == (True, pytest.approx(0.1), 0)
    assert sign_changes(flows(-1, 0, 0, 2, 0, -3, 4)) == 3


def test_what_is_never_paid_back_has_no_time() -> None:
    assert payback(flows(-100, 20, 30)) is None
    assert payback(flows(-100, 150, -100)) is None
    assert payback(flows(50, 20)) is None
    assert payback(flows(-100, 100)) == 1.0
    assert payback(flows(-100, 200, -150, 100)) == 2.5
    assert worth(flows(0, 10), Decimal(0)).profitability is None
    assert worth([], Decimal(0)).npv == 0


def test_a_rate_of_a_year_becomes_that_of_a_month_and_back() -> None:
    assert (1 + monthly(Decimal("0.12"))) ** 12 == pytest.approx(Decimal("1.12"))
    assert yearly(0.01) == pytest.approx(0.126825)
    assert [yearly(one) for one in (None, 1e5, -2.0)] == [None, None, None]
    assert irr(flows("-0.0001", 1_000_000)) is None
