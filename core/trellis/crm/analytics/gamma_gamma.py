"""Gamma-Gamma: what a customer's purchase is worth on average, by the few that are known.

Source: Fader & Hardie, "The Gamma-Gamma Model of Monetary Value", note 25, 2013. A customer is seen as ``x`` repeat
purchases with the mean ``m``; the first purchase is left out. The model holds where x and m are hardly correlated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trellis.crm.analytics.bounded import Floats, at_bound, maximise


@dataclass(frozen=True, kw_only=True)
class GammaGamma:
    """The parameters. ``v`` (gamma in the paper) is in the currency of the purchases."""

    p: float
    q: float
    v: float
    log_likelihood: float = float("nan")

    @property
    def at_bound(self) -> bool:
        """Whether the fit ended at a bound."""
        return at_bound((self.p, self.q))

    def mean(self, x: ArrayLike, m: ArrayLike) -> Floats:
        """E[M | x, m]; without repeat purchases (x = 0) the mean of all, which needs q > 1."""
        times, means = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
        found: Floats = self.p * (self.v + times * means) / (self.p * times + self.q - 1)
        return found


def fit(x: ArrayLike, m: ArrayLike) -> GammaGamma:
    """The parameters by maximum likelihood, of customers with x > 0 and m > 0."""
    times, means = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
    unit = float(means.mean())  # so that the bounds mean the same in every currency
    scaled = means / unit
    counts, of_counts = np.unique(times, return_inverse=True)
    by_count = np.bincount(of_counts).astype(np.float64)
    fixed = float(np.sum(times * np.log(times * scaled)))
    constant = -float(np.sum(np.log(means)))
    spent, logs, number = times * scaled, np.log(times * scaled), len(times)

    def target(parameters: Floats) -> tuple[float, Floats]:
        from scipy.special import gammaln, psi

        p, q, v = parameters
        total = np.log(spent + v)
        height = (
            by_count @ (gammaln(p * counts + q) - gammaln(p * counts))
            + number * (q * np.log(v) - gammaln(q))
            + p * fixed
            - (p * times + q) @ total
            + constant
        )
        psi_pq = psi(p * counts + q)
        slope = (
            by_count @ (counts * (psi_pq - psi(p * counts))) + times @ (logs - total),
            by_count @ psi_pq + number * (np.log(v) - psi(q)) - total.sum(),
            number * q / v - np.sum((p * times + q) / (spent + v)),
        )
        return float(height), np.asarray(slope, dtype=np.float64)

    starts = [(6.0, 4.0, 0.5), (1.0, 2.0, 1.0), (30.0, 10.0, 0.3)]
    (p, q, v), height = maximise(target, starts)
    return GammaGamma(p=float(p), q=float(q), v=float(v) * unit, log_likelihood=height)
