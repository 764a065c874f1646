"""Acts on the ticked rows of *My tasks*: completing, taking, putting back, handing over, another day."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.service.many_tasks import STEP, ManyTasks, Outcome
from trellis.errors import RecordInvalid
from trellis.i18n import Text, plural_translator, translator
from trellis.records import types
from trellis.records.entity import Field
from trellis.web.display import control
from trellis.web.overlay import dialog_form
from trellis.web.shell import shell, toast
from trellis.web.views.lists import base, go, messages, whole_number

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("task_acts", __name__)

ACTS: Mapping[str, tuple[Text, str]] = {
    "complete": (_("Complete"), "circle-check"),
    "take": (_("Take"), "hand"),
    "put-back": (_("Put back"), "undo-2"),
    "reassign": (_("Hand over"), "user-round-plus"),
    "postpone": (_("Another day"), "calendar-clock"),
}
"""What can be done with ticked tasks: title and icon."""
_ASKED: Mapping[str, tuple[Text, Field]] = {
    "reassign": (
        _("Hand over to whom?"),
        Field(name="person", type=types.Reference("user"), label=_("To whom"), required=True),
    ),
    "postpone": (
        _("Due on which day?"),
        Field(name="day", type=types.Date(), label=_("Day"), required=True),
    ),
}
"""The question of an act that needs an answer, and its field."""


_SAID: Mapping[str, Callable[[int], Text]] = {
    "complete": lambda number: _n("%(num)s task is done", "%(num)s tasks are done", number),
    "take": lambda number: _n("%(num)s task is yours", "%(num)s tasks are yours", number),
    "put-back": lambda number: _n(
        "%(num)s task is in its queue again", "%(num)s tasks are in their queues again", number
    ),
    "reassign": lambda number: _n("%(num)s task is handed over", "%(num)s tasks are handed over", number),
    "postpone": lambda number: _n("%(num)s task has another day", "%(num)s tasks have another day", number),
}
"""What is said of those that it was done with."""


def offered(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The acts on rows of tasks as the bar of ticked ones shows them; none that is for none of the rows."""
    fit = {
        "take": any(row.get("take_url") for row in rows),
        "put-back": any(row.get("form_url") for row in rows),
        "postpone": any(not row.get("process") for row in rows),
    }
    acts = [
        {"title": str(title), "icon": icon, "url": f"{base()}/tasks/bulk/{act}"}
        for act, (title, icon) in ACTS.items()
        if fit.get(act, True)
    ]
    return {"bulk": acts, "select_all": "", "selected_all": ""}


@blueprint.post("/<workspace>/tasks/bulk/<act>")
def act(workspace: str, act: str) -> BaseResponse | str | tuple[str, int]:
    """Does it with each of them; of those that were left, a dialog says why."""
    if act not in ACTS:
        abort(404)
    asked = _ASKED.get(act)
    if asked is not None and asked[1].name not in request.form:
        return _question(act, {})
    try:
        many = ManyTasks(g.records, [one for one in request.form.get("ids", "").split(",") if one])
        outcome = _doing(many)[act]()
    except RecordInvalid as error:
        if asked is None:
            raise
        return _question(act, messages(error)), 422
    done = str(_SAID[act](len(outcome.done)))
    if not outcome.left:
        toast(done)
        return go(request.headers.get("HX-Current-URL") or f"{base()}/tasks")
    return _left(outcome, done)


def _doing(many: ManyTasks) -> Mapping[str, Callable[[], Outcome]]:
    return {
        "complete": many.complete,
        "take": many.take,
        "put-back": many.put_back,
        "reassign": lambda: many.reassign(whole_number(request.form.get("person", ""))),
        "postpone": lambda: many.postpone(request.form.get("day")),
    }


def _question(act: str, errors: Mapping[str, list[str]]) -> str:
    title, asked = _ASKED[act]
    problems = [text for name, found in errors.items() if name != asked.name for text in found]
    dialog = {
        "title": str(title),
        "text": " ".join(problems),
        "action": f"{base()}/tasks/bulk/{act}",
        "verb": str(ACTS[act][0]),
        "hidden": [("ids", request.form.get("ids", ""))],
        "fields": [
            control(g.edition, base(), asked, request.form.get(asked.name), errors=errors.get(asked.name))
        ],
    }
    return dialog_form(dialog)


def _left(outcome: Outcome, done: str) -> Response:
    """The dialog with each task that was left, and why; the list behind it is asked for anew."""
    number = len(outcome.left)
    dialog = {
        "title": f"{done}, {_n('%(num)s is left', '%(num)s are left', number)}"
        if outcome.done
        else str(_n("%(num)s task is left as it is", "%(num)s tasks are left as they are", number)),
        "left": [
            {
                "title": str(one.title),
                "about": str(one.about),
                "url": _url(one.id),
                "text": " ".join(str(text) for found in one.errors.values() for text in found),
            }
            for one in outcome.left
        ],
    }
    html = render_template("tasks_left.html", dialog=dialog, shell=shell())
    return Response(html, headers={"HX-Trigger": json.dumps({"tasks-changed": {}})})


def _url(task: str) -> str:
    """The page of a task."""
    if task.startswith(STEP):
        return f"{base()}/processes/tasks/{task.removeprefix(STEP)}"
    return f"{base()}/activity/{task}"
