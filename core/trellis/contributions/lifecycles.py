"""Lifecycles of records, and rules that move them along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.contributions.base import Contribution, Rule
from trellis.i18n import Text as Label

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a lifecycle.

    ``kind`` is ``open``, ``won``, ``lost`` or ``done`` (closed stages fold on the board); ``probability`` in 0..1;
    ``requires`` are fields that must have a value to enter; ``days`` the usual time in it; ``moves`` the stages one can
    go to from here (empty: any). In a ``paused`` stage the time of what is due stands still: nothing is late.

    ``exit`` is a rule that a record must fit before it goes on to a later stage that is not a lost one; it may read related
    records too. ``exit_text`` says what is missing, where the rule in words would not do.
    """

    value: str
    title: Label
    kind: str = "open"
    probability: float | None = None
    requires: Sequence[str] = ()
    days: int | None = None
    moves: Sequence[str] = ()
    tone: str = "neutral"
    exit: Rule | None = None
    exit_text: Label | str = ""
    paused: bool = False


@dataclass(frozen=True, kw_only=True)
class Lifecycle(Contribution):
    """The stages of an entity and the moves between them; gives it a board.

    ``field`` is the choice (or text) field that holds the stage. Several lifecycles of one entity are told apart by
    ``when`` = (field, value): an opportunity's funnel is chosen by its field ``funnel``. ``kpi`` is what the records that
    are won add up to; its target stands as the plan in the forecast above the board.

    Where event logs are imported, each row holds a stage and, in the field ``at``, when it was reached.
    ``replay(session, values, steps)`` is given what the rows say of the record and its steps as (moment, stage), in the order
    of time, and returns the fields that follow from them.
    """

    entity: str
    field: str = "stage"
    stages: Sequence[Stage] = ()
    when: tuple[str, str] | None = None
    kpi: str | None = None
    at: str = ""
    replay: (
        Callable[[Session, Mapping[str, Any], Sequence[tuple[datetime, str]]], Mapping[str, Any]] | None
    ) = None


@dataclass(frozen=True, kw_only=True)
class StageRule(Contribution):
    """When a customer stands in a ``stage`` of the customer lifecycle: where it fits ``rule``.

    A customer stands in the furthest stage whose rule it fits. The stages are, in their order, ``prospect``, ``new``,
    ``active``, ``loyal``, ``at_risk`` and ``lost``. A rule of a plugin takes the place of the core's, and the
    organisation's takes the place of both.
    """

    stage: str
    rule: Rule
