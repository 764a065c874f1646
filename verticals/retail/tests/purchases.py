"""The figures of the tutorial, computed from the files with pandas and none of Trellis' code."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

CHARGES = {"POST", "D", "M", "C2", "DOT", "S", "B", "CRUK", "PADS", "AMAZONFEE", "BANK CHARGES"}


def online_retail(path: Path) -> pd.DataFrame:
    """A row for each line that is a sale: receipt, customer ("" for nobody), at, units, amount in ten-thousandths."""
    lines = pd.read_csv(path, dtype=str, keep_default_na=False)
    lines = lines[lines["UnitPrice"].map(Decimal) != 0]
    pairs = zip(lines["Quantity"], lines["UnitPrice"], strict=True)
    return pd.DataFrame(
        {
            "receipt": lines["InvoiceNo"],
            "customer": lines["CustomerID"].str.removesuffix(".0"),
            "at": pd.to_datetime(lines["InvoiceDate"]),
            "units": lines["Quantity"].astype(int),
            "amount": [int(Decimal(quantity) * Decimal(price) * 10_000) for quantity, price in pairs],
            "product": lines["StockCode"].str.upper(),
        }
    )


def cdnow(path: Path) -> pd.DataFrame:
    """A row for each purchase, in the same columns."""
    names = ["customer", "day", "units", "dollars"]
    rows = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names, dtype=str)
    return pd.DataFrame(
        {
            "receipt": rows.index.astype(str),
            "customer": rows["customer"],
            "at": pd.to_datetime(rows["day"], format="%Y%m%d"),
            "units": rows["units"].astype(int),
            "amount": [int(Decimal(one) * 10_000) for one in rows["dollars"]],
        }
    )


class Book:
    """Receipts, and what follows from them. ``order`` is that of the customers in the file: it breaks ties."""

    def __init__(self, lines: pd.DataFrame) -> None:
        grouped = lines.groupby("receipt", sort=False)
        self.receipts = grouped.agg(
            customer=("customer", "first"),
            at=("at", "first"),
            units=("units", "sum"),
            amount=("amount", "sum"),
        )
        self.receipts["day"] = self.receipts["at"].dt.normalize()
        self.known = self.receipts[self.receipts["customer"] != ""]
        order = [name for name in lines["customer"].unique() if name]
        self.place = {name: number for number, name in enumerate(order)}

    def during(self, frame: pd.DataFrame, first: Any, end: Any) -> pd.DataFrame:
        return frame[(frame["day"] >= pd.Timestamp(first)) & (frame["day"] < pd.Timestamp(end))]

    def revenue(self, first: str, end: str) -> Decimal:
        return Decimal(int(self.during(self.receipts, first, end)["amount"].sum())) / 10_000

    def average_check(self, first: str, end: str) -> float:
        within = self.during(self.receipts, first, end)
        return float(within["amount"].sum() / (within["amount"] >= 0).sum() / 10_000)

    def units_per_receipt(self, first: str, end: str) -> float:
        return float(self.sold(first, end)["units"].mean())

    def items_price(self, first: str, end: str) -> float:
        sold = self.sold(first, end)
        return float(sold["amount"].sum() / sold["units"].sum() / 10_000)

    def return_rate(self, first: str, end: str) -> float:
        within = self.during(self.receipts, first, end)["amount"]
        return float(-within[within < 0].sum() / within[within >= 0].sum())

    def sold(self, first: str, end: str) -> pd.DataFrame:
        within = self.during(self.receipts, first, end)
        return within[within["amount"] >= 0]

    def buyers(self, first: Any, end: Any) -> pd.DataFrame:
        within = self.during(self.known, first, end)
        return within[within["amount"] >= 0]

    def new_customers(self, first: str, end: str) -> int:
        days = self.known[self.known["amount"] >= 0].groupby("customer")["day"].min()
        return int(((days >= pd.Timestamp(first)) & (days < pd.Timestamp(end))).sum())

    def retention(self, before: str, first: str, end: str) -> float:
        then, now = set(self.buyers(before, first)["customer"]), set(self.buyers(first, end)["customer"])
        return len(then & now) / len(then)

    def active_90(self, end: str) -> int:
        return int(self.buyers(pd.Timestamp(end) - pd.Timedelta(days=90), end)["customer"].nunique())

    def repeat_90(self, end: str) -> float:
        recent = self.buyers(pd.Timestamp(end) - pd.Timedelta(days=90), end)
        days = recent.groupby("customer")["day"].nunique()
        return float((days >= 2).mean())

    def pyramid(self, year: int) -> list[tuple[str, int, Decimal]]:
        """(tier, customers, amount), by revenue."""
        within = self.during(self.known, f"{year}-01-01", f"{year + 1}-01-01")
        sums = within.groupby("customer")["amount"].sum().reset_index()
        sums["place"] = sums["customer"].map(self.place)
        ranked = sums.sort_values(["amount", "place"], ascending=[False, True])["amount"].tolist()
        cuts = [0, *(math.ceil(len(ranked) * percent / 100) for percent in (1, 5, 20)), len(ranked)]
        parts = [ranked[cuts[index] : cuts[index + 1]] for index in range(4)]
        tiers = ("top", "large", "medium", "small")
        return [
            (tier, len(part), Decimal(sum(part)) / 10_000) for tier, part in zip(tiers, parts, strict=True)
        ]

    def rfm(self, as_of: str) -> pd.DataFrame:
        """The scores of the buyers of twelve months, with their sums of 12 months."""
        last = pd.Timestamp(as_of)
        first = last - pd.DateOffset(months=12) + pd.Timedelta(days=1)
        within = self.during(self.known, first, last + pd.Timedelta(days=1))
        bought = within[within["amount"] >= 0].groupby("customer")["day"]
        table = pd.DataFrame(
            {
                "last": bought.max(),
                "times": bought.nunique(),
                "sum": within.groupby("customer")["amount"].sum(),
            }
        ).dropna()
        table = table.iloc[table.index.map(self.place).argsort()]
        for score, column in (("r", "last"), ("f", "times"), ("m", "sum")):
            rank = table[column].rank(method="first").astype(int)
            table[score] = (rank * 5 + len(table) - 1) // len(table)
        return table

    def segments(self, as_of: str) -> dict[str, int]:
        """The sizes of the segments that such files can fill."""
        today = pd.Timestamp(as_of)
        until = self.known[(self.known["day"] <= today) & (self.known["amount"] >= 0)]
        days = until.groupby("customer")["day"].agg(["min", "max", "size"])
        ago = (today - days["max"]).dt.days
        r, f, m = (self.rfm(as_of)[score] for score in "rfm")
        once = days["size"] == 1
        recent = self.during(
            self.known, today - pd.DateOffset(months=12) + pd.Timedelta(days=1), today + pd.Timedelta(days=1)
        )
        sold = recent[recent["amount"] >= 0].groupby("customer")["amount"].sum()
        back = -recent[recent["amount"] < 0].groupby("customer")["amount"].sum()
        both = pd.DataFrame({"sold": sold, "back": back}).dropna()
        sizes = {
            "champions": (r >= 4) & (f >= 4) & (m >= 4),
            "loyal": f >= 4,
            "new": (today - days["min"]).dt.days < 30,
            "second_purchase_due": once & ago.between(20, 60),
            "one_timers": once & (ago > 60),
            "at_risk": (r <= 2) & (f >= 3),
            "cannot_lose": (r <= 2) & (f >= 4) & (m >= 4),
            "hibernating": (r == 1) & (f <= 2),
            "lost": ago > 365,
            "online_first": r >= 1,
            "high_returners": both["back"] * 10 >= both["sold"] * 3,
            "without_card": ago <= 90,
        }
        return {f"retail.{name}": int(found.sum()) for name, found in sizes.items()}
