"""The jobs of processes: timers that fire, events that are heard, mails that leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from trellis import mail
from trellis.contributions import Process
from trellis.i18n import translator
from trellis.jobs.mails import mailing, send_once
from trellis.jobs.queue import enqueue
from trellis.jobs.work import Work
from trellis.process import deadlines, listening, schedule, telling
from trellis.process.engine import Engine
from trellis.process.runs import TIMER_JOB
from trellis.process.tables import OPEN, ProcessInstance, ProcessStep
from trellis.records.door import Records
from trellis.security.actor import SYSTEM

_ = translator("trellis")

ABSENT = timedelta(hours=1)
"""How long a timer waits when the plugin of its process is not enabled."""


def work_timer(work: Work) -> None:
    """Lets the timers of an instance fire; the job ends with what that did."""
    number = int(work.arguments["instance"])
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        door = Records(session, edition, SYSTEM)
        instance = session.execute(
            sa.select(ProcessInstance.process, ProcessInstance.state).where(ProcessInstance.id == number)
        ).first()
        if instance is not None and instance.state in OPEN:
            if instance.process in edition.all(Process):
                Engine(door).tick(number)
            else:
                enqueue(session, TIMER_JOB, {"instance": number}, None, datetime.now(UTC) + ABSENT)
        work.finish(session, {})
    _tell(work, door)


def work_late(work: Work) -> None:
    """Does what is to be done about a late task; what cannot be done fails the job, and says why."""
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        door = Records(session, edition, SYSTEM)
        step = int(work.arguments["step"])
        process = session.scalar(sa.select(ProcessStep.process).where(ProcessStep.id == step))
        if process is None or process in edition.all(Process):
            deadlines.act_on(door, step, str(work.arguments["act"]))
        else:
            enqueue(session, deadlines.LATE_JOB, work.arguments, None, datetime.now(UTC) + ABSENT)
        work.finish(session, {})
    _tell(work, door)


def work_queue(work: Work) -> None:
    """Tells the people of a role what waits in its queue, some at a time; done again, it leaves out who was told."""
    role = str(work.arguments["role"])
    with work.workspace.read() as session:
        people = telling.people_to_tell(session, role)
    for first in range(0, len(people), telling.AT_ONCE):
        with work.workspace.write() as session:
            edition = work.workspace.edition(session)
            some = people[first : first + telling.AT_ONCE]
            telling.tell_of_queue(session, edition, role, some, key=str(work.job_id))


def work_event(work: Work) -> None:
    """Starts and wakes what listens to a write."""
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        door = listening.hear(session, edition, work.job_id, work.arguments)
        work.finish(session, {})
    _tell(work, door)


def work_schedule(work: Work) -> None:
    """Starts a process whose time has come. The next time is in the queue before, whatever becomes of this one."""
    told = work.arguments
    with work.workspace.write() as session:
        schedule.plan(session, work.workspace.edition(session))
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        door = Records(session, edition, SYSTEM)
        if (told["process"], told["schedule"]) in schedule.schedules(edition):
            Engine(door).start(told["process"], key=schedule.key_of(told))
        work.finish(session, {})
    _tell(work, door)


def work_plan(work: Work) -> None:
    """Sees once a day that all schedules are in the queue, whatever plugins and settings did."""
    with work.workspace.write() as session:
        schedule.plan(session, work.workspace.edition(session))
        work.finish(session, {})


def work_mail(work: Work) -> None:
    """Sends a mail of a step, at most once: one that may have left before a crash is not sent again."""
    told = {name: str(work.arguments[name]) for name in ("to", "subject", "text")}
    send_once(work, mail.message(mailing(work), told["to"], told["subject"], told["text"]))


def _tell(work: Work, door: Records) -> None:
    """Tells plugins what was committed."""
    door.committed()
    work.workspace.record_faults(door.faults)
