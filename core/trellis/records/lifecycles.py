"""Stages: which moves are allowed, and what a stage asks of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.contributions import Stage
from trellis.edition import EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import translator

_ = translator("trellis")


def check_move(
    view: EntityView, before: Mapping[str, Any], after: Mapping[str, Any], *, told: bool = False
) -> None:
    """Raises RecordInvalid when the stage is unknown, cannot be reached from the present one, or lacks its fields.

    A new record of an import is ``told``: it got where it is elsewhere, where other fields were asked for.
    """
    lifecycle = view.lifecycle(after)
    if lifecycle is None:
        if view.lifecycles and view.lifecycles[0].when is not None:
            field = view.lifecycles[0].when[0]
            known = ", ".join(one.when[1] for one in view.lifecycles if one.when)
            raise RecordInvalid({field: [_("Choose one of: %(known)s", known=known)]})
        return
    field, value = lifecycle.field, after.get(lifecycle.field)
    if value is None or (before and before.get(field) == value and view.lifecycle(before) is lifecycle):
        return
    stages: dict[str, Stage] = {stage.value: stage for stage in lifecycle.stages}
    if value not in stages:
        known = ", ".join(stages)
        raise RecordInvalid(
            {field: [_("There is no stage “%(value)s”; choose one of: %(known)s", value=value, known=known)]}
        )
    present = stages.get(str(before.get(field)))
    if present is not None and present.moves and value not in present.moves:
        allowed = ", ".join(str(stages[move].title) for move in present.moves)
        message = _(
            "From “%(stage)s” a move leads only to: %(allowed)s", stage=str(present.title), allowed=allowed
        )
        raise RecordInvalid({field: [message]})
    missing = [] if told else [name for name in stages[value].requires if after.get(name) is None]
    if missing:
        title = str(stages[value].title)
        raise RecordInvalid(
            {name: [_("The stage “%(stage)s” needs a value here", stage=title)] for name in missing}
        )
