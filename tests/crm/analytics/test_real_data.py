"""On real purchases, the analytics say what pandas computes from the same file without any of our code.

The files are those of ``../shared/data`` beside the repository; without them the tests are skipped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import lifetime_by_hand as by_hand
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from measured import LATER, Book
from trellis.crm.analytics.abc import abc_items
from trellis.crm.analytics.clv import Asked, Lifetime, clv
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.analytics.keeping import keeping
from trellis.crm.analytics.loyalty import loyalty
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.rfm import rfm_customers
from trellis.crm.analytics.window import Window
from trellis.crm.customers import standing
from trellis.crm.customers.entities import Customer
from trellis.crm.sales.entities import Order
from trellis.kpi import engine
from trellis.kpi.income import rebuild
from trellis.kpi.periods import parse
from trellis.records.bulk import insert_rows
from trellis.workspace import Workspace

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
CDNOW = DATA / "cdnow" / "CDNOW_master.txt"
WHOLESALE = DATA / "wholesale_customers" / "wholesale_customers.csv"
ONLINE = DATA / "online_retail_sample" / "OnlineRetail_sample.csv"

pytestmark = pytest.mark.slow


def cdnow() -> pd.DataFrame:
    """customer, day, amount: a row a purchase."""
    if not CDNOW.is_file():
        pytest.skip(f"{CDNOW} is not there")
    names = ["customer", "day", "number", "amount"]
    frame = pd.read_csv(CDNOW, sep=r"\s+", skiprows=1, names=names, dtype=str)
    frame["day"] = pd.to_datetime(frame["day"], format="%Y%m%d")
    frame["at"] = frame["day"]
    return _in_cents(frame, frame["amount"].map(Decimal))


def online_retail() -> pd.DataFrame:
    """customer, day, amount: a row an invoice; cancellations are negative, some invoices have no customer."""
    if not ONLINE.is_file():
        pytest.skip(f"{ONLINE} is not there")
    lines = pd.read_csv(ONLINE, dtype=str, encoding_errors="replace")
    lines["at"] = pd.to_datetime(lines["InvoiceDate"], format="mixed")
    lines["value"] = [
        Decimal(q) * Decimal(p) for q, p in zip(lines["Quantity"], lines["UnitPrice"], strict=True)
    ]
    lines["customer"] = lines["CustomerID"].fillna("")
    frame = lines.groupby(["InvoiceNo", "customer"], as_index=False).agg(
        at=("at", "min"), value=("value", "sum")
    )
    frame["day"] = frame["at"].dt.normalize()
    return _in_cents(frame, frame["value"])


def _in_cents(frame: pd.DataFrame, amounts: Any) -> pd.DataFrame:
    frame["amount"] = [int(amount * 10_000) for amount in amounts]
    return frame


def load(book: Book, frame: pd.DataFrame) -> None:
    """Writes the purchases straight into the tables, as no one else should."""
    now = datetime(2020, 1, 1, tzinfo=UTC)
    stamp = {"created_at": now, "updated_at": now, "version": 1, "extra": {}}
    names = sorted(set(frame["customer"]) - {""})
    customers = [
        {"id": n, "external_id": name, "name": name, "kind": "person"} for n, name in enumerate(names, 1)
    ]
    insert_rows(book.session, Customer.__table__, stamp, customers)
    ids = {name: n for n, name in enumerate(names, 1)} | {"": None}
    orders = [
        {
            "number": str(n),
            "customer_id": ids[name],
            "ordered_at": at.replace(tzinfo=UTC),
            "amount": Decimal(amount) / 10_000,
        }
        for n, (name, at, amount) in enumerate(
            zip(frame["customer"], frame["at"], frame["amount"], strict=True)
        )
    ]
    for start in range(0, len(orders), 20_000):
        insert_rows(book.session, Order.__table__, stamp, orders[start : start + 20_000])
    rebuild(book.session, book.edition)
    refresh_customer_value(book.session, book.edition, date(2012, 1, 1))


@pytest.fixture(params=["cdnow", "online_retail"])
def case(request: pytest.FixtureRequest, workspace: Workspace) -> Iterator[tuple[Book, pd.DataFrame]]:
    frame = cdnow() if request.param == "cdnow" else online_retail()
    with workspace.write() as session:
        edition = workspace.edition(session)
        book = Book(session, replace(edition, settings=replace(edition.settings, currency="USD"), _cache={}))
        load(book, frame)
        yield book, frame


def year_of(frame: pd.DataFrame) -> str:
    return str(frame["day"].dt.year.mode()[0])


def test_the_analytics_agree_with_pandas(
    case: tuple[Book, pd.DataFrame], request: pytest.FixtureRequest
) -> None:
    book, everything = case
    if request.node.callspec.params["case"] == "cdnow":
        check_publication(book, everything)
    known = everything[everything["customer"] != ""]
    year = year_of(known)
    check_pyramid(book, known, year)
    check_rfm(book, known, f"{year}-12-31")
    check_classes(book, known, year)
    check_stages(book, known, str(known["day"].max().date()))
    check_loyalty(book, known, year)
    check_kpis(book, everything, known, year)
    check_lifetime(book, known, f"{year}-09-30")
    check_staying(book, known, str(known["day"].max().date()))


def check_pyramid(book: Book, known: pd.DataFrame, year: str) -> None:
    within = known[known["day"].dt.year == int(year)]
    ranked = within.groupby("customer")["amount"].sum().reset_index()
    ranked = ranked.sort_values(["amount", "customer"], ascending=[False, True])["amount"].to_numpy()
    cuts = [0, *(math.ceil(len(ranked) * percent / 100) for percent in (1, 5, 20)), len(ranked)]
    found = pyramid(book.session, book.edition, book.actor, Window.of(parse(year)))
    assert found.measure == "revenue"
    for index, tier in enumerate(found.tiers):
        part = ranked[cuts[index] : cuts[index + 1]]
        assert (tier.customers, int(tier.amount * 10_000)) == (len(part), part.sum())
        assert (int(tier.lowest * 10_000), int(tier.highest * 10_000)) == (part.min(), part.max())
        assert tier.share == pytest.approx(part.sum() / ranked.sum(), abs=1e-6)
    bought = known[(known["amount"] >= 0) & (known["day"] < f"{int(year) + 1}-01-01")]
    assert found.inactive == len(set(bought["customer"]) - set(within["customer"]))
    assert found.customers + found.inactive + found.prospects == known["customer"].nunique()


def check_classes(book: Book, known: pd.DataFrame, year: str) -> None:
    """In whole numbers throughout: ten-thousandths, and variation without a root."""
    within = known[known["day"].dt.year == int(year)]
    months = within.pivot_table(
        index="customer", columns=within["day"].dt.month, values="amount", aggfunc="sum", fill_value=0
    )
    ranked = months.sum(axis=1).rename("amount").reset_index()
    ranked = ranked.sort_values(["amount", "customer"], ascending=[False, True])
    first = known[known["amount"] >= 0].groupby("customer")["day"].min()
    positive = sum(int(one) for one in ranked["amount"] if one > 0)
    expected, above = [], 0
    for name, amount in zip(ranked["customer"], map(int, ranked["amount"]), strict=True):
        share = "A" if above * 100 < positive * 80 else "B" if above * 100 < positive * 95 else "C"
        figures = [int(one) for one in months.loc[name]]
        once, spread = sum(figures), 12 * sum(one**2 for one in figures) - sum(figures) ** 2
        steady = "X" if 100 * spread <= once**2 else "Y" if 16 * spread <= once**2 else "Z"
        young = name in first.index and first[name] >= pd.Timestamp(f"{year}-02-01")
        expected.append((name, share if amount > 0 else "C", None if young else steady if once > 0 else "Z"))
        above += max(amount, 0)
    window = Window.of(parse(year))
    found = abc_items(book.session, book.edition, book.actor, window, LATER, "revenue")
    assert [(one.external_id, one.abc, one.xyz) for one in found] == expected


def check_rfm(book: Book, known: pd.DataFrame, as_of: str) -> None:
    last = pd.Timestamp(as_of)
    within = known[(known["day"] > last - pd.DateOffset(months=12)) & (known["day"] <= last)]
    bought = within[within["amount"] >= 0]
    table = pd.DataFrame(
        {
            "recency": (last - bought.groupby("customer")["day"].max()).dt.days,
            "frequency": bought.groupby("customer")["day"].nunique(),
            "monetary": within.groupby("customer")["amount"].sum(),
        }
    )
    table = table.dropna().sort_index()
    ranks = {
        "recency": table["recency"].rank(method="first", ascending=False),
        "frequency": table["frequency"].rank(method="first"),
        "monetary": table["monetary"].rank(method="first"),
    }
    scores = {
        name: ((rank.astype(int) * 5 + len(table) - 1) // len(table)).astype(str)
        for name, rank in ranks.items()
    }
    table["code"] = scores["recency"] + scores["frequency"] + scores["monetary"]
    found = list(
        rfm_customers(book.session, book.edition, book.actor, Window.until(date.fromisoformat(as_of)))
    )
    given = [
        (one.external_id, one.recency_days, one.frequency, int(one.monetary * 10_000), one.code)
        for one in found
    ]
    assert given == [
        (name, row.recency, row.frequency, row.monetary, row.code)
        for name, row in zip(table.index, table.itertuples(), strict=True)
    ]


def check_stages(book: Book, known: pd.DataFrame, as_of: str) -> None:
    """The rules of the core in plain Python, for each customer."""
    last = pd.Timestamp(as_of)
    refresh_customer_value(book.session, book.edition, last.date())
    standing.refresh(book.session, book.edition, last.date())
    bought = known[known["amount"] >= 0].groupby("customer")["day"].agg(["min", "max", "count"])
    expected = dict.fromkeys(known["customer"], "prospect")
    for name, row in zip(bought.index, bought.itertuples(index=False), strict=True):
        since, gone = (last - row[0]).days, (last - row[1]).days
        early = "active" if row[2] >= 2 or since >= 90 else "new"
        early = "loyal" if row[2] >= 5 and since >= 365 else early
        expected[name] = "lost" if gone >= 365 else "at_risk" if gone >= 180 else early
    stages = sa.select(Customer.external_id, Customer.relationship_stage)
    assert {row[0]: row[1] for row in book.session.execute(stages)} == expected


def check_loyalty(book: Book, known: pd.DataFrame, year: str) -> None:
    bought = known[known["amount"] >= 0].assign(month=lambda frame: frame["day"].dt.to_period("M"))
    active = bought.groupby("month")["customer"].agg(set)
    months = pd.period_range(f"{year}-01", f"{year}-12", freq="M")
    found = loyalty(book.session, book.edition, book.actor, parse(year), LATER)
    expected = [
        (
            str(month),
            len(active.get(month - 1, set())),
            len(active.get(month - 1, set()) & active.get(month, set())),
        )
        for month in months
    ]
    while expected and not expected[0][1]:
        expected.pop(0)
    assert [(one.period.code, one.before, one.retained) for one in found.periods] == expected
    first = bought.groupby("customer")["month"].min()
    cohorts = {month: set(first.index[first == month]) for month in months}
    assert [(one.period.code, one.size, list(one.active)) for one in found.cohorts] == [
        (
            str(month),
            len(members),
            [len(members & active.get(later, set())) for later in months[months >= month]],
        )
        for month, members in cohorts.items()
        if members
    ]
    days = bought[bought["day"].dt.year == int(year)].groupby("customer")["day"].nunique()
    assert found.repeat_rate == pytest.approx((days >= 2).sum() / len(days), abs=1e-6)


def check_lifetime(book: Book, known: pd.DataFrame, until: str) -> None:
    day = date.fromisoformat(until)
    expected = by_hand.histories(known, until)
    found = clv(book.session, book.edition, book.actor, Asked(until=day, today=LATER))
    table = found.known
    names = list(book.session.scalars(sa.select(Customer.external_id).order_by(Customer.id)))
    assert [names[index - 1] for index in table.id] == list(expected.index)
    for ours, theirs in (("x", "x"), ("recency", "tx"), ("age", "age"), ("valued", "x")):
        assert np.array_equal(getattr(table, ours), expected[theirs]), ours
    assert table.mean == pytest.approx(expected["mean"].to_numpy(), abs=1e-6)
    assert found.historic.sum() == pytest.approx(expected["revenue"].sum(), abs=1e-3)
    model = found.model.purchases
    assert model is not None and found.values is not None
    own = (model.r, model.alpha, model.a, model.b)
    rows = [expected["x"].to_numpy(), expected["tx"].to_numpy() / 7, expected["age"].to_numpy() / 7]
    height = by_hand.log_likelihood(*own, *rows)
    assert model.log_likelihood == pytest.approx(height, abs=1e-4)
    for index in range(4):  # no step to either side leads higher
        for factor in (0.98, 1.02):
            beside = list(own)
            beside[index] *= factor
            assert by_hand.log_likelihood(*beside, *rows) <= height + 1e-4  # or it stands at its bound
    check_worth(found, expected)
    assert sum(one.customers for one in found.tenths) == sum(one.customers for one in found.cohorts)
    assert sum(one.value or 0 for one in found.cohorts) == pytest.approx(found.values.clv.sum())
    later = known[(known["amount"] >= 0) & (known["customer"].isin(expected.index))]
    days = later.drop_duplicates(["customer", "day"]).groupby("customer").size()
    assert found.tracked[-1].actual == int((days - 1).sum())


def check_worth(found: Lifetime, expected: pd.DataFrame) -> None:
    """Gamma-Gamma at its height, and the value of each customer by the published formulas."""
    purchases, worth = found.model.purchases, found.model.values
    assert purchases is not None and worth is not None and found.values is not None
    again = expected[(expected["x"] > 0) & (expected["mean"] > 0)]
    assert found.model.valued == len(again)
    own, rows = (worth.p, worth.q, worth.v), (again["x"].to_numpy(float), again["mean"].to_numpy())
    height = by_hand.worth_log_likelihood(*own, *rows)
    assert worth.log_likelihood == pytest.approx(height, abs=1e-4)
    for index in range(3):
        for factor in (0.98, 1.02):
            beside = list(own)
            beside[index] *= factor
            assert by_hand.worth_log_likelihood(*beside, *rows) <= height + 1e-4
    r, alpha, a, b = purchases.r, purchases.alpha, purchases.a, purchases.b
    values = by_hand.lifetime_value((r, alpha, a, b), own, expected)
    assert found.values.clv == pytest.approx(values, rel=1e-5, abs=1e-6)


def check_staying(book: Book, known: pd.DataFrame, until: str) -> None:
    found = keeping(book.session, book.edition, book.actor, date.fromisoformat(until))
    expected = by_hand.stayed(known, until)
    year = found.year
    assert (year.before, year.kept, year.active) == tuple(
        expected[key] for key in ("before", "kept", "active")
    )
    if year.before:
        assert (year.grr, year.nrr) == pytest.approx((expected["grr"], expected["nrr"]))
    customers, lost, middle = by_hand.median_stay(known, until, 180)
    answer = found.to_json()["survival"]
    assert (answer["customers"], answer["lost"], answer["median_days"]) == (customers, lost, middle)


def check_kpis(book: Book, everything: pd.DataFrame, known: pd.DataFrame, year: str) -> None:
    by_month = (
        everything[everything["day"].dt.year == int(year)].groupby(everything["day"].dt.month)["amount"].sum()
    )
    months = [parse(f"{year}-{month:02}") for month in range(1, 13)]
    points = engine.series(book.session, book.edition, book.actor, "revenue", months, LATER)
    assert [int(one.value * 10_000) for one in points] == [by_month.get(month, 0) for month in range(1, 13)]
    bought = known[known["amount"] >= 0]
    first = bought.groupby("customer")["day"].min()
    quarter = parse(f"{year}-Q1")
    within = bought[(bought["day"] >= str(quarter.first)) & (bought["day"] < str(quarter.end))]
    assert book.value("active_customers", quarter.code) == within["customer"].nunique()
    new = first[(first >= str(quarter.first)) & (first < str(quarter.end))]
    assert book.value("new_customers", quarter.code) == len(new)
    whole = everything[everything["day"].dt.year == int(year)]
    purchases = whole[whole["amount"] >= 0]
    average = Decimal(int(whole["amount"].sum())) / len(purchases) / 10_000
    assert book.value("average_order", year) == pytest.approx(average, abs=Decimal("0.0001"))


def test_the_classes_of_wholesale_customers_agree_with_pandas(workspace: Workspace) -> None:
    """A year's spending of each client; the cut of tiers and classes from plain sums."""
    if not WHOLESALE.is_file():
        pytest.skip(f"{WHOLESALE} is not there")
    frame = pd.read_csv(WHOLESALE)
    spent = frame[["Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen"]].sum(axis=1)
    names = [f"W{number:04}" for number in range(len(frame))]
    year = pd.DataFrame({"customer": names, "day": pd.Timestamp("2011-01-15"), "amount": spent * 10_000})
    year["at"] = year["day"]
    with workspace.write() as session:
        book = Book(session, workspace.edition(session))
        load(book, year)
        check_pyramid(book, year, "2011")
        check_classes(book, year, "2011")


def check_publication(book: Book, frame: pd.DataFrame) -> None:
    """The customers and dollars that the publication of CDNOW names."""
    assert (len(frame), frame["customer"].nunique()) == (69_659, 23_570)
    assert book.value("new_customers", "1997-Q1") == 23_570
    total = book.value("revenue", "1997") + book.value("revenue", "1998")
    assert total == Decimal(int(frame["amount"].sum())) / 10_000
