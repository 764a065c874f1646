"""Settings: the organisation as a tree of units, with their positions and people. Access scopes follow it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g

from trellis.i18n import plural_translator, translator
from trellis.security.people import Position, Unit, User
from trellis.web.display import person
from trellis.web.views.lists import base
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("settings_organisation", __name__)
blueprint.before_request(only_administrators)

Children = Mapping[int | None, Sequence[Any]]


@blueprint.get("/<workspace>/settings/organisation")
def show(workspace: str) -> str:
    units = g.session.execute(
        sa.select(Unit.id, Unit.name, Unit.code, Unit.parent_id)
        .where(Unit.deleted_at.is_(None))
        .order_by(Unit.name)
    ).all()
    known = {unit.id for unit in units}
    children = _by(units, lambda unit: unit.parent_id if unit.parent_id in known else None)
    positions = _by(
        g.session.execute(
            sa.select(
                Position.id,
                Position.name,
                Position.unit_id,
                User.id.label("user_id"),
                User.name.label("holder"),
            )
            .outerjoin(User, sa.and_(User.id == Position.holder_id, User.deleted_at.is_(None)))
            .where(Position.deleted_at.is_(None))
            .order_by(Position.name)
        ),
        lambda one: one.unit_id,
    )
    people = _by(
        g.session.execute(
            sa.select(User.id, User.name, User.unit_id)
            .where(User.deleted_at.is_(None), User.active)
            .order_by(User.name)
        ),
        lambda one: one.unit_id,
    )
    placed: set[int] = set()
    tree = [_unit(one, children, positions, people, placed) for one in children.get(None, ())]
    tree += [  # units that are part of each other hang nowhere, and are shown all the same
        _unit(one, children, positions, people, placed) for one in units if one.id not in placed
    ]
    elsewhere = [one for unit, found in people.items() if unit not in known for one in found]
    organisation = {
        "tree": tree,
        "units": str(_n("%(num)s unit", "%(num)s units", len(units))),
        "new_url": f"{base()}/unit/new",
        "without": [person(one.name, one.id) | {"url": f"{base()}/user/{one.id}"} for one in elsewhere],
    }
    return settings_page(
        "settings/organisation.html", "organisation", _("Organisation"), organisation=organisation
    )


def _by(rows: Any, key: Any) -> dict[int | None, list[Any]]:
    found: dict[int | None, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _unit(
    unit: Any, children: Children, positions: Children, people: Children, placed: set[int]
) -> dict[str, Any]:
    placed.add(unit.id)
    held = {one.user_id for one in positions.get(unit.id, ())}
    return {
        "name": unit.name,
        "code": unit.code or "",
        "url": f"{base()}/unit/{unit.id}",
        "new_unit_url": f"{base()}/unit/new?parent={unit.id}",
        "new_position_url": f"{base()}/position/new?unit={unit.id}",
        "positions": [
            {
                "name": one.name,
                "url": f"{base()}/position/{one.id}",
                "person": person(one.holder, one.user_id) if one.user_id else None,
            }
            for one in positions.get(unit.id, ())
        ],
        "people": [
            person(one.name, one.id) | {"url": f"{base()}/user/{one.id}"}
            for one in people.get(unit.id, ())
            if one.id not in held
        ],
        "units": [
            _unit(one, children, positions, people, placed)
            for one in children.get(unit.id, ())
            if one.id not in placed
        ],
    }
