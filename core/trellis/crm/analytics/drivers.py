"""What satisfaction goes along with (AN2): correlation and regression of drivers with the index. It shows no causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import sqlalchemy as sa

from trellis.crm.analytics.survey_answers import (
    DRIVERS,
    Asked,
    Moments,
    completed,
    has_index,
    last_answers,
    moment_columns,
    moments_of,
    on_scale,
)


@dataclass(frozen=True, kw_only=True)
class Driver:
    """How strongly something goes along with the index: Pearson's r, and the weight among all drivers together."""

    name: str
    n: int
    r: float | None
    beta: float | None


def drivers_of(asked: Asked, weights: Sequence[float]) -> list[Driver]:
    """Pearson's r of each driver with the index, and standardised regression weights of all that were answered."""
    answer = last_answers(asked, has_index())
    figures, complete = completed(answer, asked.values["incomplete"])
    sample = _Sample(asked, answer, figures, (complete, on_scale(answer, asked.values)), weights)
    known = [sample.driver(name) for name in DRIVERS]
    answered = [one.name for one in known if one.r is not None]
    betas = sample.betas(answered) if len(answered) > 1 else {}
    return [Driver(name=one.name, n=one.n, r=one.r, beta=betas.get(one.name)) for one in known]


@dataclass(frozen=True)
class _Sample:
    """The answers with their index: twice the three answers, and which count."""

    asked: Asked
    answer: sa.Subquery
    figures: Sequence[Any]
    kept: tuple[Any, ...]
    weights: Sequence[float]

    def driver(self, name: str) -> Driver:
        moments = self._moments([name])
        if moments.n < max(self.asked.values["fewest"], 3):
            return Driver(name=name, n=moments.n, r=None, beta=None)
        covariance, variance = self._with_index(moments, 3)
        own = float(moments.covariance(3, 3))
        spread = sqrt(own * variance) if own > 0 and variance > 0 else 0.0
        r = round(covariance / spread, 6) if spread else None
        return Driver(name=name, n=moments.n, r=r, beta=None)

    def betas(self, names: Sequence[str]) -> dict[str, float]:
        """Standardised regression over the answers to all of ``names``; empty where they depend on each other."""
        moments = self._moments(names)
        if moments.n < max(self.asked.values["fewest"], len(names) + 2):
            return {}
        places = range(3, 3 + len(names))
        own = np.array([[float(moments.covariance(i, j)) for j in places] for i in places])
        deviations = np.sqrt(np.diag(own))
        pairs = [self._with_index(moments, place) for place in places]
        spread = sqrt(max(pairs[0][1], 0.0))
        if spread == 0 or deviations.min() == 0 or np.linalg.matrix_rank(own) < len(names):
            return {}
        with_index = np.array([covariance for covariance, _variance in pairs]) / (deviations * spread)
        solved = np.linalg.solve(own / np.outer(deviations, deviations), with_index)
        return {name: round(float(one), 6) for name, one in zip(names, solved, strict=True)}

    def _moments(self, names: Sequence[str]) -> Moments:
        """Of the three answers and of ``names``, over the answers to all of them."""
        columns = [self.answer.c[name] for name in names]
        figures = [*self.figures, *(one * 2 for one in columns)]
        given = [one.is_not(None) for one in columns]
        query = sa.select(*moment_columns(figures)).where(*self.kept, *given)
        return moments_of(self.asked.session.execute(query).one(), len(figures), 2)

    def _with_index(self, moments: Moments, place: int) -> tuple[float, float]:
        """The covariance of a figure with the weighted answers, and the variance of these."""
        weights = self.weights
        covariance = sum(w * float(moments.covariance(index, place)) for index, w in enumerate(weights))
        pairs = [(i, j) for i in range(3) for j in range(3)]
        variance = sum(weights[i] * weights[j] * float(moments.covariance(i, j)) for i, j in pairs)
        return covariance, variance
