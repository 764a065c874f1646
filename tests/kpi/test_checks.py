"""A KPI that cannot work is refused when the edition is built, with its name and what to mend."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from measured import Book
from samples import plugin, registry
from sqlalchemy.orm import aliased
from trellis import enabling
from trellis.contributions import Kpi
from trellis.crm.customers.entities import Customer
from trellis.crm.sales.entities import Lead, Order
from trellis.errors import EditionInvalid
from trellis.i18n import Text
from trellis.kpi.checks import check_kpi
from trellis.kpi.income import IncomeDay


def kpi(select: Any, **options: Any) -> Kpi:
    return Kpi(name="x.bad", title=Text("Bad"), select=select, **options)


def good(q: Any) -> sa.Select[Any]:
    return sa.select(sa.func.count()).where(q.during(Order.ordered_at), q.visible(Order))


REFUSED = [
    (kpi(lambda q: 7), "returned int, not a select"),
    (kpi(lambda q: sa.select(Order.id, Order.amount).where(q.visible(Order))), "one column"),
    (kpi(lambda q: sa.select(sa.func.count()).where(q.during(Order.ordered_at))), "q.visible"),
    (kpi(good, date=Order.ordered_at), "date needs entity"),
    (kpi(good, entity=Lead), "entity is of “lead”"),
    (kpi(good, entity=Order, date=Lead.created_at), "date is of “lead”"),
    (kpi(good, entity=Order, breakdowns={"city": Customer.city}), "breakdown city is of “customer”"),
    (kpi(lambda q: good(q).where(Order.nothing == 1)), "nothing"),
]


@pytest.mark.parametrize(("bad", "why"), REFUSED)
def test_a_kpi_that_cannot_work_is_refused(book: Book, bad: Kpi, why: str) -> None:
    with pytest.raises(Exception, match=why):
        check_kpi(book.edition, bad)


def test_an_entity_inside_a_subquery_cannot_be_split(book: Book) -> None:
    def select(q: Any) -> sa.Select[Any]:
        inner = sa.select(Order.amount).where(q.visible(Order)).subquery()
        return sa.select(sa.func.sum(inner.c.amount))

    check_kpi(book.edition, kpi(select))
    with pytest.raises(ValueError, match="does not read from"):
        check_kpi(book.edition, kpi(select, entity=Order))


def test_joins_and_aliases_are_seen_through(book: Book) -> None:
    buyer = aliased(Customer)

    def select(q: Any) -> sa.Select[Any]:
        return good(q).select_from(Order).join(buyer, buyer.id == Order.customer_id)

    check_kpi(book.edition, kpi(select, entity=Order, date=Order.ordered_at))
    with pytest.raises(ValueError, match="breakdown city"):
        check_kpi(book.edition, kpi(select, entity=Order, breakdowns={"city": Customer.city}))
    check_kpi(book.edition, kpi(select, entity=Order, breakdowns={"city": buyer.city}))


def test_all_kpis_and_sources_of_the_core_are_sound(book: Book) -> None:
    assert [fault.message for fault in book.edition.faults] == []
    assert {"revenue", "retention", "win_rate"} <= book.edition.all(Kpi).keys()
    assert IncomeDay.__tablename__ == "income_day"


def test_a_plugin_with_such_a_kpi_cannot_be_enabled_and_is_told_why(open_installation: Any) -> None:
    bad = Kpi(
        name="shop.bad", title=Text("Bad"), select=lambda q: sa.select(sa.func.count()).select_from(Order)
    )
    shop = plugin("shop", trellis_kpis=lambda: [bad])
    workspace = open_installation(plugins=registry(shop)).workspace("acme")
    with pytest.raises(EditionInvalid, match=r"shop.*trellis_kpis.*shop\.bad.*q\.visible"):
        enabling.enable(workspace, "shop")
