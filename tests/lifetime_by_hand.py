"""Lifetime value and staying, computed with pandas from a table of purchases (customer, day, amount), without our code."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaln, gammaln, hyp2f1


def histories(frame: pd.DataFrame, until: str) -> pd.DataFrame:
    """Per customer: x, tx and age in days, mean of a repeat day, revenue. ``amount`` is in ten-thousandths."""
    frame = frame[frame["day"] <= until]
    bought = frame[frame["amount"] >= 0]
    days = bought.merge(frame.groupby(["customer", "day"])["amount"].sum().rename("net").reset_index())
    days = days.drop_duplicates(["customer", "day"]).sort_values(["customer", "day"])
    first = days.groupby("customer")["day"].min()
    again = days[days["day"] > days["customer"].map(first)]
    last = days.groupby("customer")["day"].max()
    return pd.DataFrame(
        {
            "x": again.groupby("customer").size().reindex(first.index, fill_value=0),
            "tx": (last - first).dt.days,
            "age": (pd.Timestamp(until) - first).dt.days,
            "mean": (again.groupby("customer")["net"].mean() / 10_000).reindex(first.index, fill_value=0.0),
            "revenue": frame.groupby("customer")["amount"].sum().reindex(first.index) / 10_000,
        }
    ).sort_index()


def log_likelihood(
    r: float, alpha: float, a: float, b: float, x: np.ndarray, tx: np.ndarray, age: np.ndarray
) -> float:
    """Of BG/NBD, by formula (6) of the paper."""
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    living = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
    left = betaln(a + 1, np.where(x > 0, b + x - 1, 1.0)) - betaln(a, b) - (r + x) * np.log(alpha + tx)
    return float(np.sum(common + np.where(x > 0, np.logaddexp(living, left), living)))


def worth_log_likelihood(p: float, q: float, v: float, x: np.ndarray, mean: np.ndarray) -> float:
    """Of Gamma-Gamma, by formula (1a) of note 25; ``x`` purchases of the ``mean``, both above 0."""
    ways = gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
    heights = q * np.log(v) + (p * x - 1) * np.log(mean) + p * x * np.log(x)
    return float(np.sum(ways + heights - (p * x + q) * np.log(x * mean + v)))


def lifetime_value(
    frequency: tuple[float, float, float, float],
    worth: tuple[float, float, float],
    known: pd.DataFrame,
    discount: float = 0.01,
) -> np.ndarray:
    """Of 12 months of 4.345 weeks: formula (10) of the paper by month, times formula (5) of note 25."""
    (r, alpha, a, b), (p, q, v) = frequency, worth
    x, mean = known["x"].to_numpy(float), known["mean"].to_numpy()
    tx, age = known["tx"].to_numpy() / 7, known["age"].to_numpy() / 7
    lost = np.where(x > 0, a / np.where(x > 0, b + x - 1, 1) * ((alpha + age) / (alpha + tx)) ** (r + x), 0)
    total, before = np.zeros(len(x)), np.zeros(len(x))
    for month in range(1, 13):
        t = month * 4.345
        tail = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + age + t))
        grown = 1 - ((alpha + age) / (alpha + age + t)) ** (r + x) * tail
        so_far = (a + b + x - 1) / (a - 1) * grown / (1 + lost)
        total += (so_far - before) / (1 + discount) ** month
        before = so_far
    return np.asarray(p * (v + x * np.maximum(mean, 0)) / (p * x + q - 1) * total)


def stayed(frame: pd.DataFrame, until: str) -> dict[str, float]:
    """From the twelve months before the last twelve to these: customers, and their revenue."""
    end = pd.Timestamp(until)
    middle, start = end - pd.DateOffset(months=12), end - pd.DateOffset(months=24)
    windows = {"before": (start, middle), "now": (middle, end)}
    active, revenue = {}, {}
    for name, (low, high) in windows.items():
        part = frame[(frame["day"] > low) & (frame["day"] <= high)]
        active[name] = set(part.loc[part["amount"] >= 0, "customer"])
        revenue[name] = part.groupby("customer")["amount"].sum() / 10_000
    same = sorted(active["before"])
    was, became = (revenue[name].reindex(same).fillna(0.0) for name in windows)
    return {
        "before": len(same),
        "kept": len(active["before"] & active["now"]),
        "active": len(active["now"]),
        "grr": float(np.minimum(was, became).sum() / was.sum()) if was.sum() > 0 else float("nan"),
        "nrr": float(became.sum() / was.sum()) if was.sum() > 0 else float("nan"),
    }


def median_stay(frame: pd.DataFrame, until: str, inactive: int) -> tuple[int, int, float | None]:
    """Customers, how many are lost, and the Kaplan-Meier median of the days from first to last purchase."""
    bought = frame[(frame["amount"] >= 0) & (frame["day"] <= until)].groupby("customer")["day"]
    days = (bought.max() - bought.min()).dt.days
    lost = (pd.Timestamp(until) - bought.max()).dt.days >= inactive
    share = 1.0
    for time in np.sort(days[lost].unique()):
        share *= 1 - ((days == time) & lost).sum() / (days >= time).sum()
        if share <= 0.5:
            return len(days), int(lost.sum()), float(time)
    return len(days), int(lost.sum()), None
