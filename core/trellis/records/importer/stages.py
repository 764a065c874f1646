"""Stages and funnels as files call them: as the mapping says, by their values, or by their titles in any language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trellis.contributions import Lifecycle
from trellis.edition import EntityView
from trellis.i18n import LANGUAGES, use_locale
from trellis.records.entity import default_value

CLOSED: Mapping[str, Sequence[str]] = {
    "won": (
        "closed won",
        "closedwon",
        "won",
        "успешно реализовано",
        "сделка успешна",
        "выиграна",
        "выиграно",
    ),
    "lost": (
        *("closed lost", "closedlost", "lost", "закрыто и не реализовано"),
        *("сделка провалена", "проиграна", "проиграно"),
    ),
}
"""What other programs call the stages in which all ends well, or badly."""


def stages(lifecycles: Iterable[Lifecycle], meant: Mapping[str, str]) -> dict[str, str]:
    """The stages of lifecycles by what a file may call them, without capitals; of a name of several, that of the first."""
    every = list(lifecycles)[::-1]
    known = {
        word: one.value for each in every for one in each.stages[::-1] for word in CLOSED.get(one.kind, ())
    }
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(one.title).casefold(): one.value for each in every for one in each.stages}
    known |= {one.value.casefold(): one.value for each in every for one in each.stages}
    return known | {name.strip().casefold(): stage for name, stage in meant.items()}


def namer(view: EntityView, meant: Mapping[str, str]) -> Callable[[dict[str, Any]], None]:
    """What puts values in the place of the names of a funnel and of a stage; what is none of them is left to the door."""
    if not view.lifecycles:
        return lambda found: None
    which = view.lifecycles[0].when
    there = funnels(view.lifecycles)
    usual = {which[0]: default_value(view.fields[which[0]])} if which and which[0] in view.fields else {}
    known = {
        one.name: stages([one, *(other for other in view.lifecycles if other is not one)], meant)
        for one in view.lifecycles
    }

    def name(found: dict[str, Any]) -> None:
        if which is not None and which[0] in found:
            found[which[0]] = there.get(str(found[which[0]]).casefold(), found[which[0]])
        lifecycle = view.lifecycle({**usual, **found}) or view.lifecycles[0]
        if lifecycle.field in found:
            said = str(found[lifecycle.field]).strip()
            found[lifecycle.field] = known[lifecycle.name].get(said.casefold(), said)

    return name


def funnels(lifecycles: Iterable[Lifecycle]) -> dict[str, str]:
    """The values of the field that lifecycles follow by what a file may call them, without capitals."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(one.title).casefold(): one.when[1] for one in lifecycles if one.when}
    return known | {one.when[1].casefold(): one.when[1] for one in lifecycles if one.when}
