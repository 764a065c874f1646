"""Loyalty programmes: who takes part, what they cost, and what is assumed of the months to come (AN3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal as Number

from sqlalchemy.orm import Mapped

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import Text as Label
from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, Field, column
from trellis.records.events import BeforeSave
from trellis.records.types import Boolean, Choice, Date, Integer, Money, Option, Percent, Text

_ = translator("trellis")

MEMBERS = _("Members")
COSTS = _("Costs")
ASSUMED = _("Assumptions")
LONGEST = 120
"""Months of the longest horizon."""


class Programme(Entity):
    """A loyalty programme with its costs. All amounts are in the workspace's currency."""

    __tablename__ = "programme"
    __entity__ = EntityInfo(
        name="programme",
        title=_("Loyalty programme"),
        plural=_("Loyalty programmes"),
        new=_("New loyalty programme"),
        icon="gift",
        direction="customers",
        level="tactics",
        sort="-started_on",
    )

    name: Mapped[str] = column(Text(), label=_("Name"), required=True, searchable=True, in_list=True)
    started_on: Mapped[date] = column(Date(), label=_("Starts"), required=True, in_list=True)
    segment: Mapped[str | None] = column(
        Text(160, names="segment"),
        label=_("Segment of the members"),
        help=_("Its customers joined when the programme started"),
        group=MEMBERS,
    )
    member_field: Mapped[str | None] = column(
        Text(80, names="customer_field"),
        label=_("Field of the members"),
        help=_("A field of the customer: yes or no, or the day of joining"),
        group=MEMBERS,
    )
    compare_by: Mapped[str] = column(
        Choice((Option("cell", _("RFM code")), Option("area", _("Area of the RFM matrix")))),
        label=_("Compared with customers of the same"),
        help=_(
            "By purchases of the 12 months before joining; the area is coarser and finds more to compare with"
        ),
        required=True,
        default="cell",
        group=MEMBERS,
    )
    setup_cost: Mapped[Number | None] = column(Money(minimum=0), label=_("Setting up"), group=COSTS)
    platform_cost: Mapped[Number | None] = column(Money(minimum=0), label=_("Platform, a month"), group=COSTS)
    staff_cost: Mapped[Number | None] = column(Money(minimum=0), label=_("Staff, a month"), group=COSTS)
    mailing_cost: Mapped[Number | None] = column(Money(minimum=0), label=_("Mailing, a month"), group=COSTS)
    rewards_cost: Mapped[Number | None] = column(
        Money(minimum=0), label=_("Rewards redeemed, a month"), group=COSTS
    )
    unredeemed: Mapped[Number | None] = column(
        Money(minimum=0),
        label=_("Points not yet redeemed"),
        help=_("Their value at the end of the horizon"),
        group=COSTS,
    )
    expected_redemption: Mapped[Number] = column(
        Percent(minimum=0, maximum=1),
        label=_("Of which will be redeemed"),
        required=True,
        default=Number("0.7"),
        group=COSTS,
    )
    discount_rate: Mapped[Number] = column(
        Percent(minimum=0, maximum=10),
        label=_("Discount rate, a year"),
        required=True,
        default=Number("0.12"),
        group=ASSUMED,
    )
    horizon: Mapped[int] = column(
        Integer(minimum=1, maximum=LONGEST),
        label=_("Horizon, months"),
        required=True,
        default=24,
        group=ASSUMED,
    )
    margin_share: Mapped[Number | None] = column(
        Percent(minimum=0, maximum=1),
        label=_("Margin on revenue"),
        help=_("Used where costs of sales are not known"),
        group=ASSUMED,
    )
    low_income: Mapped[Number] = column(
        Percent(minimum=0, maximum=10),
        label=_("Pessimistic: income"),
        help=_("Of the income that is expected"),
        required=True,
        default=Number("0.7"),
        group=ASSUMED,
    )
    high_income: Mapped[Number] = column(
        Percent(minimum=0, maximum=10),
        label=_("Optimistic: income"),
        help=_("Of the income that is expected"),
        required=True,
        default=Number("1.3"),
        group=ASSUMED,
    )


def check_programme(event: BeforeSave) -> None:
    """Members come from a segment of customers, or from a field that says yes or no, or when."""
    given = {name: event.values.get(name) for name in ("segment", "member_field")}
    both = {**event.before, **event.values}
    errors: dict[str, list[Label]] = {}
    if given["segment"] and given["segment"] not in _segments(event.edition):
        errors["segment"] = [_unknown(given["segment"], _segments(event.edition))]
    if given["member_field"] and given["member_field"] not in member_fields(event.edition):
        errors["member_field"] = [_unknown(given["member_field"], member_fields(event.edition))]
    if both.get("segment") and both.get("member_field"):
        errors.setdefault("member_field", [_("Give a segment or a field, not both")])
    if errors:
        raise RecordInvalid(errors)


def member_fields(edition: Edition) -> dict[str, Field]:
    """The fields of the customer that can say who is a member: yes or no, or a day."""
    fields = edition.entity("customer").fields.items()
    return {name: one for name, one in fields if isinstance(one.type, Boolean | Date)}


def _segments(edition: Edition) -> list[str]:
    return sorted(name for name, one in edition.all(Segment).items() if one.entity == "customer")


def _unknown(name: str, known: Iterable[str]) -> Label:
    names = ", ".join(sorted(known))
    return _("There is no “%(name)s”; there are: %(known)s", name=name, known=names or "–")
