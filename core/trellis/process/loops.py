"""Elements that run several times: what they run over, what each run has found out by itself, and what is gathered.

What a run sets is its own: other runs do not see it, and it is gone when all have ended. ``gather.<list>`` keeps of each run
the value of an expression, in the order in which runs end. ``loop.number``, ``loop.total``, ``loop.done`` and ``loop.item``
tell a run where it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.process.diagram import Element
from trellis.process.elements import GATHER
from trellis.process.expressions import compile_expression
from trellis.process.flow import Ran, StepFailed
from trellis.process.notation import Several
from trellis.process.variables import InstanceFacts, from_kept, to_kept
from trellis.records.expressions import ExpressionFailed
from trellis.records.types import Reference

_ = translator("trellis")

KEPT = "_loops"
"""The variable that holds them."""
ABOUT_LOOP = ("number", "total", "done", "item")
MOST_RUNS = 500


def lines_of(edition: Edition, text: str) -> tuple[str, str]:
    """The entity and its reference that ``order_line.order`` names. Raises ValueError."""
    entity, _mark, name = text.rpartition(".")
    view = edition.entities.get(entity)
    if view is None or name not in view.fields or not isinstance(view.fields[name].type, Reference):
        raise ValueError(
            _(
                "“lines” names an entity and its reference to the record: order_line.order, not “%(text)s”",
                text=text,
            )
        )
    return entity, name


class Loops:
    """What is kept of the elements of one instance that run several times just now."""

    def __init__(self, kept: Mapping[str, Any], elements: Mapping[str, Element]) -> None:
        self.kept: dict[str, Any] = {key: {**one, "runs": dict(one["runs"])} for key, one in kept.items()}
        self._elements = elements

    def begin(self, loop: str, items: Sequence[Any] | int, entity: str = "") -> int:
        """Notes what an element runs over; how often it runs."""
        total = items if isinstance(items, int) else len(items)
        kept = {} if isinstance(items, int) else to_kept({"items": list(items)})
        self.kept[loop] = {"total": total, "entity": entity, "runs": {}, **kept}
        return total

    def names(self, runs: Sequence[Ran], variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables as a run sees them: its own before those around it."""
        found = dict(variables)
        for ran in reversed(runs):
            found[self._several(ran).item] = self._item(ran)
            found |= from_kept(self._kept(ran)["runs"].get(ran.key, {}))
        return found

    def records(self, runs: Sequence[Ran]) -> Iterator[tuple[str, tuple[str, int]]]:
        """The records that runs are about, by name."""
        for ran in reversed(runs):
            if entity := self._kept(ran)["entity"]:
                yield self._several(ran).item, (entity, self._item(ran))

    def about(self, runs: Sequence[Ran]) -> dict[str, Any]:
        """What ``loop`` tells of the innermost run."""
        if not runs:
            return {}
        ran, kept = runs[0], self._kept(runs[0])
        return {"number": ran.number + 1, "total": kept["total"], "done": ran.done, "item": self._item(ran)}

    def set(self, runs: Sequence[Ran], variables: dict[str, Any], values: Mapping[str, Any]) -> None:
        """Sets variables of the innermost run, or those of the instance where there is none."""
        if not runs:
            variables |= values
            return
        own = self._kept(runs[0])["runs"]
        own[runs[0].key] = own.get(runs[0].key, {}) | to_kept(values)

    def end_others(self, going_on: Collection[str]) -> None:
        """Forgets the elements all of whose runs have ended."""
        for loop in [one for one in self.kept if one not in going_on]:
            del self.kept[loop]

    def _several(self, ran: Ran) -> Several:
        known = self._elements[ran.element].several
        return known or Several()

    def _kept(self, ran: Ran) -> dict[str, Any]:
        """What is kept of an element; it may have been forgotten with what was said about a person."""
        kept: dict[str, Any] = self.kept.setdefault(ran.loop, {"total": 0, "entity": "", "runs": {}})
        return kept

    def _item(self, ran: Ran) -> Any:
        items = self._kept(ran).get("items")
        return from_kept({"item": items[ran.number]})["item"] if items is not None else ran.number + 1


def over(element: Element, facts: InstanceFacts) -> tuple[Sequence[Any] | int, str]:
    """What an element runs over, as far as an instance knows by now: a list or a number; the entity of its records.

    Raises StepFailed.
    """
    several = element.several or Several()
    if several.lines:
        entity, name = lines_of(facts.edition, several.lines)
        return _checked(element, facts.referring(entity, name, MOST_RUNS + 1)), entity
    try:
        value = compile_expression(several.each)(facts)
    except ExpressionFailed as error:
        raise StepFailed(element.id, str(error)) from error
    return _checked(element, value), ""


def _checked(element: Element, value: Any) -> Sequence[Any] | int:
    if isinstance(value, list | tuple):
        number: Any = len(value)
    else:
        number = value
    if isinstance(number, bool) or not hasattr(number, "__int__") or number != int(number) or number < 0:
        raise StepFailed(
            element.id, str(_("“%(value)s” is no list and no number of runs", value=str(value)[:100]))
        )
    if number > MOST_RUNS:
        text = _("An element runs at most %(number)s times", number=MOST_RUNS)
        raise StepFailed(element.id, str(text))
    return value if isinstance(value, list | tuple) else int(number)


def gathered(element: Element) -> Iterator[tuple[str, str]]:
    """The lists that an element gathers, with the expression whose value each run adds."""
    for name, text in element.properties.items():
        if name.startswith(GATHER):
            yield name.removeprefix(GATHER), text.removeprefix("=")


def gather(element: Element, facts: InstanceFacts) -> dict[str, Any]:
    """What a run of an element adds to each list. Raises StepFailed."""
    try:
        return {name: compile_expression(text)(facts) for name, text in gathered(element)}
    except (ExpressionFailed, TrellisError) as error:
        raise StepFailed(element.id, str(error)) from error
