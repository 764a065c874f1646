"""What can be chosen on a page of analytics: links that keep what else the address asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import g, request

from trellis.crm.analytics.answers import Question, analytics_named
from trellis.i18n import Text, translator
from trellis.kpi.periods import Grain, containing
from trellis.web.widgets import today

_ = translator("trellis")

_OF_FILES = ("table", "format")


def asked(name: str) -> Question:
    """What the address asks of an analytics. Raises OptionInvalid."""
    analytics = analytics_named(name)
    given = {one.name: request.args[one.name] for one in analytics.options if request.args.get(one.name)}
    return Question(session=g.session, edition=g.edition, actor=g.actor, options=analytics.read(given))


def choices(
    name: str, label: Text, known: Iterable[tuple[str, Text | str]], usual: str = ""
) -> dict[str, Any]:
    """One group of links: values of the option ``name`` with their titles; ``usual`` is what no value means."""
    kept = {key: value for key, value in request.args.items() if key not in (name, *_OF_FILES) and value}
    current = request.args.get(name) or usual
    links = [
        {
            "title": str(title),
            "url": f"?{urlencode({**kept, name: value} if value != usual else kept)}",
            "current": value == current,
        }
        for value, title in known
    ]
    return {"label": str(label), "links": links}


def periods() -> dict[str, Any]:
    """The last twelve months, this year and two before, and this quarter; another that the address names."""
    fiscal_month = g.edition.settings.fiscal_month
    year, quarter = (containing(today(), grain, fiscal_month) for grain in (Grain.YEAR, Grain.QUARTER))
    known: dict[str, Text | str] = {"": _("12 months")}
    known |= {one.code: one.label for one in (year.shifted(-2), year.shifted(-1), year, quarter)}
    given = request.args.get("period", "")
    return choices("period", _("Period"), {**known, given: known.get(given, given)}.items())


def measures() -> dict[str, Any]:
    """By margin, by revenue, or by what is known."""
    known: Mapping[str, Text] = {"": _("What is known"), "margin": _("Margin"), "revenue": _("Revenue")}
    return choices("measure", _("Measure"), known.items())
