"""What an organisation decided for the stages of lifecycles, in the place of what they declare; and exit rules that do not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trellis.contributions import Lifecycle
from trellis.records.rules import parse

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

TERMS = ("probability", "days", "requires", "exit", "exit_text")
"""What can be decided for a stage."""


def on_terms(
    lifecycle: Lifecycle, terms: Mapping[str, Mapping[str, Any]], fields: Collection[str]
) -> Lifecycle:
    """A lifecycle with what was decided for its stages; a required field that is not there now is asked of nobody."""
    stages = []
    for stage in lifecycle.stages:
        decided = {name: value for name, value in terms.get(stage.value, {}).items() if name in TERMS}
        if "requires" in decided:
            decided["requires"] = tuple(name for name in decided["requires"] if name in fields)
        stages.append(dataclasses.replace(stage, **decided))
    return dataclasses.replace(lifecycle, stages=tuple(stages))


def bad_exits(edition: Edition, view: EntityView, lifecycle: Lifecycle) -> Iterator[tuple[str, Exception]]:
    """The stages whose exit rule does not fit, with why."""
    for stage in lifecycle.stages:
        if stage.exit is not None:
            try:
                parse(stage.exit, view, edition)
            except Exception as error:  # a rule of a plugin may be anything
                yield stage.value, error


def without_exits(lifecycle: Lifecycle, stages: Collection[str]) -> Lifecycle:
    """A lifecycle whose ``stages`` are left freely."""
    kept = tuple(
        dataclasses.replace(one, exit=None) if one.value in stages else one for one in lifecycle.stages
    )
    return dataclasses.replace(lifecycle, stages=kept)
