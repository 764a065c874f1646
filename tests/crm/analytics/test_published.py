"""The models give what their authors published.

BG/NBD: Fader, Hardie & Lee, Marketing Science 24(2), 2005, on one in ten customers of CDNOW (tests/data/cdnow). Gamma-Gamma:
Fader & Hardie, note 25, 2013. Digits beyond the published ones are those of the package lifetimes 0.11.3 on the same data.
sBG: Fader & Hardie, J. Interactive Marketing 21(1), 2007.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from trellis.crm.analytics import bgnbd, gamma_gamma, lifetime
from trellis.crm.analytics.bgnbd import BgNbd
from trellis.crm.analytics.formula import DoesNotConverge, Formula, kept_revenue
from trellis.crm.analytics.gamma_gamma import GammaGamma
from trellis.crm.analytics.histories import Histories
from trellis.crm.analytics.lifetime import Assumptions, Unit
from trellis.crm.analytics.survival import Durations, at, fit_sbg, kaplan_meier, median

CDNOW = Path(__file__).parents[2] / "data" / "cdnow" / "summary.csv"
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return pd.read_csv(CDNOW)


def test_bg_nbd_finds_the_published_parameters(cdnow: pd.DataFrame) -> None:
    found = bgnbd.fit(cdnow.x, cdnow.t_x, cdnow["T"])
    assert [found.r, found.alpha, found.a, found.b] == pytest.approx([0.243, 4.414, 0.793, 2.426], rel=0.01)
    assert found.log_likelihood == pytest.approx(-9582.4256, abs=1e-3)
    ahead = found.expected(39, cdnow.x, cdnow.t_x, cdnow["T"])
    assert ahead[[0, 1, 2, 5, 1515]] == pytest.approx(
        [1.225910, 0.203251, 0.194781, 3.337240, 20.75057], rel=1e-5
    )
    assert ahead.sum() == pytest.approx(1653.4233, abs=0.01)
    alive = found.alive(cdnow.x, cdnow.t_x, cdnow["T"])
    assert alive[[0, 1, 2, 5]] == pytest.approx([0.726609, 0.212227, 1, 0.641801], abs=1e-5)


def test_bg_nbd_expects_the_published_sales() -> None:
    assert PUBLISHED.expected(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=5e-4)
    assert PUBLISHED.alive(2, 30.43, 38.86) == pytest.approx(0.72658, abs=1e-5)
    sales = PUBLISHED.of_new([1, 13, 39, 52, 78])
    assert sales == pytest.approx([0.0532679, 0.5344395, 1.1967232, 1.4460506, 1.8605191], abs=1e-6)


def test_bg_nbd_stays_finite_where_formulas_have_holes() -> None:
    x, tx, age = np.array([0, 1, 50, 900.0]), np.array([0, 0, 30, 500.0]), np.array([0, 30, 30, 520.0])
    for a in (1e-4, 0.5, 1.0, 1 + 1e-9, 3, 8000):
        for b in (1e-4, 0.5, 1.0, 8000):
            model = BgNbd(r=0.3, alpha=3, a=a, b=b)
            for t in (0, 1, 52, 521):
                ahead, alive = model.expected(t, x, tx, age), model.alive(x, tx, age)
                assert np.all(np.isfinite(ahead)) and np.all(ahead >= 0), (a, b, t)
                assert np.all((alive >= 0) & (alive <= 1))


def test_customers_who_all_buy_every_week_do_not_run_away() -> None:
    x = np.full(500, 50.0)
    found = bgnbd.fit(x, x, x)
    assert found.at_bound
    assert found.expected(10, 50, 50, 50) == pytest.approx(10, rel=0.05)


def test_gamma_gamma_finds_the_published_parameters(cdnow: pd.DataFrame) -> None:
    again = cdnow[cdnow.x > 0]
    assert len(again) == 946
    found = gamma_gamma.fit(again.x, again.zbar)
    assert [found.p, found.q, found.v] == pytest.approx([6.25, 3.74, 15.44], rel=0.01)
    worth = GammaGamma(p=6.25, q=3.74, v=15.44).mean([2, 7, 0], [22.35, 73.74, 0])
    assert worth == pytest.approx([24.663714, 71.469671, 35.218978], abs=1e-6)
    rich = gamma_gamma.fit(again.x, again.zbar * 1e6)  # the unit of money changes nothing
    assert [rich.p, rich.q, rich.v / 1e6] == pytest.approx([found.p, found.q, found.v], rel=1e-3)


def test_lifetime_value_is_that_of_lifetimes(cdnow: pd.DataFrame) -> None:
    zero = np.zeros(len(cdnow))
    known = Histories(
        until=date(1997, 9, 30),
        id=cdnow.ID.to_numpy(),
        x=cdnow.x.to_numpy(float),
        recency=cdnow.t_x.to_numpy() * 7,
        age=cdnow["T"].to_numpy() * 7,
        valued=cdnow.x.to_numpy(float),
        mean=cdnow.zbar.to_numpy(),
        revenue=zero,
        costed=zero,
        margin=zero,
    )
    model = lifetime.learn(known, Unit.WEEK)
    found = lifetime.value(model, known, Assumptions(horizon=12, discount=0.01, margin=1))
    assert found.clv[[0, 1, 2, 5]] == pytest.approx([36.2785, 4.6375, 8.3441, 283.5236], rel=1e-4)
    assert found.clv.sum() == pytest.approx(71_509.90, rel=1e-5)
    by_day = lifetime.value(lifetime.learn(known, Unit.DAY), known, Assumptions())
    assert by_day.clv.sum() == pytest.approx(found.clv.sum(), rel=1e-3)
    half = lifetime.value(model, known, Assumptions(margin=0.5))
    assert half.clv.sum() == pytest.approx(found.clv.sum() / 2)


def test_formulas_give_the_worked_examples() -> None:
    usual = Formula(margin=100, retention=0.8, discount=0.1)
    assert (usual.following(), usual.including()) == pytest.approx((266.6667, 366.6667), abs=1e-4)
    assert Formula(margin=100, retention=0.8, discount=0.1, growth=0.03).following() == pytest.approx(
        289.8551, abs=1e-4
    )
    assert Formula(margin=100, retention=0.8, discount=0.1, periods=5).following() == pytest.approx(
        212.4097, abs=1e-4
    )
    assert Formula(margin=500 * 0.3, retention=0.8, discount=0).simple == pytest.approx(750)
    assert Formula(margin=100, retention=0.8, discount=0.1, acquisition=66.6667).net() == pytest.approx(300)
    assert Formula(margin=-10, retention=0.8, discount=0.1).following() < 0
    assert Formula(margin=100, retention=1, discount=0).simple is None
    for endless in ({"retention": 1, "discount": 0}, {"retention": 0.9, "discount": 0, "growth": 0.2}):
        with pytest.raises(DoesNotConverge):
            Formula(margin=100, **endless).following()
    assert Formula(margin=100, retention=1, discount=0, periods=3).following() == pytest.approx(300)
    now, then = kept_revenue(1000, 100, 0.8, 5), kept_revenue(1000, 100, 0.85, 5)
    assert (now, then, then / now - 1) == pytest.approx((336_160, 370_863.1, 0.1032), abs=0.1)


def test_kaplan_meier_gives_the_worked_example() -> None:
    points = kaplan_meier(Durations(lost={1: 1, 2: 2, 3: 1}, here={4: 1, 5: 1}))
    assert [share for _time, share in points] == pytest.approx([0.8333, 0.5, 0.3333], abs=1e-4)
    assert (median(points), at(points, 0.5), at(points, 9)) == (2, 1.0, pytest.approx(1 / 3))
    assert kaplan_meier(Durations(lost={}, here={})) == []
    assert median(kaplan_meier(Durations(lost={3: 1}, here={9: 9}))) is None


@pytest.mark.parametrize(
    "there, alpha, beta, height",
    [
        ([1000, 869, 743, 653, 593, 551, 517, 491], 0.668, 3.806, -1611.16),
        ([1000, 631, 468, 382, 326, 289, 262, 241], 0.704, 1.182, -1680.27),
    ],
)
def test_sbg_finds_the_published_parameters(
    there: list[int], alpha: float, beta: float, height: float
) -> None:
    lost = {year: before - after for year, (before, after) in enumerate(pairwise(there), 1)}
    found = fit_sbg(lost, {7: there[-1]})
    assert (found.alpha, found.beta) == pytest.approx((alpha, beta), abs=1e-3)
    assert found.log_likelihood == pytest.approx(height, abs=0.01)
    if alpha == 0.668:
        assert found.retention(1) == pytest.approx(0.85069, abs=1e-4)
    assert found.survival(7) == pytest.approx(there[-1] / 1000, abs=0.02)
