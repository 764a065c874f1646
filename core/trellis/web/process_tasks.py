"""Tasks of processes as rows and forms of pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import g, request

from trellis.contributions import Process
from trellis.crm.service.many_tasks import STEP
from trellis.i18n import Text, current_timezone, format_date, format_time, translator
from trellis.process import versions
from trellis.process.forms import Form, form_of
from trellis.process.tasks import Tasks
from trellis.records.query import ListQuery, Record
from trellis.security.people import User
from trellis.web.display import control, read_form, shown, title_of

_ = translator("trellis")


def words_of(process: str) -> Any:
    """Translates the texts of a process's diagram."""
    known = g.edition.all(Process).get(process)
    return lambda text: versions.words(g.edition, known, text)


def process_title(name: str) -> str:
    """What a process is called."""
    known = g.edition.all(Process).get(name)
    return str(known.title) if known else name


def titles(rows: Iterable[Any]) -> dict[tuple[str, int], str]:
    """What the records are called that tasks or instances are about, as far as the reader may see them."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        if (
            row.entity
            and row.record_id
            and g.actor.may(row.entity, "read")
            and row.entity in g.edition.entities
        ):
            wanted.setdefault(row.entity, set()).add(row.record_id)
    found = {}
    for entity, ids in wanted.items():
        view = g.edition.entity(entity)
        fields = [view.info.title_field]
        query = ListQuery(view, g.edition, g.actor, ids=sorted(ids), fields=fields, limit=len(ids))
        for record in query.page(g.session).items:
            found[entity, record.id] = title_of(view, record)
    return found


def step_rows(tasks: Sequence[Any], base: str) -> list[dict[str, Any]]:
    """Rows of task lists, in the order given."""
    known, now, mine = titles(tasks), datetime.now(UTC), Tasks(g.records).persons
    away = _names_of({task.person_id for task in tasks} & set(mine[1:]))
    return [_row(task, known, now, base, task.person_id in mine, away) for task in tasks]


def _names_of(people: Collection[int]) -> dict[int, str]:
    rows = g.session.execute(sa.select(User.id, User.name).where(User.id.in_(people))) if people else ()
    return {person: name for person, name in rows}


def _row(
    task: Any,
    known: Mapping[tuple[str, int], str],
    now: datetime,
    base: str,
    mine: bool,
    away: Mapping[int, str],
) -> dict[str, Any]:
    record = known.get((task.entity, task.record_id), "")
    late = task.due_at is not None and task.due_at < now
    url = f"{base}/processes/tasks/{task.id}"
    for_whom = (
        str(_("for %(name)s, who is away", name=away[task.person_id])) if task.person_id in away else ""
    )
    return {
        "id": f"{STEP}{task.id}",
        "when": when(task.due_at, now),
        "due": task.due_at,
        "late": late,
        "title": str(words_of(task.process)(task.title)),
        "text": " · ".join(part for part in (process_title(task.process), record, for_whom) if part),
        "url": url,
        "badge": {"text": str(_("Overdue")), "tone": "danger"}
        if late
        else {"text": str(_("In a queue")), "tone": "neutral"}
        if task.person_id is None
        else None,
        "form_url": f"{url}/form" if mine and task.person_id is not None else "",
        "take_url": f"{url}/take" if task.person_id is None else "",
        "done_url": "",
        "process": True,
    }


def when(due: datetime | None, now: datetime) -> str:
    """A time of today, or the day."""
    if due is None:
        return ""
    zone = current_timezone()
    same = due.astimezone(zone).date() == now.astimezone(zone).date()
    return format_time(due) if same else format_date(due)


def form_context(task: Any, given: Mapping[str, Any], errors: Mapping[str, list[str]]) -> dict[str, Any]:
    """The form of a task: fields to look at, fields to fill in, and what is wrong with those given."""
    words = words_of(task.process)
    element = versions.of_version(g.session, g.edition, task.version_id).elements[task.element]
    form = form_of(element, words)
    record = _record(task)
    base = f"/{g.workspace.name}"
    return {
        "title": str(words(task.title)),
        "text": str(words(element.properties["help"])) if element.properties.get("help") else "",
        "shown": _shown(form, record, base),
        "fields": [*_of_record(form, task, record, base, given, errors), *_own(form, base, given, errors)],
        "errors": [text for name, found in errors.items() if name not in _names(form) for text in found],
    }


def _names(form: Form) -> set[str]:
    return {*form.fields, *form.own}


def _record(task: Any) -> Record | None:
    if not task.entity or not task.record_id or not g.actor.may(task.entity, "read"):
        return None
    view = g.edition.entity(task.entity)
    found = ListQuery(view, g.edition, g.actor, ids=[task.record_id], limit=1).page(g.session).items
    return found[0] if found else None


def _shown(form: Form, record: Record | None, base: str) -> list[dict[str, Any]]:
    view = g.edition.entity(record.entity) if record else None
    if record is None or view is None:
        return []
    return [
        {"label": str(view.fields[name].label), "value": shown(g.edition, base, view.fields[name], record)}
        for name in form.shown
        if name in view.fields
    ]


def _of_record(
    form: Form,
    task: Any,
    record: Record | None,
    base: str,
    given: Mapping[str, Any],
    errors: Mapping[str, list[str]],
) -> Iterable[dict[str, Any]]:
    view = g.edition.entities.get(task.entity or "")
    for name in form.fields if view else ():
        declared = view.fields.get(name)
        if declared is None:
            continue
        value = given[name] if name in given else record.values.get(name) if record else None
        title = record.titles.get(name, "") if record and name not in given else ""
        made = control(g.edition, base, declared, value, title=title, errors=errors.get(name))
        yield {**made, "required": made["required"] or name in form.required}


def _own(
    form: Form, base: str, given: Mapping[str, Any], errors: Mapping[str, list[str]]
) -> Iterable[dict[str, Any]]:
    for name, declared in form.own.items():
        yield control(g.edition, base, declared, given.get(name), errors=errors.get(name))


def answers_of(task: Any) -> dict[str, Any]:
    """What the form of a task was sent with."""
    element = versions.of_version(g.session, g.edition, task.version_id).elements[task.element]
    form = form_of(element)
    view = g.edition.entities.get(task.entity or "")
    declared = {name: view.fields[name] for name in form.fields if view and name in view.fields}
    return read_answers({**declared, **form.own})


def read_answers(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The values of some fields in the form that was sent."""
    return {
        name: read_form(field, request.form.getlist(name)[-1])
        for name, field in declared.items()
        if name in request.form
    }


def task_state(task: Any, tasks: Tasks) -> dict[str, Any]:
    """What the reader may do with a task."""
    return {"mine": tasks.is_mine(task), "queued": task.person_id is None}


def in_words(seconds: float) -> Text:
    """A span of time, roughly: minutes, hours or days."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return _("under a minute")
    if minutes < 120:
        return _("%(number)s min", number=minutes)
    hours = minutes // 60
    return _("%(number)s h", number=hours) if hours < 72 else _("%(number)s d", number=hours // 24)
