"""What the pages of processes show: the catalogue with its figures, a process, and an instance on its diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import g

from trellis.contributions import Process
from trellis.i18n import Text, format_datetime, format_number, translator
from trellis.process import seeing, versions
from trellis.process.diagram import Diagram, Element
from trellis.process.figures import StepFigures, figures
from trellis.process.moving import obstacles
from trellis.process.tables import CANCELLED, DONE, FAILED, OPEN, RUNNING, USER, ProcessStep, ProcessVersion
from trellis.process.tasks import Tasks, manages
from trellis.security.people import User
from trellis.web.decision_tables import decision_shown, tables_shown
from trellis.web.display import origin, person
from trellis.web.drawing import Position, drawing
from trellis.web.process_catalogue import acts, figures_shown, version_rows
from trellis.web.process_tasks import (
    form_context,
    in_words,
    process_title,
    step_rows,
    titles,
    when,
    words_of,
)
from trellis.web.responsibilities import lost_steps, matrix_url

_ = translator("trellis")

PER_PAGE = 30
STATES: Mapping[str, tuple[Text, str]] = {
    RUNNING: (_("Running"), "good"),
    FAILED: (_("Cannot go on"), "danger"),
    DONE: (_("Finished"), "neutral"),
    CANCELLED: (_("Cancelled"), "neutral"),
}
CHOICES: Mapping[str, tuple[Text, Sequence[str]]] = {
    "open": (_("Going on"), OPEN),
    "failed": (_("Cannot go on"), (FAILED,)),
    "done": (_("Finished runs"), (DONE,)),
    "all": (_("All"), ()),
}


def process_context(process: Process, state: str, before: int | None, base: str) -> dict[str, Any]:
    """One process: its diagram with what waits where, its steps, its instances."""
    found, words = figures(g.session, process.name), words_of(process.name)
    diagram = versions.present(g.edition, process)
    known = state if state in CHOICES else "open"
    rows = seeing.Instances(g.records).page(process, CHOICES[known][1], PER_PAGE + 1, before)
    url = f"{base}/processes/{process.name}"
    view = g.edition.entities.get(process.entity or "")
    heat = {one.element: one.waiting for one in found.steps}
    return {
        "title": str(process.title),
        "text": str(process.description) if process.description else "",
        "origin": origin(g.edition, process.owner),
        "about": str(view.info.plural) if view else "",
        "about_url": f"{base}/{view.name}" if view else "",
        "start_url": f"{url}/start" if view is None and seeing.may_start(g.records, process, None) else "",
        **figures_shown(found, process.name),
        "matrix_url": matrix_url(process, base),
        "lost": lost_steps(process, diagram),
        "drawing": drawing(diagram, words, Position(heat=heat)),
        "decisions": tables_shown(diagram, words),
        "versions": version_rows(process, base),
        **acts(process, base),
        "steps": [
            {
                "title": str(words(one.title)),
                "waiting": format_number(one.waiting) if one.waiting else "",
                "passed": f"{format_number(one.passed)}{'+' if found.partial else ''}",
                "usual": str(in_words(one.usual.total_seconds())) if one.usual is not None else "",
                "slowest": one is found.slowest,
            }
            for one in _in_order(found.steps, diagram)
        ],
        "states": [
            {"title": str(title), "url": f"{url}?state={key}", "current": key == known}
            for key, (title, _states) in CHOICES.items()
        ],
        "rows": instance_rows(rows[:PER_PAGE], base),
        "older_url": f"{url}?state={known}&before={rows[PER_PAGE - 1].id}" if len(rows) > PER_PAGE else "",
    }


def _in_order(steps: Sequence[StepFigures], diagram: Diagram) -> list[StepFigures]:
    """Steps that people and times take part in, in the order of the diagram."""
    places = {name: place for place, name in enumerate(diagram.elements)}
    return sorted(steps, key=lambda one: places.get(one.element, len(places)))


def instance_rows(rows: Sequence[Any], base: str) -> list[dict[str, Any]]:
    """Instances in a table."""
    known, now = titles(rows), datetime.now(UTC)
    made = []
    for row in rows:
        text, tone = STATES[row.state]
        elements = _elements(row.version_id)
        words = words_of(row.process)
        at = [str(words(elements[one].name)) for one in row.active if one in elements and elements[one].name]
        ended = row.ended_at or now
        made.append(
            {
                "number": row.id,
                "url": f"{base}/processes/runs/{row.id}",
                "record": known.get((row.entity, row.record_id), ""),
                "state": str(text),
                "tone": tone,
                "at": ", ".join(at),
                "started": format_datetime(row.started_at),
                "took": str(in_words((ended - row.started_at).total_seconds())),
                "process": process_title(row.process),
            }
        )
    return made


def _elements(version: int) -> Mapping[str, Any]:
    return versions.of_version(g.session, g.edition, version).elements


def instance_context(
    found: Any, task: Any, given: Mapping[str, Any], errors: Mapping[str, list[str]], base: str
) -> dict[str, Any]:
    """One instance: where it stands on its diagram, what was done by whom, and the reader's task."""
    process = g.edition.all(Process)[found.process]
    words, tasks = words_of(found.process), Tasks(g.records)
    steps = _steps(found.id)
    diagram = versions.of_version(g.session, g.edition, found.version_id)
    opened = tasks.of_instance(found.id)
    chosen = task or next((one for one in opened if tasks.is_mine(one)), None) or next(iter(opened), None)
    state, tone = STATES[found.state]
    known = titles([found])
    number = g.session.scalar(sa.select(ProcessVersion.number).where(ProcessVersion.id == found.version_id))
    position = Position(
        done=frozenset(found.done),
        active=frozenset(found.active),
        stuck=found.stuck,
        notes=_notes(steps, diagram.elements),
    )
    managing = manages(g.actor, process)
    url = f"{base}/processes/runs/{found.id}"
    return {
        "id": found.id,
        "title": str(process.title),
        "origin": origin(g.edition, process.owner),
        "state": str(state),
        "tone": tone,
        "record": known.get((found.entity, found.record_id), ""),
        "record_url": f"{base}/{found.entity}/{found.record_id}" if found.entity else "",
        "version": number,
        "started": format_datetime(found.started_at, inside=True),
        "took": str(in_words(((found.ended_at or datetime.now(UTC)) - found.started_at).total_seconds())),
        "open": found.state in OPEN,
        "problem": found.problem,
        "stuck": _name(diagram.elements, found.stuck, words),
        "process_url": f"{base}/processes/{found.process}",
        "drawing": drawing(diagram, words, position),
        "steps": [_step_row(one, diagram, words, base) for one in steps],
        "task": _task(chosen, tasks, given, errors, base) if chosen is not None else None,
        "cancel_url": f"{url}/cancel" if managing and found.state in OPEN else "",
        "retry_url": f"{url}/retry" if managing and found.state == FAILED else "",
        **_newer(found, diagram, process, url),
    }


