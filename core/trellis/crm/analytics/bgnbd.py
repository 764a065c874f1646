"""BG/NBD: how often each customer will buy who is bound by no contract, and whether they still are a customer.

Source: Fader, Hardie & Lee, "Counting your customers the easy way", Marketing Science 24(2), 2005; P(alive) from their note
of 2008. A customer is seen as ``x`` repeat purchase days, the last of them at ``tx`` and the present at ``age`` (T) after
the first, all in one unit of time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trellis.crm.analytics.bounded import Floats, LogLikelihood, at_bound, maximise

_ROUGH = 1_000
"""Starts are compared on about this many different histories."""


@dataclass(frozen=True, kw_only=True)
class BgNbd:
    """The parameters. ``alpha`` is in the unit of time of the histories."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")

    @property
    def at_bound(self) -> bool:
        """Whether the fit ended at a bound: the histories do not tell the parameters."""
        return at_bound((self.r, self.alpha, self.a, self.b))

    def alive(self, x: ArrayLike, tx: ArrayLike, age: ArrayLike) -> Floats:
        """P(alive). For who bought once it is 1 by construction, which says nothing about them."""
        times, last, now = (np.asarray(one, dtype=np.float64) for one in (x, tx, age))
        power = (self.r + times) * (np.log(self.alpha + now) - np.log(self.alpha + last))
        odds = self.a / (self.b + np.maximum(times, 1) - 1) * np.exp(np.minimum(power, 700.0))
        alive: Floats = np.where(times > 0, 1 / (1 + odds), 1.0)
        return alive

    def expected(self, t: float, x: ArrayLike, tx: ArrayLike, age: ArrayLike) -> Floats:
        """E[Y(t) | x, tx, T]: purchases in the time ``t`` from now on."""
        return self.if_alive(t, x, age) * self.alive(x, tx, age)

    def of_new(self, t: ArrayLike) -> Floats:
        """E[X(t)]: repeat purchases of a customer in the time ``t`` after the first."""
        return self.if_alive(t, 0, 0)

    def if_alive(self, t: ArrayLike, x: ArrayLike, age: ArrayLike) -> Floats:
        """Purchases in the time ``t`` from now on, of who is a customer now.

        The published form after Euler's transformation, which holds for hundreds of purchases, where the other overflows.
        """
        from scipy.special import hyp2f1

        # The formula has limits at a = 1 and where the third parameter is a whole number below 1; beside them it is exact
        # to as many digits as anybody reads.
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6
        b = self.b if abs(a + self.b - 1) > 1e-6 else self.b + 1e-6
        times, now, later = (np.asarray(one, dtype=np.float64) for one in (x, age, t))
        z = later / (self.alpha + now + later)
        third = a + b + times - 1
        with np.errstate(over="ignore", invalid="ignore"):
            gone = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - self.r, a - 1, third, z)
            if not np.all(np.isfinite(gone)):  # a is large, and the form as it was published holds
                published = (1 - z) ** (self.r + times) * hyp2f1(self.r + times, b + times, third, z)
                gone = np.where(np.isfinite(gone), gone, published)
        found: Floats = np.maximum(third / (a - 1) * (1 - gone), 0.0)
        return found


def fit(x: ArrayLike, tx: ArrayLike, age: ArrayLike) -> BgNbd:
    """The parameters by maximum likelihood; histories that are the same are counted together."""
    rows = np.column_stack([np.asarray(one, dtype=np.float64) for one in (x, tx, age)])
    known, weight = _distinct(rows)
    step = len(known) // _ROUGH
    part = likelihood(known[::step], weight[::step]) if step > 2 else None
    mean = max(float(np.average(known[:, 2], weights=weight)), 1e-3)
    starts = [
        (shape, mean * part_of_age, a, b)
        for shape, part_of_age, a, b in ((0.25, 0.15, 0.8, 2.5), (1.0, 1.0, 1.0, 1.0), (2.0, 0.5, 0.3, 5.0))
    ]
    (r, alpha, a, b), height = maximise(likelihood(known, weight), starts, part)
    return BgNbd(r=float(r), alpha=float(alpha), a=float(a), b=float(b), log_likelihood=height)


def likelihood(rows: Floats, weight: Floats) -> LogLikelihood:
    """The log-likelihood of histories (x, tx, T), each so many times.

    What depends on x or on T alone is computed once for each of their values.
    """
    times, of_times = np.unique(rows[:, 0], return_inverse=True)
    ages, of_ages = np.unique(rows[:, 2], return_inverse=True)
    by_times = np.bincount(of_times, weight)
    x, last, number = rows[:, 0], rows[:, 1], float(weight.sum())
    again = x > 0
    before = np.maximum(x, 1) - 1

    def at(parameters: Floats) -> tuple[float, Floats]:
        from scipy.special import gammaln, psi

        r, alpha, a, b = parameters
        log_age = np.log(alpha + ages)[of_ages]
        log_last = np.log(alpha + last)
        living = -(r + x) * log_age
        left = np.where(again, np.log(a) - np.log(b + before) - (r + x) * log_last, -np.inf)
        both = np.logaddexp(living, left)
        gone = np.exp(left - both)  # the part of the likelihood that they left after the last purchase
        here = 1 - gone
        fixed = gammaln(r + times) + gammaln(b + times) - gammaln(a + b + times)
        own = gammaln(r) - r * np.log(alpha) + gammaln(b) - gammaln(a + b)
        height = by_times @ fixed - number * own + weight @ both
        psi_ab = by_times @ psi(a + b + times) - number * psi(a + b)
        rate = weight * (r + x)
        slope = (
            by_times @ psi(r + times)
            - number * (psi(r) - np.log(alpha))
            - weight @ (here * log_age + gone * log_last),
            number * r / alpha - rate @ (here / (alpha + ages)[of_ages] + gone / (alpha + last)),
            weight @ gone / a - psi_ab,
            by_times @ psi(b + times) - number * psi(b) - psi_ab - weight @ (gone / (b + before)),
        )
        return float(height), np.asarray(slope, dtype=np.float64)

    return at


def _distinct(rows: Floats) -> tuple[Floats, Floats]:
    order = np.lexsort(rows.T)
    ordered = rows[order]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    starts = np.flatnonzero(first)
    return ordered[starts], np.diff(np.append(starts, len(rows))).astype(np.float64)
