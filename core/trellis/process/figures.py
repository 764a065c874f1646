"""How processes do: how many instances go on and have ended, how long they took, and at which step they wait longest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.process.tables import DONE, FAILED, OPEN, RUNNING, ProcessInstance, ProcessStep

_instance, _step = ProcessInstance.__table__.c, ProcessStep.__table__.c

RECENT = 500
"""The instances and steps of a process that ended last: medians are of these."""


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """How a step does: how many wait in it now, and how long it usually takes."""

    element: str
    title: str
    waiting: int = 0
    passed: int = 0
    usual: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class ProcessFigures:
    """How a process does. ``cycle`` is the median from start to end; ``slowest`` the step with the longest median."""

    running: int = 0
    failed: int = 0
    done: int = 0
    cycle: timedelta | None = None
    late: int = 0
    steps: tuple[StepFigures, ...] = field(default=())

    @property
    def slowest(self) -> StepFigures | None:
        """The bottleneck."""
        known = [one for one in self.steps if one.usual is not None]
        return max(known, key=lambda one: one.usual or timedelta(), default=None)


def figures(session: Session, process: str) -> ProcessFigures:
    """The figures of one process, in four queries."""
    counts = {
        state: number
        for state, number in session.execute(
            sa.select(_instance.state, sa.func.count())
            .where(_instance.process == process)
            .group_by(_instance.state)
        )
    }
    ended = sa.select(_instance.started_at, _instance.ended_at).where(
        _instance.process == process, _instance.state == DONE
    )
    times = [end - start for start, end in session.execute(ended.order_by(_instance.id.desc()).limit(RECENT))]
    late = sa.select(sa.func.count()).where(
        _step.process == process, _step.left_at.is_(None), _step.due_at < datetime.now(UTC)
    )
    return ProcessFigures(
        running=counts.get(RUNNING, 0),
        failed=counts.get(FAILED, 0),
        done=counts.get(DONE, 0),
        cycle=_median(times),
        late=session.scalar(late) or 0,
        steps=tuple(_steps(session, process)),
    )


def _steps(session: Session, process: str) -> Iterable[StepFigures]:
    mine = _step.process == process
    left = sa.select(_step.element, _step.title, _step.entered_at, _step.left_at).where(
        mine, _step.left_at.is_not(None)
    )
    took: dict[str, list[timedelta]] = defaultdict(list)
    titles: dict[str, str] = {}
    for element, title, entered, ended in session.execute(left.order_by(_step.id.desc()).limit(RECENT * 4)):
        took[element].append(ended - entered)
        titles.setdefault(element, title)
    waiting: dict[str, int] = {}
    now = sa.select(_step.element, sa.func.min(_step.title), sa.func.count()).join(
        ProcessInstance, _instance.id == _step.instance_id
    )
    now = now.where(mine, _step.left_at.is_(None), _instance.state.in_(OPEN)).group_by(_step.element)
    for element, title, number in session.execute(now):
        waiting[element] = number
        titles.setdefault(element, title)
    for element, title in titles.items():
        yield StepFigures(
            element=element,
            title=title,
            waiting=waiting.get(element, 0),
            passed=len(took[element]),
            usual=_median(took[element]),
        )


def _median(times: list[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(one.total_seconds() for one in times)) if times else None
