"""Satisfaction (AN2): the index of three questions in the manner of ACSI and ECSI, NPS, CSAT, CES, and what drives them.

Index: ``100 * (sum of w * mean - sum of w) / ((scale - 1) * sum of w)``, 0 to 100. The weights are equal, the
organisation's, or estimated: the first component of the three answers (as PLS finds it for one factor), divided by the
deviation of each answer and made to sum up to one; with too few answers, or answers that do not vary, equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.crm.analytics.drivers import Driver, drivers_of
from trellis.crm.analytics.survey_answers import (
    DRIVERS,
    NO_ANSWERS,
    PRODUCT,
    QUESTIONS,
    SEGMENT,
    TIER,
    Asked,
    Moments,
    completed,
    has_index,
    last_answers,
    moment_columns,
    moments_of,
    on_scale,
    split_key,
)
from trellis.crm.analytics.survey_scores import (
    ASSUMPTIONS,
    COUNTS,
    Score,
    Scores,
    index_of,
    scores_json,
    scores_of,
    weights_of,
)
from trellis.crm.analytics.window import Window
from trellis.crm.customers.entities import TIERS
from trellis.crm.customers.surveys import MEASURES, SatisfactionBenchmark, SurveyAnswer
from trellis.crm.products.entities import Product
from trellis.edition import Edition
from trellis.errors import PermissionRefused
from trellis.i18n import translator
from trellis.naming import names
from trellis.records.bulk import among
from trellis.security.actor import Actor

_ = translator("trellis")


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What the organisation entered to be held against."""

    measure: str
    value: float
    name: str
    source: str
    period: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """The figures of one segment, tier, channel or product."""

    key: str | int
    title: str
    scores: Scores

    @property
    def answers(self) -> int:
        """How many answers there are to the figure that has most."""
        scores = self.scores
        return max(one.n for one in (scores.index, scores.nps, scores.csat, scores.ces))


@dataclass(frozen=True, kw_only=True)
class Satisfaction:
    """Satisfaction in a window. ``weights`` are those of the index, ``weighted`` says where they come from."""

    window: Window
    scores: Scores
    responses: int
    incomplete: int
    weights: tuple[float, ...]
    weighted: str
    fewest: int
    means: tuple[float, ...]
    drivers: tuple[Driver, ...]
    benchmarks: tuple[Benchmark, ...]
    by: str
    parts: tuple[Part, ...]

    def to_json(self) -> dict[str, Any]:
        """The answer of ``analytics satisfaction``, but for its assumptions."""
        reason = None if self.scores.index.value is not None else str(self.reason)
        return {
            "from": self.window.first.isoformat(),
            "to": self.window.last.isoformat(),
            "index": self.scores.index.value,
            "responses": self.responses,
            "nps": self.scores.nps.value,
            "csat": self.scores.csat.value,
            "ces": self.scores.ces.value,
            "reason": reason,
            "incomplete": self.incomplete,
            "weights": dict(zip(QUESTIONS, self.weights, strict=True)),
            "weighted": self.weighted,
            "means": dict(zip(QUESTIONS, self.means, strict=True)) if self.means else None,
            "details": scores_json(self.scores),
            "drivers": [
                {"driver": one.name, "n": one.n, "r": one.r, "beta": one.beta} for one in self.drivers
            ],
            "benchmarks": [
                {
                    "measure": one.measure,
                    "value": one.value,
                    "difference": self._difference(one),
                    "name": one.name,
                    "source": one.source,
                    "period": one.period,
                }
                for one in self.benchmarks
            ],
            "by": self.by,
            f"by_{self.by}": [
                {
                    self.by: one.key,
                    "title": one.title,
                    "responses": one.scores.index.n,
                    "index": one.scores.index.value,
                    "nps": one.scores.nps.value,
                    "csat": one.scores.csat.value,
                    "ces": one.scores.ces.value,
                }
                for one in self.parts
            ],
        }

    @property
    def reason(self) -> Any:
        """Why there is no index."""
        return _(
            "Not enough data: %(given)s of %(fewest)s answers",
            given=self.scores.index.n,
            fewest=self.fewest,
        )

    def benchmark(self, measure: str) -> Benchmark | None:
        """What a figure is held against."""
        return next((one for one in self.benchmarks if one.measure == measure), None)

    def _difference(self, one: Benchmark) -> float | None:
        own: float | None = getattr(self.scores, one.measure).value
        if own is None:
            return None
        return round((own * 100 if one.measure == "csat" else own) - one.value, 4)


