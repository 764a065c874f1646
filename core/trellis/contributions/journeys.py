"""Journeys: what customers get step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trellis.contributions.base import Contribution, Rule
from trellis.i18n import Text as Label


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A way out of a split: for those who fit its ``rule`` (the first that does), or for a ``share`` in percent.

    Behind its ``steps`` a customer goes on with the step after the split.
    """

    title: Label
    steps: Sequence[JourneyStep] = ()
    rule: Rule | None = None
    share: int = 0


@dataclass(frozen=True, kw_only=True)
class JourneyStep:
    """One step of a journey; ``kind`` says which of the other attributes it has.

    - ``message``: a mail by ``template``, or by ``other`` for customers who speak the language of that one
    - ``wait``: ``days`` and ``hours``, or ``until`` a day (``2026-12-24``); then on to the hour ``at`` (``10:00``) and to
      one of ``weekdays`` (0 is Monday)
    - ``split``: by the rules of ``branches``; who fits none takes the steps ``otherwise``
    - ``random``: by the shares of ``branches``, which make 100
    - ``task``: an activity ``subject`` with ``text`` of the kind ``act`` (``task`` or ``call``), due after ``days``, for
      ``to``: ``owner`` (of the customer), ``person:<mail>``, or ``role:<name>``, among whose people it is shared out
    - ``change``: the ``field`` of the customer gets ``value``
    - ``process``: starts ``process`` about the customer
    - ``leave``: the journey ends here
    """

    kind: str
    title: Label | str = ""
    template: str = ""
    other: str = ""
    days: int = 0
    hours: int = 0
    until: str = ""
    at: str = ""
    weekdays: Sequence[int] = ()
    branches: Sequence[Branch] = ()
    otherwise: Sequence[JourneyStep] = ()
    act: str = "task"
    subject: Label | str = ""
    text: Label | str = ""
    to: str = "owner"
    field: str = ""
    value: Any = None
    process: str = ""


@dataclass(frozen=True, kw_only=True)
class Journey(Contribution):
    """A sequence of messages, waits, splits and tasks for each customer. An organisation makes it its own to use it.

    ``entry`` is what brings customers in: ``segment.gym.sleepers`` (they enter a segment), an event of a record that
    leads to them (``order.created``, ``customer.relationship_stage=lost``), or nothing: by hand. They come in once, or
    ``again`` after so many days. ``goal`` ends it as a success: a segment or an event, written alike, or a rule; it counts
    for ``goal_days`` since they came in. ``control`` percent get nothing and are counted for the goal. No message leaves
    between ``quiet_from`` and ``quiet_to`` nor on ``quiet_days`` (0 is Monday), nor more than ``limit`` in ``limit_days``
    over all journeys and mailings. ``consent`` is ``not_refused`` or ``granted``.
    """

    entry: str = ""
    again: int | None = None
    goal: str | Rule = ""
    goal_days: int = 30
    control: int = 0
    quiet_from: str = "21:00"
    quiet_to: str = "09:00"
    quiet_days: Sequence[int] = ()
    limit: int = 2
    limit_days: int = 7
    consent: str = "not_refused"
    steps: Sequence[JourneyStep] = ()
