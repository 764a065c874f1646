"""Rules under which customers stand in the stages of their lifecycle: the core's, a plugin's, or the organisation's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trellis.contributions import Rule, StageRule
from trellis.edition import OWN, Edition, Settings
from trellis.errors import RecordInvalid, RuleInvalid
from trellis.i18n import Text
from trellis.plugins import CORE
from trellis.records.rules import parse

NEVER: Rule = {"any": []}
"""No customer fits it."""


def own_rules(settings: Settings) -> Iterator[StageRule]:
    """The organisation's own rules, as contributions."""
    for stage, rule in settings.stage_rules.items():
        yield StageRule(name=f"{OWN}.stage_{stage}", title=Text(stage), owner=OWN, stage=stage, rule=rule)


def rules_of(edition: Edition) -> dict[str, StageRule]:
    """The rule of each stage, in the order of the stages: the organisation's, else a plugin's, else the core's."""
    found = {one.stage: one for one in edition.all(StageRule).values()}
    return {stage: found[stage] for stage in _stages(edition) if stage in found}


def usual_rule(edition: Edition, stage: str) -> StageRule:
    """The rule that a stage has as long as the organisation decides nothing."""
    known = [one for one in edition.all(StageRule).values() if one.stage == stage and one.owner != OWN]
    return known[-1]


def check_stage_rule(edition: Edition, mine: StageRule) -> None:
    """The stage exists, no other plugin has a rule for it, and the rule parses."""
    stages = _stages(edition)
    if mine.stage not in stages:
        raise ValueError(f"{mine.name}: there is no stage “{mine.stage}”; there are: {', '.join(stages)}")
    for other in edition.all(StageRule).values():
        if other.name == mine.name:
            break
        if other.stage == mine.stage and {other.owner, mine.owner}.isdisjoint((CORE, OWN)):
            raise ValueError(f"{mine.name}: “{other.owner}” has a rule for the stage “{mine.stage}” already")
    parse(mine.rule, edition.entity("customer"), edition)


def checked(edition: Edition, rules: Mapping[str, Any]) -> dict[str, Any]:
    """Rules of the organisation as they are kept, by stage. Raises RecordInvalid by the name of the stage."""
    errors: dict[str, list[Any]] = {}
    for stage, rule in rules.items():
        try:
            parse(rule, edition.entity("customer"), edition)
        except RuleInvalid as error:
            errors[stage] = [str(error)]
    if errors:
        raise RecordInvalid(errors)
    return dict(rules)


def _stages(edition: Edition) -> list[str]:
    return [stage.value for one in edition.entity("customer").lifecycles for stage in one.stages]