def satisfaction(
    session: Session,
    edition: Edition,
    actor: Actor,
    window: Window,
    by: str = SEGMENT,
    survey: int | None = None,
) -> Satisfaction:
    """Satisfaction by the answers that the reader may see; by those to one survey when it is given."""
    require_answers(edition, actor, by)
    values = ASSUMPTIONS.of(edition)
    asked = Asked(session, actor.sees(edition), actor, (window,), values, survey)
    whole = index_moments(asked).get(0, NO_ANSWERS)
    weights = weights_of(whole, values)
    given = session.scalar(sa.select(sa.func.count()).select_from(last_answers(asked, has_index()))) or 0
    return Satisfaction(
        window=window,
        scores=scores_of(whole, _counts(asked, None).get(None), weights.values, values),
        responses=whole.n,
        incomplete=given - whole.n,
        weights=tuple(round(one, 6) for one in weights.values),
        weighted=weights.origin,
        fewest=values["fewest"],
        means=tuple(round(float(whole.mean(index)), 6) for index in range(3)) if whole.n else (),
        drivers=tuple(drivers_of(asked, weights.values)),
        benchmarks=tuple(_benchmarks(session, actor, window)),
        by=by,
        parts=tuple(_parts(asked, by, weights.values)),
    )


def survey_scores(session: Session, edition: Edition, actor: Actor, window: Window, survey: int) -> Scores:
    """The four figures of one survey alone."""
    require_answers(edition, actor)
    values = ASSUMPTIONS.of(edition)
    asked = Asked(session, actor.sees(edition), actor, (window,), values, survey)
    whole = index_moments(asked).get(0, NO_ANSWERS)
    weights = weights_of(whole, values).values
    return scores_of(whole, _counts(asked, None).get(None), weights, values)


def index_series(
    session: Session,
    edition: Edition,
    actor: Actor,
    windows: Sequence[Window],
    survey: int | None = None,
) -> list[Score]:
    """The index of windows that follow each other, each with the last answer of each customer in it."""
    require_answers(edition, actor)
    values = ASSUMPTIONS.of(edition)
    whole = Window(windows[0].first, windows[-1].end)
    seen = actor.sees(edition)
    weights = weights_of(
        index_moments(Asked(session, seen, actor, (whole,), values, survey)).get(0, NO_ANSWERS), values
    )
    found = index_moments(Asked(session, seen, actor, tuple(windows), values, survey))
    return [index_of(found.get(place, NO_ANSWERS), weights.values, values) for place in range(len(windows))]


def require_answers(edition: Edition, actor: Actor, by: str = "") -> None:
    """Raises PermissionRefused for who may not read the answers, all of their scores, or what they are split by."""
    actor.require("survey_answer", "read")
    seen = actor.sees(edition)
    fields = seen.entity("survey_answer").fields
    if not {*QUESTIONS, *DRIVERS, "nps", "csat", "ces", "channel", "customer"} <= fields.keys():
        raise PermissionRefused()
    if by == PRODUCT and not (
        PRODUCT in fields and actor.may("product", "read") and "name" in seen.entity("product").fields
    ):
        raise PermissionRefused()
    if by == TIER and TIER not in seen.entity("customer").fields:
        raise PermissionRefused()


def index_moments(asked: Asked) -> dict[int, Moments]:
    """The moments of the three questions in each window."""
    answer = last_answers(asked, has_index())
    figures, complete = completed(answer, asked.values["incomplete"])
    query = sa.select(answer.c.slot, *moment_columns(figures)).where(complete, on_scale(answer, asked.values))
    return {row.slot: moments_of(row, 3, 2) for row in asked.session.execute(query.group_by(answer.c.slot))}


