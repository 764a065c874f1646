"""How conversations by a script went: how many came to each step and answer, where they broke off, how they ended.

Counted are the conversations that the reader may see, once for each answer, whatever was taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Script, ScriptResult
from trellis.records.door import Records
from trellis.scripts import versions
from trellis.scripts.tables import ANSWER, DONE, PASSAGES, RUN, RUNNING, RUNS, STOPPED, VERSIONS, ScriptRun

_run, _passage = RUNS.c, PASSAGES.c
_NEW = "new"
Window = tuple[datetime, datetime] | None
"""From the first moment to before the second; None for always."""


@dataclass(frozen=True)
class Branch:
    """An answer of a step: how many conversations took it, and how many of them came to each outcome."""

    runs: int = 0
    endings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class StepFigures:
    """How many conversations came to a step, are there now, and broke off there; its answers and objections by key."""

    came: int = 0
    here: int = 0
    broke_off: int = 0
    answers: Mapping[str, Branch] = field(default_factory=dict)
    objections: Mapping[str, Branch] = field(default_factory=dict)


@dataclass(frozen=True)
class ScriptFigures:
    """The figures of a script, of one version or of several together; ``script`` has the words for their keys."""

    script: Script
    number: int
    runs: int
    going_on: int
    broke_off: int
    endings: Mapping[str, int]
    steps: Mapping[str, StepFigures]

    @property
    def done(self) -> int:
        """How many came to an outcome."""
        return sum(self.endings.values())

    @property
    def good(self) -> float | None:
        """The share of those that ended well among those that came to an outcome."""
        good = {one.key for one in self.script.outcomes if one.result is ScriptResult.GOOD}
        return sum(n for key, n in self.endings.items() if key in good) / self.done if self.done else None


@dataclass(frozen=True)
class VersionFigures:
    """A version of a script: since when there is one, and how its conversations ended."""

    number: int
    source: str
    since: datetime
    runs: int
    results: Mapping[str, int]
    broke_off: int


class Statistics:
    """The statistics of one script as one person may see them. Raises PermissionRefused for who sees no conversations."""

    def __init__(self, records: Records, name: str, window: Window = None) -> None:
        records.actor.require(RUN, "read")
        self._session, self._edition = records.session, records.edition
        self._name = name
        self._counted = [
            _run.script == name,
            _run.deleted_at.is_(None),
            records.actor.visible(ScriptRun),
        ]
        if window is not None:
            self._counted += [_run.started_at >= window[0], _run.started_at < window[1]]

    def versions(self) -> list[VersionFigures]:
        """All versions that were run or published, the newest first."""
        version = VERSIONS.c
        query = sa.select(version.number, version.source, version.created_at).where(
            version.script == self._name
        )
        known = self._session.execute(query.order_by(version.number.desc())).all()
        counted: dict[int, dict[tuple[str, str | None], int]] = {}
        group = _run.number, _run.state, _run.result
        rows = self._session.execute(
            sa.select(*group, sa.func.count()).where(*self._counted).group_by(*group)
        )
        for number, state, result, count in rows:
            counted.setdefault(number, {})[state, result] = count
        return [_version(one, counted.get(one.number, {})) for one in known]

    def of_version(self, number: int) -> ScriptFigures:
        """The figures of a version. Raises RecordNotFound."""
        script = versions.of_number(self._session, self._edition, self._name, number)
        mine = [*self._counted, _run.number == number]
        states, endings = self._ends(mine)
        return ScriptFigures(
            script=script,
            number=number,
            runs=sum(states.values()),
            going_on=states.get(RUNNING, 0),
            broke_off=states.get(STOPPED, 0),
            endings=endings,
            steps=self._steps(script, mine),
        )

    def _ends(self, mine: Sequence[Any]) -> tuple[dict[str, int], dict[str, int]]:
        states: dict[str, int] = {}
        endings: dict[str, int] = {}
        group = _run.state, _run.ending
        for state, ending, count in self._session.execute(
            sa.select(*group, sa.func.count()).where(*mine).group_by(*group)
        ):
            states[state] = states.get(state, 0) + count
            if state == DONE:
                endings[ending] = count
        return states, endings

    def _steps(self, script: Script, mine: Sequence[Any]) -> dict[str, StepFigures]:
        came, here = self._came(mine), self._here(mine)
        branches = self._branches(mine)
        return {
            step.key: StepFigures(
                came=came.get(step.key, 0) + here.get((step.key, _NEW), 0),
                here=here.get((step.key, RUNNING), 0),
                broke_off=here.get((step.key, STOPPED), 0),
                answers=branches.get((step.key, True), {}),
                objections=branches.get((step.key, False), {}),
            )
            for step in script.steps
        }

    def _came(self, mine: Sequence[Any]) -> dict[str, int]:
        """By step, how many conversations were answered there."""
        number = sa.func.count(_passage.run_id.distinct())
        query = self._passed(sa.select(_passage.step, number), mine).where(_passage.kind == ANSWER)
        return {step: count for step, count in self._session.execute(query.group_by(_passage.step)).all()}

    def _here(self, mine: Sequence[Any]) -> dict[tuple[str, str], int]:
        """By step and state, how many conversations stand there; under :data:`_NEW` those that were not answered there before."""
        before = sa.exists().where(
            _passage.run_id == _run.id,
            _passage.step == _run.step,
            _passage.kind == ANSWER,
            sa.not_(_passage.undone),
        )
        new = sa.func.sum(sa.case((before, 0), else_=1))
        query = sa.select(_run.step, _run.state, sa.func.count(), new)
        query = query.where(*mine, _run.state.in_((RUNNING, STOPPED)))
        found: dict[tuple[str, str], int] = {}
        for step, state, count, unanswered in self._session.execute(query.group_by(_run.step, _run.state)):
            found[step, state] = count
            found[step, _NEW] = found.get((step, _NEW), 0) + int(unanswered)
        return found

    def _branches(self, mine: Sequence[Any]) -> dict[tuple[str, bool], dict[str, Branch]]:
        """By step, and whether it is an answer: how many conversations took each choice, and how these ended."""
        group = _passage.step, _passage.kind, _passage.choice, _run.ending
        query = self._passed(sa.select(*group, sa.func.count(_passage.run_id.distinct())), mine)
        counted: dict[tuple[str, bool], dict[str, dict[str | None, int]]] = {}
        for step, kind, choice, ending, count in self._session.execute(query.group_by(*group)):
            counted.setdefault((step, kind == ANSWER), {}).setdefault(choice, {})[ending] = count
        return {
            place: {
                choice: Branch(sum(ends.values()), {key: n for key, n in ends.items() if key})
                for choice, ends in choices.items()
            }
            for place, choices in counted.items()
        }

    def _passed(self, query: sa.Select[Any], mine: Sequence[Any]) -> sa.Select[Any]:
        joined = query.select_from(PASSAGES.join(RUNS, _run.id == _passage.run_id))
        return joined.where(*mine, sa.not_(_passage.undone))


def _version(row: Any, counted: Mapping[tuple[str, str | None], int]) -> VersionFigures:
    return VersionFigures(
        number=row.number,
        source=row.source,
        since=row.created_at,
        runs=sum(counted.values()),
        results={result: n for (state, result), n in counted.items() if state == DONE and result},
        broke_off=sum(n for (state, _result), n in counted.items() if state == STOPPED),
    )


@dataclass(frozen=True)
class Totals:
    """The conversations by one script, of all versions."""

    runs: int = 0
    going_on: int = 0
    done: int = 0
    good: int = 0


def totals(records: Records) -> dict[str, Totals]:
    """The conversations of each script that the reader may see; empty for who sees none."""
    if not records.actor.may(RUN, "read"):
        return {}
    group = _run.script, _run.state, _run.result
    query = sa.select(*group, sa.func.count()).where(
        _run.deleted_at.is_(None), _run.script.is_not(None), records.actor.visible(ScriptRun)
    )
    found: dict[str, Totals] = {}
    for script, state, result, count in records.session.execute(query.group_by(*group)):
        known = found.get(script, Totals())
        found[script] = Totals(
            runs=known.runs + count,
            going_on=known.going_on + (count if state == RUNNING else 0),
            done=known.done + (count if state == DONE else 0),
            good=known.good + (count if result == ScriptResult.GOOD else 0),
        )
    return found
