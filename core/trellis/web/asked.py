"""Options of the analytics in the address of a page, and the form that sets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, request

from trellis.crm.analytics.answers import Question, analytics_named
from trellis.crm.analytics.options import Option, OptionInvalid
from trellis.i18n import Text

_INPUTS = {"integer": "number", "number": "number", "string": "text"}


@dataclass(frozen=True)
class AskedPage:
    """What a page is asked, and its form. With a mistake in it, the question has the defaults."""

    question: Question
    fields: list[dict[str, Any]]
    hidden: Mapping[str, str]


def asked_page(name: str, labels: Mapping[str, Text], kept: Sequence[str] = ()) -> AskedPage:
    """The question of the address; ``labels`` name the options that the form has, in their order.

    Those in ``kept`` are chosen elsewhere on the page, and the form keeps them. Raises OptionInvalid for one of them.
    """
    analytics = analytics_named(name)
    hidden = {key: request.args[key] for key in kept if request.args.get(key, "").strip()}
    given = {key: request.args[key] for key in labels if request.args.get(key, "").strip()}
    wrong: dict[str, str] = {}
    for option in analytics.options:
        if option.name in given:
            try:
                option.read(given[option.name])
            except OptionInvalid as error:
                wrong[option.name] = str(error)
    options = analytics.read(hidden if wrong else {**hidden, **given})
    known = {option.name: option for option in analytics.options}
    fields = [_field(known[key], label, given.get(key), wrong.get(key)) for key, label in labels.items()]
    question = Question(session=g.session, edition=g.edition, actor=g.actor, options=options)
    return AskedPage(question, fields, hidden)


def _field(option: Option, label: Text, given: str | None, wrong: str | None) -> dict[str, Any]:
    kind = "date" if option.schema.get("format") == "date" else _INPUTS[option.schema["type"]]
    return {
        "name": option.name,
        "label": str(label),
        "help": "" if str(option.help).startswith(str(label)) else str(option.help),
        "kind": kind,
        "value": given if given is not None else _text(option.default),
        "lowest": option.schema.get("minimum"),
        "highest": option.schema.get("maximum"),
        "wrong": wrong,
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
