"""Scores of satisfaction from counted answers: the index with its weights and interval, NPS, CSAT, CES."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from trellis.crm.analytics.assumptions import Assumptions, Errors, Values, assumption
from trellis.crm.analytics.survey_answers import DROP, MEAN, QUESTIONS, Moments
from trellis.i18n import translator
from trellis.records.types import Boolean, Choice, Decimal, Integer, Option

_ = translator("trellis")

Z95 = 1.959964
EQUAL, OWN, ESTIMATED = "equal", "own", "estimated"
_WEIGHTS = (
    Option(EQUAL, _("Equal")),
    Option(OWN, _("The organisation's own")),
    Option(ESTIMATED, _("Estimated from the answers")),
)
_RULES = (Option(DROP, _("Left out")), Option(MEAN, _("Completed by the mean of those given")))
_OWN = Decimal(minimum=0, maximum=1000, additive=False)


def _check(values: Values) -> Errors:
    if not any(values[f"weight_{name}"] for name in QUESTIONS):
        return {"weight_q1": [_("Give at least one question a weight")]}
    return {}


ASSUMPTIONS = Assumptions(
    name="satisfaction",
    title=_("Satisfaction"),
    about=_("How the index of the three questions is made"),
    fields=(
        assumption("weights", Choice(_WEIGHTS), _("Weights of the questions"), EQUAL),
        assumption("weight_q1", _OWN, _("Own weight: overall satisfaction"), 1),
        assumption("weight_q2", _OWN, _("Own weight: expectations met"), 1),
        assumption("weight_q3", _OWN, _("Own weight: close to the ideal"), 1),
        assumption(
            "estimate_from", Integer(minimum=10), _("Estimate weights from this many answers on"), 100
        ),
        assumption("incomplete", Choice(_RULES), _("Answers to some of the three questions are"), DROP),
        assumption("scale", Integer(minimum=2, maximum=10), _("Best answer of the scale"), 10),
        assumption("fewest", Integer(minimum=1), _("No figure from fewer answers than"), 10),
        assumption("easy_is_high", Boolean(), _("In CES 7 means that it was easy"), True),
    ),
    check=_check,
)


COUNTS = ("nps_n", "promoters", "detractors", "csat_n", "csat_top", "ces_n", "ces_sum", "ces_easy")
"""What NPS, CSAT and CES are computed from."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One figure with its number of answers and 95 % interval; None where there is not enough."""

    n: int = 0
    value: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    part: float | None = None
    """For CES: the share that answered 5 to 7."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The four figures of some answers."""

    index: Score = Score()
    nps: Score = Score()
    csat: Score = Score()
    ces: Score = Score()


class Weights(NamedTuple):
    """The weights of the three questions, which sum up to one, and where they come from."""

    values: tuple[float, ...]
    origin: str


def weights_of(whole: Moments, values: Values) -> Weights:
    """The weights of the questions, which sum up to one, and where they come from."""
    if values["weights"] == OWN:
        own = [Fraction(values[f"weight_{name}"]) for name in QUESTIONS]
        return Weights(tuple(float(one / sum(own)) for one in own), OWN)
    if values["weights"] == ESTIMATED and whole.n >= values["estimate_from"]:
        estimated = outer_weights(whole)
        if estimated is not None:
            return Weights(estimated, ESTIMATED)
    return Weights((1 / 3, 1 / 3, 1 / 3), EQUAL)


def outer_weights(whole: Moments) -> tuple[float, ...] | None:
    """Weights of one factor; None where an answer does not vary or one would count against the others."""
    variances = [float(whole.covariance(index, index)) for index in range(3)]
    if min(variances) <= 0:
        return None
    deviations = np.sqrt(np.array(variances))
    covariances = np.array([[float(whole.covariance(i, j)) for j in range(3)] for i in range(3)])
    _values, vectors = np.linalg.eigh(covariances / np.outer(deviations, deviations))
    weights = vectors[:, -1] / deviations  # eigh sorts from the smallest up
    weights = weights / weights.sum() if abs(weights.sum()) > 1e-9 else weights
    return tuple(float(one) for one in weights) if weights.min() > 0 else None


def index_of(moments: Moments, weights: Sequence[float], values: Values) -> Score:
    """The index with its interval, from the moments of the three questions."""
    n = moments.n
    if n < values["fewest"]:
        return Score(n=n)
    reach = values["scale"] - 1
    exact = [Fraction(one) for one in weights]
    means = [moments.mean(index) for index in range(3)]
    share = sum(w * (mean - 1) for w, mean in zip(exact, means, strict=True)) / (reach * sum(exact))
    value = float(share * 100)
    if n == 1:
        return Score(n=n, value=round(value, 4))
    pairs = [(i, j) for i in range(3) for j in range(3)]
    variance = sum(exact[i] * exact[j] * moments.covariance(i, j) for i, j in pairs) / sum(exact) ** 2
    error = 100 / reach * sqrt(max(float(variance), 0) / n)
    low, high = max(value - Z95 * error, 0.0), min(value + Z95 * error, 100.0)
    return Score(n=n, value=round(value, 4), error=round(error, 4), low=round(low, 4), high=round(high, 4))


def nps_of(n: int, promoters: int, detractors: int, fewest: int = 1) -> Score:
    """NPS in points, with its standard error."""
    if n < max(fewest, 1):
        return Score(n=n)
    good, bad = promoters / n, detractors / n
    error = sqrt(max(good + bad - (good - bad) ** 2, 0)) / sqrt(n) * 100
    value = (promoters - detractors) * 100 / n
    low, high = max(value - Z95 * error, -100.0), min(value + Z95 * error, 100.0)
    return Score(n=n, value=round(value, 4), error=round(error, 4), low=round(low, 4), high=round(high, 4))


def scores_of(
    index: Moments, simple: Mapping[str, int] | None, weights: Sequence[float], values: Values
) -> Scores:
    """All four figures; ``simple`` are the counts of :data:`COUNTS`."""
    fewest = values["fewest"]
    if simple is None:
        return Scores(index=index_of(index, weights, values))
    csat, ces = Score(n=simple["csat_n"]), Score(n=simple["ces_n"])
    if csat.n >= fewest:
        csat = Score(n=csat.n, value=round(simple["csat_top"] / csat.n, 6))
    if ces.n >= fewest:
        mean, easy = simple["ces_sum"] / ces.n, simple["ces_easy"] / ces.n
        ces = Score(n=ces.n, value=round(mean, 6), part=round(easy, 6))
    nps = nps_of(simple["nps_n"], simple["promoters"], simple["detractors"], fewest)
    return Scores(index=index_of(index, weights, values), nps=nps, csat=csat, ces=ces)


def scores_json(scores: Scores) -> dict[str, dict[str, Any]]:
    """Numbers of answers and intervals, as answers of programs hold them."""
    index, nps, csat, ces = scores.index, scores.nps, scores.csat, scores.ces
    return {
        "index": {"n": index.n, "standard_error": index.error, "low": index.low, "high": index.high},
        "nps": {"n": nps.n, "standard_error": nps.error, "low": nps.low, "high": nps.high},
        "csat": {"n": csat.n},
        "ces": {"n": ces.n, "share_5_to_7": ces.part},
    }
