"""Groups of a list over REST: counts and sums by the value of a field."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from trellis.edition import EntityView
from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.grouping import Group, Grouping, grouping, groups
from trellis.records.query import ListQuery
from trellis.records.totals import Total, group_totals
from trellis.records.types import Decimal
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments
from trellis.rest.calls import blueprint
from trellis.rest.filters import asked_rule
from trellis.rest.problems import Malformed

_ = translator("trellis")

PER_PAGE, MOST_PER_PAGE = 50, 500
FARTHEST = 10**9
MOST_SUMS = 20


@blueprint.get("/<name:entity>:groups")
def list_groups(workspace: str, entity: str) -> Response:
    """How many records of a list have each value of a field, and the sums of some of their numbers."""
    view = g.edition.entity(entity)
    g.actor.require(entity, "read")
    arguments = Arguments()
    asked, names = arguments.text("by"), arguments.names("sums")
    limit, offset = (
        arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE),
        arguments.number("offset", 0, 0, FARTHEST),
    )
    text, deleted = arguments.text("q"), arguments.flag("deleted")
    rule = asked_rule(arguments, view, g.edition)
    query = ListQuery(view, g.edition, g.actor, text=text, deleted=deleted, rule=rule)
    by = _by(asked, query.view)
    _check_sums(names, query.view)
    if text:
        query.count(g.session, 1)  # words that nothing has are taken loosely, as in the list
    found = groups(g.session, query, by, limit, offset)
    keys = [one.key for one in found.items]
    sums = group_totals(g.session, query, by, keys, names, g.edition.settings.currency) if names else {}
    last = offset + len(found.items)
    items = [_written(by, one, sums.get(one.key, []), names) for one in found.items]
    return answer(
        {"by": by.name, "items": items, "total": found.total, "next": last if last < found.total else None}
    )


def _by(asked: str | None, view: EntityView) -> Grouping:
    if not asked:
        raise Malformed(_("Say by which field in “by”"), "by")
    try:
        return grouping(asked, view)
    except RuleInvalid as error:
        raise Malformed(error.detail, "by") from None


def _check_sums(names: list[str], view: EntityView) -> None:
    if len(names) > MOST_SUMS:
        raise Malformed(_("At most %(most)s sums at once", most=MOST_SUMS), "sums")
    for name in names:
        field = view.fields.get(name)
        if field is None or not field.type.adds_up:
            raise Malformed(_("“%(name)s” is no field whose values add up", name=name[:80]), "sums")


def _written(by: Grouping, group: Group, totals: list[Total], names: list[str]) -> dict[str, Any]:
    written = {
        "key": group.key,
        "title": group.title or None,
        "count": group.count,
        "filter": by.rule(group.key),
    }
    if names:
        written["sums"] = {name: [_sum(by, one) for one in totals if one.field == name] for name in names}
    return written


def _sum(by: Grouping, total: Total) -> dict[str, Any]:
    exact = isinstance(by.view.fields[total.field].type, Decimal)
    return {
        "currency": total.currency or None,
        "sum": Decimal().to_json(total.sum) if exact else int(total.sum),
    }
