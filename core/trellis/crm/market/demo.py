"""Conversations of a demo: the ways that people might have gone through a script."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.contributions import Script, ScriptAnswer, ScriptStep
from trellis.i18n import use_locale
from trellis.records.door import Write
from trellis.scripts import versions
from trellis.scripts.running import about
from trellis.scripts.tables import ANSWER, DONE, OBJECTION, PASSAGES, RUN, RUNNING, STOPPED

if TYPE_CHECKING:
    from trellis.demo import DemoContext

_DAYS = 90
_MOST_STEPS = 12
_BROKEN_OFF, _OBJECTED = 0.04, 0.16
_SECONDS = (15, 90)
"""How long a step takes."""


@dataclass
class _Way:
    """One way through a script: what was answered where, and when."""

    began: datetime
    at: datetime
    step: str | None
    answers: list[ScriptAnswer] = field(default_factory=list)
    passages: list[dict[str, Any]] = field(default_factory=list)
    state: str = RUNNING
    ending: str | None = None

    def pass_(self, kind: str, choice: str, dice: random.Random) -> None:
        self.at += timedelta(seconds=dice.randint(*_SECONDS))
        empty = {"field": "", "value": None, "before": None, "remark": "", "undone": False}
        self.passages.append({"step": self.step, "kind": kind, "choice": choice, "at": self.at, **empty})


def talk(context: DemoContext, script: str, entity: str, number: int) -> None:
    """Writes so many conversations beside some of the records that were made."""
    door, dice = context.records, random.Random(f"talk {script} {entity}")
    records = context.ids[entity]
    known = door.edition.all(Script)[script]
    version = versions.current(door.session, door.edition, known, None)
    staff = list(context.users.values())
    ways = [_way(known, context, dice) for _number in range(number)]
    chosen = [dice.choice(records) for _way in ways]
    found = {
        one.id: one
        for ids in _batches(sorted(set(chosen)))
        for one in door.list(entity, ids=ids, limit=500).items
    }
    writes = []
    with use_locale(context.language):
        for way, record in zip(ways, chosen, strict=True):
            outcome = next((one for one in known.outcomes if one.key == way.ending), None)
            kept = {
                "title": str(known.title),
                "script": script,
                "number": version,
                "state": way.state,
                "result": outcome.result.value if outcome else None,
                "outcome": str(outcome.title) if outcome else None,
                "path": " → ".join(str(one.title) for one in way.answers) or None,
                "started_at": way.began,
                "ended_at": None if way.state == RUNNING else way.at,
                "of_entity": entity,
                "record": record,
                "step": way.step,
                "ending": way.ending,
                "owner": dice.choice(staff),
                **about(door.edition, found[record]),
            }
            writes.append(Write(values={}, kept=kept))
    ids = [one for first in range(0, len(writes), 500) for one in door.save(RUN, writes[first : first + 500])]
    context.backdate(RUN, "created_at", {one: way.began for one, way in zip(ids, ways, strict=True)})
    rows = [{"run_id": one, **row} for one, way in zip(ids, ways, strict=True) for row in way.passages]
    if rows:
        door.session.execute(sa.insert(PASSAGES), rows)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), 500):
        yield ids[first : first + 500]


def _way(script: Script, context: DemoContext, dice: random.Random) -> _Way:
    """A way that ends with an outcome, or is broken off."""
    day = context.today - timedelta(days=dice.randrange(1, _DAYS))
    began = datetime.combine(day, time(dice.randint(8, 17), dice.randrange(60)), UTC)
    steps = {one.key: one for one in script.steps}
    way = _Way(began, began, script.steps[0].key)
    while way.step is not None:
        if dice.random() < _BROKEN_OFF or len(way.answers) == _MOST_STEPS:
            way.state = STOPPED
            break
        _go_on(way, steps[way.step], script, dice)
    return way


def _go_on(way: _Way, step: ScriptStep, script: Script, dice: random.Random) -> None:
    objections = [*step.objections, *script.objections]
    if objections and dice.random() < _OBJECTED:
        way.pass_(OBJECTION, dice.choice(objections).key, dice)
    weights = [1 / (place + 1) for place in range(len(step.answers))]
    answer = dice.choices(list(step.answers), weights)[0]
    way.pass_(ANSWER, answer.key, dice)
    way.answers.append(answer)
    way.step = answer.to or None
    if answer.outcome:
        way.state, way.ending = DONE, answer.outcome