def _newer(found: Any, diagram: Diagram, process: Process, url: str) -> dict[str, Any]:
    """For administrators: whether a run on an older version can go on with the newest, and why it cannot."""
    newest = versions.present(g.edition, process)
    if not g.actor.administrator or found.state not in OPEN or diagram.digest == newest.digest:
        return {}
    against = [str(text) for text in obstacles(diagram, newest, found.active)]
    return {"move_url": "" if against else f"{url}/move", "obstacles": against}


def record_context(entity: str, record: Any, base: str) -> dict[str, Any] | None:
    """The card of processes beside a record: tasks about it, what goes on, and what can be started.

    What code starts has a place of its own on the page.
    """
    if not any(one.entity == entity for one in g.edition.all(Process).values()):
        return None
    shown = [name for name, one in g.edition.all(Process).items() if not one.given]
    work = Tasks(g.records)
    tasks = [one for one in work.of_record(entity, record.id) if one.process in shown]
    found = seeing.Instances(g.records).of_record(entity, record.id)
    runs = instance_rows([one for one in found if one.process in shown], base)
    starts = [
        {"title": str(one.title), "url": f"{base}/processes/{one.name}/start?record={record.id}"}
        for one in seeing.startable(g.records, record)
    ]
    rows = [
        {**row, "text": "", "take_url": row["take_url"] if row["take_url"] and work.is_mine(task) else ""}
        for task, row in zip(tasks, step_rows(tasks, base), strict=True)
    ]  # who sees the record sees its tasks, also those that are not theirs to take
    return {"tasks": rows, "runs": runs, "starts": starts} if rows or runs or starts else None


