"""Exit rules: what a record must fit before it goes on from a stage.

They hold for moves to a later stage; a record may be lost, and moved back, at any time. They are looked at when the move
is written, so that they may read all that a rule can, related records too, with what the move itself gives.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Lifecycle, Rule, Stage
from trellis.edition import Edition, EntityView
from trellis.errors import RecordInvalid, RuleInvalid
from trellis.i18n import Text, translator
from trellis.records.bulk import among
from trellis.records.rules import Leaf, RuleContext, describe, matching, parse, today_in, walk
from trellis.security.actor import Actor

_ = translator("trellis")

Moved = tuple[int, int, Mapping[str, Any], Mapping[str, Any]]
"""A record that is written: its place among the writes, its id, what it held before, and holds after."""


def leaving(view: EntityView, written: Iterable[Moved]) -> dict[int, tuple[int, Lifecycle, Stage]]:
    """The records that go on from a stage with an exit rule: by place, the id with the lifecycle and the stage."""
    if not any(stage.exit is not None for one in view.lifecycles for stage in one.stages):
        return {}
    found = {}
    for place, number, before, after in written:
        lifecycle = view.lifecycle(before)
        if lifecycle is None or view.lifecycle(after) is not lifecycle:
            continue
        stages = {stage.value: at for at, stage in enumerate(lifecycle.stages)}
        came, goes = (stages.get(str(values.get(lifecycle.field))) for values in (before, after))
        if came is None or goes is None or goes <= came or lifecycle.stages[goes].kind == "lost":
            continue
        if lifecycle.stages[came].exit is not None:
            found[place] = (number, lifecycle, lifecycle.stages[came])
    return found


def refused(
    session: Session,
    edition: Edition,
    actor: Actor,
    view: EntityView,
    left: Mapping[int, tuple[int, Lifecycle, Stage]],
) -> dict[int, RecordInvalid]:
    """Those of :func:`leaving`, now written, that do not fit the rule of the stage that they left, by place.

    The rule reads whatever there is, also what is out of the actor's sight.
    """
    whole, judge = (
        edition.whole,
        dataclasses.replace(actor, administrator=True, fields=frozenset(), within=()),
    )
    everything = whole.entity(view.name)
    context = RuleContext(edition=whole, actor=judge, today=today_in(whole), few=True)
    failed: dict[int, RecordInvalid] = {}
    for lifecycle, stage in {id(one[2]): one[1:] for one in left.values()}.values():
        places = {number: place for place, (number, _lifecycle, other) in left.items() if other is stage}
        key = everything.entity.id
        asked = sa.select(key).where(among(session, key, list(places)))
        fit = set(
            session.scalars(matching(asked, parse(stage.exit or {}, everything, whole), everything, context))
        )
        error = RecordInvalid({lifecycle.field: [_said(edition, actor, view, stage)]})
        failed |= {place: error for number, place in places.items() if number not in fit}
    return failed


def words_of(edition: Edition, actor: Actor, view: EntityView, stage: Stage) -> str:
    """The exit rule of a stage as a phrase; empty where the reader may not read all that it reads."""
    seen = actor.sees(edition)
    try:
        return describe(parse(stage.exit or {}, seen.entity(view.name), seen), seen)
    except RuleInvalid:
        return ""


def fields_of(edition: Edition, view: EntityView, stage: Stage) -> list[str]:
    """The fields of the record itself that the exit rule of a stage reads and that ``view`` can write, in their order."""
    if stage.exit is None:
        return []
    read = {
        node.path.name
        for node in walk(parse(stage.exit, edition.whole.entity(view.name), edition.whole))
        if isinstance(node, Leaf) and not node.path.hops
    }
    return [name for name, field in view.fields.items() if name in read and not field.read_only]


def told(edition: Edition, view: EntityView, rule: Rule | None) -> Rule | None:
    """An exit rule, for those who may read all that it reads."""
    if rule is None:
        return None
    try:
        parse(rule, view, edition)
    except RuleInvalid:
        return None
    return rule


def _said(edition: Edition, actor: Actor, view: EntityView, stage: Stage) -> Text | str:
    if stage.exit_text:
        return stage.exit_text
    words = words_of(edition, actor, view, stage)
    if not words:
        return _("This record may not leave the stage “%(stage)s” yet", stage=str(stage.title))
    return _("To leave the stage “%(stage)s” this must hold: %(rule)s", stage=str(stage.title), rule=words)
