"""What each kind of survey asks: the questions with their usual words, the scale of the answers, and which are low."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trellis.crm.analytics.survey_scores import ASSUMPTIONS
from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import LANGUAGES, Text, translator, use_locale
from trellis.records.events import BeforeSave

_ = translator("trellis")

INTRO = _("We would like to know how we did. It takes less than a minute.")
THANKS = _("Thank you. Your answer helps us to get better.")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question: the ``field`` of the answer, its usual words, the ends of its scale, and what they mean."""

    field: str
    text: Text
    lowest: int
    highest: int
    worst: Text
    best: Text


def _of_ten(field: str, text: Text, worst: Text, best: Text) -> Question:
    return Question(field=field, text=text, lowest=1, highest=10, worst=worst, best=best)


QUESTIONS: Mapping[str, tuple[Question, ...]] = {
    "acsi": (
        _of_ten(
            "q1",
            _("All in all, how satisfied are you with us?"),
            _("Very dissatisfied"),
            _("Very satisfied"),
        ),
        _of_ten(
            "q2",
            _("How far have we met your expectations?"),
            _("Fell short of them"),
            _("Exceeded them"),
        ),
        _of_ten(
            "q3",
            _("How close are we to your ideal of such a company?"),
            _("Very far"),
            _("Very close"),
        ),
    ),
    "nps": (
        Question(
            field="nps",
            text=_("How likely are you to recommend us to friends or colleagues?"),
            lowest=0,
            highest=10,
            worst=_("Not at all likely"),
            best=_("Extremely likely"),
        ),
    ),
    "csat": (
        Question(
            field="csat",
            text=_("How satisfied are you with what we did for you?"),
            lowest=1,
            highest=5,
            worst=_("Very dissatisfied"),
            best=_("Very satisfied"),
        ),
    ),
    "ces": (
        Question(
            field="ces",
            text=_("How easy was it to get what you needed from us?"),
            lowest=1,
            highest=7,
            worst=_("Very hard"),
            best=_("Very easy"),
        ),
    ),
}
LOW: Mapping[str, float] = {"acsi": 0.4, "nps": 0.6, "csat": 0.4, "ces": 0.43}
"""What is low when nobody says so, as a share of the best answer: a detractor, two of five, three of seven."""
_NAMES = ("question", "question2", "question3")


def questions_of(edition: Edition, kind: str) -> tuple[Question, ...]:
    """The questions as the organisation counts their answers: the index has a scale of its own, CES may be turned round."""
    values = ASSUMPTIONS.of(edition)
    found = QUESTIONS[kind]
    if kind == "acsi":
        found = tuple(replace(one, highest=int(values["scale"])) for one in found)
    if kind == "ces" and not values["easy_is_high"]:
        found = tuple(replace(one, worst=one.best, best=one.worst) for one in found)
    return found


def is_low(edition: Edition, kind: str, answer: int, low_at: int | None) -> bool:
    """Whether an answer to the first question is as low as ``low_at``, or lower."""
    if low_at is None:
        return False
    if kind == "ces" and not ASSUMPTIONS.of(edition)["easy_is_high"]:
        first = QUESTIONS[kind][0]
        answer = first.lowest + first.highest - answer
    return answer <= low_at


def words(survey: Mapping[str, Any], language: str) -> dict[str, str]:
    """What is said to a customer in a language: ``intro``, ``thanks`` and the questions by their field."""
    said = {name: survey.get(f"{name}_{language}") or "" for name in ("intro", "thanks")}
    asked = zip(QUESTIONS[survey["kind"]], _NAMES, strict=False)
    return said | {one.field: survey.get(f"{name}_{language}") or str(one.text) for one, name in asked}


def complete(event: BeforeSave) -> None:
    """Fills in the usual words of a survey, and checks what is low. Words that are the usual ones follow the kind."""
    if event.action not in ("created", "updated"):
        return
    values = {**event.before, **event.values}
    before = _usual(event.edition, event.before["kind"]) if event.before else {}
    for name, text in _usual(event.edition, values["kind"]).items():
        known = values.get(name)
        if known in (None, before.get(name)) and known != text:
            event.values[name] = values[name] = text
    first = questions_of(event.edition, values["kind"])[0]
    low = values["low_at"]
    if values["opens_case"] and not first.lowest <= low <= first.highest:
        text = _("Answers go from %(low)s to %(high)s", low=first.lowest, high=first.highest)
        raise RecordInvalid({"low_at": [text]})


def _usual(edition: Edition, kind: str) -> dict[str, Any]:
    """The fields of a survey of this kind that nobody has to fill in."""
    found: dict[str, Any] = {"low_at": round(questions_of(edition, kind)[0].highest * LOW[kind])}
    for language in LANGUAGES:
        with use_locale(language):
            found |= {f"intro_{language}": str(INTRO), f"thanks_{language}": str(THANKS)}
            asked = {f"{name}_{language}": None for name in _NAMES}
            pairs = zip(_NAMES, QUESTIONS[kind], strict=False)
            found |= asked | {f"{name}_{language}": str(one.text) for name, one in pairs}
    return found
