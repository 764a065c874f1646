"""How processes do: how many instances go on and have ended, how long they took, and at which step they wait longest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.process.elements import BY_ITSELF, SERVICES
from trellis.process.tables import DONE, FAILED, OPEN, RUNNING, USER, ProcessInstance, ProcessStep

_instance, _step = ProcessInstance.__table__.c, ProcessStep.__table__.c

RECENT = 500
"""The instances of a process that ended last: their median is the cycle time."""
MOST_STEPS = 2000
"""The last steps that are looked at: more would take longer than a page may."""
AT_ONCE = (*SERVICES, *BY_ITSELF, "endEvent", "intermediateThrowEvent")
"""Steps that wait for nobody."""


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """How a step does: how many wait in it now, how often it was done, and how long that usually took (the median)."""

    element: str
    title: str
    waiting: int = 0
    passed: int = 0
    usual: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class ProcessFigures:
    """How a process does. ``cycle`` is the median from start to end; ``slowest`` the step with the longest median.

    ``steps`` are those that people, times and events take part in; ``partial`` when there were more than are looked at.
    """

    running: int = 0
    failed: int = 0
    done: int = 0
    cycle: timedelta | None = None
    late: int = 0
    steps: tuple[StepFigures, ...] = field(default=())
    partial: bool = False

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
    steps, partial = _steps(session, process)
    return ProcessFigures(
        running=counts.get(RUNNING, 0),
        failed=counts.get(FAILED, 0),
        done=counts.get(DONE, 0),
        cycle=_median(times),
        late=session.scalar(late) or 0,
        steps=tuple(steps),
        partial=partial,
    )


def _steps(session: Session, process: str) -> tuple[list[StepFigures], bool]:
    """The steps of the instances that came last, without those that wait for nobody and those that were left undone."""
    mine = sa.and_(_step.process == process, _step.kind.not_in(AT_ONCE))
    done = sa.or_(_step.kind != USER, _step.by_id.is_not(None))
    left = sa.select(_step.element, _step.title, _step.entered_at, _step.left_at).where(
        mine, _step.left_at.is_not(None), done
    )
    took: dict[str, list[timedelta]] = defaultdict(list)
    titles: dict[str, str] = {}
    rows = session.execute(left.order_by(_step.id.desc()).limit(MOST_STEPS + 1)).all()
    for element, title, entered, ended in rows[:MOST_STEPS]:
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
    found = [
        StepFigures(
            element=element,
            title=title,
            waiting=waiting.get(element, 0),
            passed=len(took[element]),
            usual=_median(took[element]),
        )
        for element, title in titles.items()
    ]
    return found, len(rows) > MOST_STEPS


def _median(times: list[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(one.total_seconds() for one in times)) if times else None
