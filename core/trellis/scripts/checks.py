"""What is wrong with a script, beside the step where it is: told when the edition is built, and in the editor."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trellis.contributions import Script, ScriptAnswer, ScriptObjection, ScriptStep
from trellis.edition import Edition, EntityView
from trellis.i18n import Text, translator
from trellis.letters.templates import problem_of
from trellis.records.entity import Field
from trellis.records.types import Json, Reference, ValueInvalid
from trellis.scripts.content import KEY, MOST_ANSWERS, MOST_STEPS

_ = translator("trellis")


@dataclass(frozen=True)
class ScriptFault:
    """Something that keeps a script from being run: at a ``step`` and an answer or objection of it; empty for the whole."""

    step: str
    part: str
    text: Text | str


def check_script(edition: Edition, script: Script) -> None:
    """Raises ValueError that tells the first fault."""
    for fault in faults_of(edition, script):
        place = " / ".join(part for part in (script.name, fault.step, fault.part) if part)
        raise ValueError(f"{place}: {fault.text}")


def faults_of(edition: Edition, script: Script) -> list[ScriptFault]:
    """All faults, in the order of the steps; none in a script that can be run to an outcome from wherever one is."""
    views = [edition.entities.get(name) for name in script.entities]
    known = [view for view in views if view is not None]
    whole = [*_of_whole(script, known), *_of_objections("", script.objections, edition, known)]
    reached, ending = _reached(script), _ending(script)
    for step in script.steps:
        whole += _of_step(script, step, edition, known)
        if step.key not in reached:
            whole.append(ScriptFault(step.key, "", _("No answer leads to this step")))
        if step.answers and step.key not in ending:
            whole.append(ScriptFault(step.key, "", _("There is no way from here to an outcome")))
    return whole


def _of_whole(script: Script, views: list[EntityView]) -> Iterator[ScriptFault]:
    if not str(script.title).strip():
        yield ScriptFault("", "", _("Give the script a name"))
    if not script.entities:
        yield ScriptFault("", "", _("Say beside which records it runs"))
    missing = set(script.entities) - {view.name for view in views}
    for name in sorted(missing):
        yield ScriptFault("", "", _("There is no entity “%(entity)s”", entity=name))
    if not script.steps:
        yield ScriptFault("", "", _("It has no steps"))
    if len(script.steps) > MOST_STEPS:
        yield ScriptFault("", "", _("It has more than %(most)s steps", most=MOST_STEPS))
    if not script.outcomes:
        yield ScriptFault("", "", _("It has no outcomes"))
    yield from _of_keys("", (one.key for one in script.steps))
    yield from _of_keys("", (one.key for one in script.outcomes))
    for one in script.outcomes:
        if not str(one.title).strip():
            yield ScriptFault("", one.key, _("Give the outcome a name"))


def _of_keys(step: str, keys: Iterable[str]) -> Iterator[ScriptFault]:
    for key, number in Counter(keys).items():
        if number > 1:
            yield ScriptFault(step, key, _("The key “%(key)s” is there more than once", key=key))
        if not re.fullmatch(KEY, key):
            text = _(
                "A key has small latin letters, digits and _, and begins with a letter: %(key)s", key=key
            )
            yield ScriptFault(step, key, text)


def _of_step(
    script: Script, step: ScriptStep, edition: Edition, views: list[EntityView]
) -> Iterator[ScriptFault]:
    if not str(step.say).strip():
        yield ScriptFault(step.key, "", _("Say what is said here"))
    yield from _of_text(step.key, "", str(step.say), edition, views)
    if not step.answers:
        yield ScriptFault(step.key, "", _("It has no answers: nothing leads on from here"))
    if len(step.answers) > MOST_ANSWERS:
        yield ScriptFault(step.key, "", _("It has more than %(most)s answers", most=MOST_ANSWERS))
    yield from _of_keys(step.key, [*(a.key for a in step.answers), *(o.key for o in step.objections)])
    for answer in step.answers:
        for text in _of_answer(script, answer, views):
            yield ScriptFault(step.key, answer.key, text)
    yield from _of_objections(step.key, step.objections, edition, views)


def _of_objections(
    step: str, objections: Iterable[ScriptObjection], edition: Edition, views: list[EntityView]
) -> Iterator[ScriptFault]:
    for one in objections:
        if not str(one.title).strip() or not str(one.reply).strip():
            yield ScriptFault(step, one.key, _("An objection has words of its own and a reply"))
        yield from _of_text(step, one.key, str(one.reply), edition, views)


def _of_text(
    step: str, part: str, text: str, edition: Edition, views: list[EntityView]
) -> Iterator[ScriptFault]:
    for view in views:
        problem = problem_of(edition, view.name, text)
        if problem:
            yield ScriptFault(step, part, problem)
            return


def _of_answer(script: Script, answer: ScriptAnswer, views: list[EntityView]) -> Iterator[Text | str]:
    if not str(answer.title).strip():
        yield _("Give the answer its words")
    if bool(answer.to) is bool(answer.outcome):
        yield _("An answer leads to a step or ends with an outcome, one of the two")
    elif answer.to and answer.to not in {one.key for one in script.steps}:
        yield _("There is no step “%(key)s”", key=answer.to)
    elif answer.outcome and answer.outcome not in {one.key for one in script.outcomes}:
        yield _("There is no outcome “%(key)s”", key=answer.outcome)
    if not answer.fills:
        if answer.value is not None:
            yield _("Name the field that the value is for")
        return
    found = [view.fields[answer.fills] for view in views if answer.fills in view.fields]
    if not found and views:
        yield _("There is no field “%(field)s”", field=answer.fills)
    for declared in found:
        yield from _of_field(declared, answer.value)


def _of_field(declared: Field, value: Any) -> Iterator[Text | str]:
    label = declared.label
    if declared.read_only or isinstance(declared.type, Json):
        yield _("“%(field)s” is kept by Trellis", field=label)
    elif value is not None and not isinstance(value, str | int | float | bool):
        yield _("A text, a number, true or false")
    elif value is not None and isinstance(declared.type, Reference):
        yield _("“%(field)s” is another record: let it be chosen", field=label)
    elif value is not None:
        try:
            declared.type.check(value)
        except ValueInvalid as error:
            yield _("“%(field)s”: %(problem)s", field=label, problem=error.message)


def _reached(script: Script) -> set[str]:
    """The steps that a conversation can come to."""
    ways = {step.key: {one.to for one in step.answers if one.to} for step in script.steps}
    return _spread({script.steps[0].key} if script.steps else set(), ways)


def _ending(script: Script) -> set[str]:
    """The steps from which there is a way to an outcome."""
    back: dict[str, set[str]] = {}
    for step in script.steps:
        for one in step.answers:
            if one.to:
                back.setdefault(one.to, set()).add(step.key)
    known = {one.key for one in script.outcomes}
    return _spread({s.key for s in script.steps if any(a.outcome in known for a in s.answers)}, back)


def _spread(found: set[str], ways: Mapping[str, set[str]]) -> set[str]:
    waiting = list(found)
    while waiting:
        new = ways.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
