"""A plugin for tests: a gym with memberships, a field on customers, a segment, a role."""

from __future__ import annotations

import trellis
from sqlalchemy.orm import Mapped
from trellis import types

_ = trellis.translator("trellis_gym")

manifest = trellis.Manifest(name="gym", title=_("Gym"), version="1.0", package="trellis_gym", core=">=0.1,<1")


class Membership(trellis.Entity):
    """A membership of a customer."""

    __tablename__ = "gym_membership"
    __entity__ = trellis.EntityInfo(name="gym.membership", title=_("Membership"), plural=_("Memberships"))

    name: Mapped[str] = trellis.column(types.Text(), label=_("Name"), required=True, in_list=True)
    customer_id: Mapped[int | None] = trellis.column(
        types.Reference("customer", "CASCADE"), label=_("Customer")
    )


CARD = trellis.Field(
    name="gym.card", entity="customer", type=types.Text(20), label=_("Gym card"), indexed=True
)


@trellis.hookimpl
def trellis_entities() -> list[type[trellis.Entity]]:
    return [Membership]


@trellis.hookimpl
def trellis_fields() -> list[trellis.Field]:
    return [CARD]


@trellis.hookimpl
def trellis_segments() -> list[trellis.Segment]:
    rule = {"field": "gym.card", "op": "is_not_empty"}
    return [trellis.Segment(name="gym.members", title=_("Members"), rule=rule)]


@trellis.hookimpl
def trellis_roles() -> list[trellis.Role]:
    return [trellis.Role(name="gym.trainer", title=_("Trainer"), grants=[trellis.Grant("gym.membership")])]