def _counts(asked: Asked, by: str | None) -> dict[Any, dict[str, int]]:
    """Counts for NPS, CSAT and CES by the key of a split; under None where there is none."""
    found: dict[Any, dict[str, int]] = {}
    for name, columns in _COUNTED.items():
        answer = last_answers(asked, getattr(SurveyAnswer, name).is_not(None), by)
        score: Any = answer.c[name]
        if name == "ces" and not asked.values["easy_is_high"]:
            score = 8 - score
        query = sa.select(*(one.label(key) for key, one in columns(score).items())).select_from(answer)
        if by is None:
            query = query.add_columns(sa.null().label("key"))
        else:
            key, joined = split_key(asked, answer, by)
            query = query.add_columns(key.label("key")).where(*joined).group_by(key)
        for row in asked.session.execute(query):
            counts = dict(row._mapping)
            known = found.setdefault(counts.pop("key"), dict.fromkeys(COUNTS, 0))
            known.update({column: int(value or 0) for column, value in counts.items()})
    return found


def _count_if(condition: Any) -> Any:
    return sa.func.count(sa.case((condition, 1)))


_COUNTED: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "nps": lambda score: {
        "nps_n": sa.func.count(),
        "promoters": _count_if(score >= 9),
        "detractors": _count_if(score <= 6),
    },
    "csat": lambda score: {"csat_n": sa.func.count(), "csat_top": _count_if(score >= 4)},
    "ces": lambda score: {
        "ces_n": sa.func.count(),
        "ces_sum": sa.func.sum(score),
        "ces_easy": _count_if(score >= 5),
    },
}


def _parts(asked: Asked, by: str, weights: Sequence[float]) -> list[Part]:
    answer = last_answers(asked, has_index(), by)
    figures, complete = completed(answer, asked.values["incomplete"])
    key, joined = split_key(asked, answer, by)
    query = sa.select(key.label("key"), *moment_columns(figures)).select_from(answer)
    query = query.where(complete, on_scale(answer, asked.values), *joined).group_by(key)
    indexed = {row.key: moments_of(row, 3, 2) for row in asked.session.execute(query)}
    counts = _counts(asked, by)
    titles = _titles(asked, by, {**indexed, **counts})
    parts = [
        Part(
            key=name,
            title=titles.get(name, str(name)),
            scores=scores_of(indexed.get(name, NO_ANSWERS), counts.get(name), weights, asked.values),
        )
        for name in {**indexed, **counts}
    ]
    return sorted(parts, key=lambda one: (-one.answers, one.title))


def _titles(asked: Asked, by: str, keys: Iterable[Any]) -> dict[Any, str]:
    if by == SEGMENT:
        return {name: str(one.title) for name, one in asked.edition.all(Segment).items()}
    if by == TIER:
        return {one.value: str(one.label) for one in TIERS}
    if by == PRODUCT:
        named = sa.select(Product.id, Product.name).where(among(asked.session, Product.id, list(keys)))
        return {row.id: row.name for row in asked.session.execute(named)}
    return {key: str(title) for key, title in names(asked.edition, by).items()}


def _benchmarks(session: Session, actor: Actor, window: Window) -> list[Benchmark]:
    """Of each measure what was entered last for the end of the window."""
    if not actor.may("satisfaction_benchmark", "read"):
        return []
    entity = SatisfactionBenchmark
    query = (
        sa.select(entity)
        .where(entity.deleted_at.is_(None), actor.visible(entity), entity.since <= window.last)
        .order_by(entity.since.desc(), entity.id.desc())
    )
    latest: dict[str, Benchmark] = {}
    for one in session.scalars(query):
        known = Benchmark(
            measure=one.measure,
            value=float(one.value),
            name=one.name,
            source=one.source,
            period=one.period or "",
        )
        latest.setdefault(one.measure, known)
    return [latest[option.value] for option in MEASURES if option.value in latest]
