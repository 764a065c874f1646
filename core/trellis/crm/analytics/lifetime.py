"""Lifetime value by probability: BG/NBD says how often, Gamma-Gamma for how much, each future month is discounted.

value = margin share * E[M] * sum over months k of (E[Y(k)] - E[Y(k-1)]) / (1 + discount)^k
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from trellis.crm.analytics import bgnbd, gamma_gamma
from trellis.crm.analytics.bounded import Floats
from trellis.crm.analytics.histories import Histories
from trellis.errors import TrellisError
from trellis.i18n import Text, format_number, translator

_ = translator("trellis")

FEWEST = 100
"""Customers below which no model is fitted."""
FEWEST_VALUES = 30
"""Customers with a repeat purchase of some worth, below which purchases are worth the same for all."""
CORRELATED = 0.3
MONTH = 4.345 * 7
"""Days of a month."""
_AGE_BITS = 24


class ForecastInvalid(TrellisError):
    """The model fits these histories so badly that it foresees no number."""

    status = 409
    code = "forecast_invalid"
    title = _("The model of purchases does not fit these customers, and foresees nothing")


class Unit(StrEnum):
    """The unit of time of the parameters."""

    DAY = "day"
    WEEK = "week"

    @property
    def days(self) -> int:
        """How many days it has."""
        return 7 if self is Unit.WEEK else 1


@dataclass(frozen=True, kw_only=True)
class Model:
    """What was learnt from histories. Where ``lacking`` says why nothing was, ``purchases`` is None.

    ``values`` is None where ``mean`` stands for what a purchase of any customer is worth; ``correlation`` is that of
    number and mean of repeat purchases.
    """

    unit: Unit
    purchases: bgnbd.BgNbd | None = None
    values: gamma_gamma.GammaGamma | None = None
    valued: int = 0
    mean: float = 0.0
    correlation: float | None = None
    lacking: Text | None = None
    warnings: tuple[Text, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Months ahead, discount a month, and the share of revenue that is margin."""

    horizon: int = 12
    discount: float = 0.01
    margin: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Values:
    """Of each customer: P(alive), purchases expected in the horizon, worth of one, and the lifetime value."""

    alive: Floats
    purchases: Floats
    worth: Floats
    clv: Floats


def learn(known: Histories, unit: Unit = Unit.WEEK) -> Model:
    """The model of these histories, or why there is none."""
    lacking = _lacking(known)
    if lacking is not None:
        return Model(unit=unit, lacking=lacking)
    per = unit.days
    purchases = bgnbd.fit(known.x, known.recency / per, known.age / per)
    warnings: list[Text] = []
    if purchases.at_bound:
        warnings.append(_("The purchases do not tell the parameters of frequency well: one is at its bound"))
    again = (known.valued > 0) & (known.mean > 0)
    x, mean = known.valued[again], known.mean[again]
    average = float(np.average(mean, weights=x)) if len(x) else _first_worth(known)
    values = gamma_gamma.fit(x, mean) if len(x) >= FEWEST_VALUES else None
    if values is None:
        warnings.append(_("Few repeat purchases have a worth; each is taken at the mean of all"))
    elif values.q <= 1 or not np.all(np.isfinite(values.mean(x, mean))):
        values = None
        warnings.append(_("Purchases differ too much for a model of their worth; the mean of all is taken"))
    correlation = _correlation(x, mean)
    if correlation is not None and abs(correlation) > CORRELATED:
        told = format_number(correlation, 2)
        warnings.append(_("Number and worth of purchases hang together (%(number)s)", number=told))
    return Model(
        unit=unit,
        purchases=purchases,
        values=values,
        valued=len(x),
        mean=average,
        correlation=correlation,
        warnings=tuple(warnings),
    )


def value(model: Model, known: Histories, assumed: Assumptions) -> Values:
    """What each of these customers will bring, by a model that was learnt. Raises ForecastInvalid."""
    assert model.purchases is not None
    per = model.unit.days
    alive = model.purchases.alive(known.x, known.recency / per, known.age / per)
    bought, discounted = _ahead(model, known, assumed)
    if model.values is None:
        worth = np.full(len(known), model.mean)
    else:
        worth = model.values.mean(known.valued, np.maximum(known.mean, 0))
    clv = assumed.margin * worth * discounted * alive
    made = Values(alive=alive, purchases=bought * alive, worth=worth, clv=clv)
    if not all(np.all(np.isfinite(one)) for one in (made.alive, made.purchases, made.clv)):
        raise ForecastInvalid()
    return made


def _ahead(model: Model, known: Histories, assumed: Assumptions) -> tuple[Floats, Floats]:
    """Purchases in the horizon if alive, plain and discounted; computed once for each pair of x and age."""
    assert model.purchases is not None
    pairs = known.x.astype(np.int64) << _AGE_BITS | np.rint(known.age).astype(np.int64)
    distinct, place = np.unique(pairs, return_inverse=True)
    x, age = (distinct >> _AGE_BITS).astype(np.float64), (distinct & (1 << _AGE_BITS) - 1) / model.unit.days
    before = np.zeros(len(distinct))
    discounted = np.zeros(len(distinct))
    for month in range(1, assumed.horizon + 1):
        so_far = model.purchases.if_alive(month * MONTH / model.unit.days, x, age)
        discounted += (so_far - before) / (1 + assumed.discount) ** month
        before = so_far
    return before[place], discounted[place]


def _lacking(known: Histories) -> Text | None:
    if len(known) < FEWEST:
        told = {"number": format_number(len(known)), "least": format_number(FEWEST)}
        return _("Not enough data: %(number)s customers have bought, at least %(least)s are needed", **told)
    if not np.any(known.x > 0):
        return _("Not enough data: nobody has bought on a second day")
    if not np.any(known.age > 0):
        return _("Not enough data: all purchases are of one day")
    return None


def _first_worth(known: Histories) -> float:
    """The revenue of a purchase day, where no repeat purchase has a worth."""
    return max(float(known.revenue.sum() / (known.x + 1).sum()), 0.0)


def _correlation(x: Floats, mean: Floats) -> float | None:
    if len(x) < FEWEST_VALUES or np.ptp(x) == 0 or np.ptp(mean) < 1e-9:
        return None
    return float(np.corrcoef(x, mean)[0, 1])
