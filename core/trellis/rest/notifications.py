"""What the caller was told, and how they want to be told, over REST."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from trellis.errors import CursorInvalid
from trellis.i18n import translator
from trellis.notifications import choices
from trellis.notifications.inbox import Entry, Inbox
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, json_object, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.problems import Malformed
from trellis.rest.records import MOST_PER_PAGE, PER_PAGE

_ = translator("trellis")


def _inbox() -> Inbox:
    return Inbox(g.session, g.edition, g.actor)


@blueprint.get("/notifications")
def list_notifications(workspace: str) -> Response:
    """The newest first; with the number of those that are unread (100 stands for more)."""
    arguments = Arguments()
    limit = arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE)
    cursor, unread = arguments.text("cursor"), arguments.flag("unread")
    arguments.end()
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and int(cursor) <= LARGEST_ID):
        raise CursorInvalid()
    found = _inbox().page(limit + 1, int(cursor) if cursor else None, unread=unread)
    following = str(found[limit - 1].id) if len(found) > limit else None
    items = [_written(one) for one in found[:limit]]
    return answer({"items": items, "next": following, "unread": _inbox().unread()})


@blueprint.post("/notifications:read")
def read_notifications(workspace: str) -> Response:
    """Marks all as read."""
    no_arguments()
    _inbox().mark_all()
    return answer({"unread": 0})


@blueprint.post("/notifications/<id:number>:read")
def read_notification(workspace: str, number: int) -> Response:
    no_arguments()
    _inbox().mark(number)
    return answer(_written(_inbox().find(number)))


@blueprint.get("/notifications/kinds")
def list_notification_kinds(workspace: str) -> Response:
    """The kinds that there are, and how the caller is told of each."""
    no_arguments()
    return answer({"items": _kinds()})


@blueprint.patch("/notifications/kinds")
def choose_notifications(workspace: str) -> Response:
    """``{"mention": {"in_app": true, "mail": false}}``; what is not named stays."""
    no_arguments()
    given = json_object()
    for name, ways in given.items():
        if not isinstance(ways, dict):
            raise Malformed(_("“%(name)s” is an object", name=name[:80]), name[:80])
    choices.choose(g.session, g.edition, g.actor.user_id, given)
    return answer({"items": _kinds()})


def _kinds() -> list[dict[str, Any]]:
    return [
        {
            "name": one.kind.name,
            "title": str(one.kind.title),
            "plugin": one.kind.owner,
            "in_app": one.in_app,
            "mail": one.mail,
        }
        for one in choices.chosen_by(g.session, g.edition, g.actor.user_id)
    ]


def _written(entry: Entry) -> dict[str, Any]:
    known = bool(entry.path)
    return {
        "id": entry.id,
        "kind": entry.kind.name,
        "at": entry.at,
        "text": entry.text,
        "entity": entry.entity if known else None,
        "record": entry.record_id if known else None,
        "path": entry.path,
        "read": entry.read,
    }
