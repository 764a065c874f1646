"""Rates of currencies by day: figures sum amounts of several currencies at the rate of the day; without one they leave them out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from trellis.edition import Edition
from trellis.errors import Message, RecordInvalid
from trellis.i18n import translator
from trellis.kpi.arithmetic import average, product
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.events import BeforeSave, Saved, Taken
from trellis.records.types import Currency, Date, Integer, Text
from trellis.records.types import Decimal as Number
from trellis.workspace_state import raise_revision

_ = translator("trellis")

RATE = "exchange_rate"


def _rated_already(other: Taken) -> Message:
    """A rate out of the reader's sight is told like one that is there."""
    if other.in_bin and other.values:
        return _("The bin has a rate from this day on; bring it back and change it")
    return _("There is a rate from this day on; change that one")


class ExchangeRate(Entity):
    """What ``units`` of a currency are worth in the workspace's own, from the day ``since`` until the next rate.

    ``key`` (``USD/2026-01-15``) is unique: import and batches update by it.
    """

    __tablename__ = RATE
    __entity__ = EntityInfo(
        name=RATE,
        title=_("Exchange rate"),
        plural=_("Exchange rates"),
        new=_("New rate"),
        icon="coins",
        direction="management",
        level="operations",
        title_field="key",
        sort="-since",
        date_field="since",
        told_apart_by=("currency", "since"),
    )

    currency: Mapped[str] = column(
        Currency(), label=_("Currency"), required=True, in_list=True, help=_("ISO 4217 code: USD")
    )
    since: Mapped[date] = column(Date(), label=_("Since"), required=True, in_list=True)
    rate: Mapped[Decimal] = column(
        Number(minimum=0),
        label=_("Rate"),
        required=True,
        in_list=True,
        help=_("What so many units are worth in the currency of the workspace"),
    )
    units: Mapped[int] = column(Integer(minimum=1), label=_("Units"), required=True, default=1, in_list=True)
    key: Mapped[str | None] = column(
        Text(20), label=_("Import key"), unique=True, taken=_rated_already, help=_("Currency and day")
    )

    __table_args__ = (sa.Index("ix_exchange_rate_currency_since", "currency", "since"),)


_RATE = cast(sa.Table, ExchangeRate.__table__)


def complete(event: BeforeSave) -> None:
    """Checks a rate that is about to be written, and gives it its key."""
    if event.action not in ("created", "updated"):
        return
    values = {**event.before, **event.values}
    code = str(values.get("currency") or "")
    errors: dict[str, list[Message]] = {}
    if code == event.edition.settings.currency:
        errors["currency"] = [_("The currency of the workspace needs no rate")]
    if values.get("rate") is not None and values["rate"] <= 0:
        errors["rate"] = [_("Must be more than 0")]
    if code and values.get("since") is not None:  # without them the rate is refused later
        event.values["key"] = f"{code}/{values['since'].isoformat()}"
    if errors:
        raise RecordInvalid(errors)


def follow(event: Saved) -> None:
    """Makes the edition anew when other currencies have rates than it knows."""
    if rated(event.session) != event.edition.settings.rated:
        raise_revision(event.session.connection())


def rated(session: Session) -> tuple[str, ...]:
    """The currencies that have a rate of any day."""
    query = sa.select(_RATE.c.currency).where(_RATE.c.deleted_at.is_(None)).distinct()
    return tuple(sorted(session.scalars(query)))


def fingerprint(session: Session) -> str:
    """Changes with each write of a rate."""
    query = sa.select(sa.func.count(), sa.func.max(_RATE.c.updated_at)).select_from(_RATE)
    number, last = session.execute(query).one()
    return f"{number}@{last.isoformat()}" if last else ""


def is_foreign(edition: Edition, currency: Any, day: Any) -> sa.ColumnElement[bool]:
    """An amount in ``currency`` cannot be counted: it is another one, and no rate is known for the day."""
    other: sa.ColumnElement[bool] = currency != edition.settings.currency
    if day is None or not edition.settings.rated:
        return other
    return sa.and_(other, _of_day(_RATE.c.rate, currency, day).is_(None))


def converted(edition: Edition, amount: Any, currency: Any, day: Any) -> sa.ColumnElement[Decimal]:
    """``amount`` in the workspace's currency at the rate of ``day``; NULL where there is none."""
    own = sa.or_(currency.is_(None), currency == edition.settings.currency)
    if day is None or not edition.settings.rated:
        return sa.case((own, amount))
    rate, units = (_of_day(one, currency, day) for one in (_RATE.c.rate, _RATE.c.units))
    return sa.case((own, amount), else_=average(product(amount, rate), units))


def _of_day(wanted: Any, currency: Any, day: Any) -> Any:
    """``rate`` or ``units`` of the last rate up to ``day``."""
    rate = _RATE.alias()
    found = sa.select(rate.c[wanted.key]).where(
        rate.c.currency == currency, rate.c.since <= day, rate.c.deleted_at.is_(None)
    )
    return found.order_by(rate.c.since.desc()).limit(1).scalar_subquery()
