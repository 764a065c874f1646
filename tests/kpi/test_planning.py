"""A plan over its parts: they add up to it exactly, whatever it is and in whatever shares."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from trellis.contributions import Unit
from trellis.kpi.planning import as_before, spread

AMOUNTS = st.decimals(-(10**9), 10**9, places=4)
SHARES = st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=1, max_size=24)


@given(st.sampled_from([Unit.MONEY, Unit.COUNT, Unit.HOURS]), AMOUNTS, SHARES)
def test_the_parts_add_up_exactly(unit: Unit, total: Decimal, shares: list[Decimal]) -> None:
    parts = spread(unit, total, shares)
    assert sum(parts) == total
    assert all(part * total >= 0 for part in parts) or not total
    whole = total.to_integral_value()
    assert all(part == part.to_integral_value() for part in spread(Unit.COUNT, whole, shares))


def test_what_does_not_add_up_differs_as_it_did_before() -> None:
    before = [Decimal(10), None, Decimal(40)]
    assert as_before(Unit.MONEY, Decimal(60), before, Decimal(20)) == [30, 60, 120]
    for unknown in (None, Decimal(0)):
        assert as_before(Unit.PERCENT, Decimal("0.3"), before, unknown) == [Decimal("0.3")] * 3
