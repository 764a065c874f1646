"""Conversation scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trellis.contributions.base import Contribution
from trellis.i18n import Text as Label


class ScriptResult(StrEnum):
    """What an outcome of a conversation means to those who count them."""

    GOOD = "good"
    NEUTRAL = "neutral"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class ScriptOutcome:
    """One way in which a conversation can end."""

    key: str
    title: Label
    result: ScriptResult = ScriptResult.NEUTRAL


@dataclass(frozen=True, kw_only=True)
class ScriptAnswer:
    """What the other side may answer to a step. It leads ``to`` the step of that key, or ends with an ``outcome``.

    ``fills`` is the field of the record that it writes: with ``value``, or, without one, with what is typed. ``asks`` says
    what is to be typed: the words over that field, or over a remark that is kept with the conversation where it fills none.
    """

    key: str
    title: Label
    to: str = ""
    outcome: str = ""
    fills: str = ""
    value: Any = None
    asks: Label | None = None


@dataclass(frozen=True, kw_only=True)
class ScriptObjection:
    """What the other side may say against it, and the reply to that; the conversation stays at its step."""

    key: str
    title: Label
    reply: Label


@dataclass(frozen=True, kw_only=True)
class ScriptStep:
    """One step of a conversation: what to ``say``, with ``{record.name}``, ``{record.owner.name}`` and ``{sender.name}``.

    ``hint`` is for who speaks, and not said. At most nine ``answers``: they have the keys 1 to 9.
    """

    key: str
    say: Label
    answers: Sequence[ScriptAnswer]
    objections: Sequence[ScriptObjection] = ()
    hint: Label | None = None


@dataclass(frozen=True, kw_only=True)
class Script(Contribution):
    """A branching conversation, run beside a record of one of ``entities``; it begins with the first of its ``steps``.

    ``objections`` are at hand at every step. Of several entities each has what the texts name; a field that an answer fills
    is one of at least one of them, and is left alone beside others. ``replaces`` names a script that it is offered instead
    of.
    """

    entities: Sequence[str]
    steps: Sequence[ScriptStep]
    outcomes: Sequence[ScriptOutcome]
    objections: Sequence[ScriptObjection] = ()
    replaces: str = ""