def _name(elements: Mapping[str, Any], element: str, words: Any) -> str:
    known = elements.get(element)
    return str(words(known.name)) if known is not None and known.name else element


def _steps(instance: int) -> Sequence[Any]:
    by, holder = sa.orm.aliased(User), sa.orm.aliased(User)
    rows: Sequence[Any] = g.session.execute(
        sa.select(ProcessStep.__table__, by.name.label("by_name"), holder.name.label("person_name"))
        .outerjoin(by, by.id == ProcessStep.by_id)
        .outerjoin(holder, holder.id == ProcessStep.person_id)
        .where(ProcessStep.instance_id == instance)
        .order_by(ProcessStep.id)
        .limit(500)
    ).all()
    return rows


def _notes(steps: Sequence[Any], elements: Mapping[str, Element]) -> dict[str, str]:
    """Who did a task, or has it, and until when; of one that runs several times, how many are done."""
    now = datetime.now(UTC)
    notes = {}
    for one in steps:
        known = elements.get(one.element)
        if known is not None and known.several is not None:
            if one.element in notes:
                continue
            runs = [each for each in steps if each.element == one.element]
            done = sum(1 for each in runs if each.left_at is not None)
            notes[one.element] = f"{format_number(done)}/{format_number(len(runs))}"
        elif one.kind == USER:
            name = (one.by_name or one.person_name or "").split(" ")[0]
            moment = when(one.left_at or one.due_at, now)
            notes[one.element] = " · ".join(part for part in (name, moment) if part)
    return notes


def _step_row(one: Any, diagram: Diagram, words: Any, base: str) -> dict[str, Any]:
    who, key = (one.by_name, one.by_id) if one.left_at else (one.person_name, one.person_id)
    late = one.left_at is None and one.due_at is not None and one.due_at < datetime.now(UTC)
    state = (_("Done"), "good") if one.left_at else (_("Overdue"), "danger") if late else (_("To do"), "warn")
    undone = one.kind == USER and one.left_at is not None and one.by_id is None
    return {
        "title": str(words(one.title)),
        "decision": decision_shown(diagram, seeing.decision(g.records, diagram, one), words),
        "url": f"{base}/processes/tasks/{one.id}" if one.kind == USER and one.left_at is None else "",
        "person": person(who, key) if who else None,
        "automatic": one.kind != USER,
        "queued": one.kind == USER and one.left_at is None and one.person_id is None,
        "due": format_datetime(one.due_at) if one.due_at else "",
        "took": str(in_words(((one.left_at or datetime.now(UTC)) - one.entered_at).total_seconds())),
        "state": str(_("Left out") if undone else state[0]),
        "tone": "neutral" if undone else state[1],
    }


def _task(
    task: Any, tasks: Tasks, given: Mapping[str, Any], errors: Mapping[str, list[str]], base: str
) -> dict[str, Any]:
    url = f"{base}/processes/tasks/{task.id}"
    mine, me = tasks.is_mine(task), g.actor.user_id
    managing = manages(g.actor, g.edition.all(Process).get(task.process))
    late = task.due_at is not None and task.due_at < datetime.now(UTC)
    holder = g.session.scalar(sa.select(User.name).where(User.id == task.person_id)) if task.person_id else ""
    return {
        **form_context(task, given, errors),
        "mine": mine,
        "excluded": me in task.excluded,
        "holder": holder,
        "due": format_datetime(task.due_at, inside=True) if task.due_at else "",
        "late": late,
        "complete_url": f"{url}/complete",
        "take_url": f"{url}/take" if task.person_id is None and mine else "",
        "back_url": f"{url}/put-back" if task.person_id == me else "",
        "reassign_url": f"{url}/reassign" if task.person_id == me or managing else "",
    }
