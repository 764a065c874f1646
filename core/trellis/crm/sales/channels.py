"""Sales channels: through which an organisation sells, in which funnel, and what that costs (SA1)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal as Number
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.naming import FUNNEL, names
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.events import BeforeSave
from trellis.records.types import Boolean, Choice, LongText, Money, Option, Text

_ = translator("trellis")


class SalesChannel(Entity):
    """A way in which goods are sold; opportunities, quotes and orders name it, and begin in its funnel.

    ``cost`` is what it costs a month, in the workspace's currency.
    """

    __tablename__ = "sales_channel"
    __entity__ = EntityInfo(
        name="sales_channel",
        title=_("Sales channel"),
        plural=_("Sales channels"),
        new=_("New sales channel"),
        icon="route",
        direction="sales",
        level="strategy",
        row="SA1",
        subtitle_field="kind",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(60),
        label=_("Name"),
        help=_("What opportunities and orders hold as their channel"),
        required=True,
        searchable=True,
        in_list=True,
        unique=True,
    )
    kind: Mapped[str] = column(
        Choice(
            (
                Option("direct", _("Direct sales")),
                Option("partner", _("Partners")),
                Option("online", _("Online")),
                Option("branch", _("Branches and shops")),
                Option("other", _("Other")),
            )
        ),
        label=_("Kind"),
        required=True,
        default="direct",
        in_list=True,
    )
    funnel: Mapped[str | None] = column(
        Text(60, names="funnel"),
        label=_("Funnel"),
        help=_("New opportunities of the channel begin in it"),
        in_list=True,
    )
    cost: Mapped[Number | None] = column(Money(minimum=0), label=_("Cost a month"), in_list=True)
    active: Mapped[bool] = column(Boolean(), label=_("Offered"), default=True, in_list=True)
    description: Mapped[str | None] = column(LongText(), label=_("Description"))


def check(event: BeforeSave) -> None:
    """The funnel of a channel is one that there is. Raises RecordInvalid."""
    funnel = event.values.get("funnel")
    known = names(event.edition, FUNNEL)
    if funnel is not None and funnel not in known:
        raise RecordInvalid({"funnel": [_("Choose one of: %(known)s", known=", ".join(known))]})


def funnel_of(session: Session, edition: Edition, channel: str) -> str | None:
    """The funnel in which the opportunities of a channel begin; None for one that is there no more."""
    query = sa.select(SalesChannel.funnel).where(
        SalesChannel.name == channel, SalesChannel.deleted_at.is_(None)
    )
    funnel = session.scalar(query)
    return funnel if funnel in names(edition, FUNNEL) else None


def costs(session: Session) -> Mapping[Any, Number]:
    """What channels cost a month, by name."""
    query = sa.select(SalesChannel.name, SalesChannel.cost).where(SalesChannel.deleted_at.is_(None))
    return {name: cost for name, cost in session.execute(query) if cost is not None}


def offered(session: Session, visible: sa.ColumnElement[bool]) -> list[str]:
    """The names of the channels that are offered."""
    query = sa.select(SalesChannel.name).where(
        SalesChannel.deleted_at.is_(None), SalesChannel.active, visible
    )
    return list(session.scalars(query.order_by(SalesChannel.name)))
