"""The way out of mail that goes to many: each such mail has a link, behind which consent to mail is taken back (MC5, CU6).

The link names the customer, and the journey or survey that the mail belonged to, signed. It asks for no sign-in and lasts as long
as the customer does; programs that read mail use it by one POST (RFC 8058).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.config import Config
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.inviting import language_of
from trellis.edition import Edition
from trellis.i18n import translator, use_locale
from trellis.quality.merged import survivor_of
from trellis.records.door import Records
from trellis.records.events import Change
from trellis.security.actor import Actor
from trellis.security.links import opened, signed

_ = translator("trellis")

PATH = "s/unsubscribe"
"""The first parts of the address; its last is the link."""
REFUSED = "refused"
_PURPOSE = "unsubscribe"
_LONGEST_NAME = 200

_customer = Customer.__table__.c


@dataclass(frozen=True)
class Way:
    """What a link holds: the customer, and the record (``journey`` or ``survey``) that the mail belonged to."""

    workspace: str
    customer: int
    entity: str
    record: int


def link_of(config: Config, way: Way) -> str:
    """The address behind which a customer takes consent back."""
    link = signed(config, _PURPOSE, way.workspace, way.customer, way.entity, way.record)
    return f"{config.url.rstrip('/')}/{PATH}/{link}"


def read_link(config: Config, link: str) -> Way | None:
    """What the last part of an address holds; None for what was never given out here."""
    found = opened(config, _PURPOSE, link)
    return Way(*found) if found is not None and len(found) == 4 else None


def footer(language: str, company: str, link: str) -> str:
    """What stands below a mail to many, in the language of its reader."""
    with use_locale(language):
        told = _(
            "You get this mail as a customer of %(company)s. No more such mails: %(link)s",
            company=company,
            link=link,
        )
        return f"\n\n-- \n{told}\n"


def find(session: Session, way: Way) -> Customer | None:
    """The customer of a link, also when it was merged into another one; None when there is none any more."""
    number = survivor_of(session, "customer", way.customer) or way.customer
    here = (_customer.id == number, _customer.deleted_at.is_(None))
    return session.scalar(sa.select(Customer).where(*here))


def spoken_by(customer: Customer, edition: Edition) -> str:
    """The language to speak to a customer in."""
    return language_of(customer.language, edition)


def withdraw(session: Session, edition: Edition, way: Way, customer: Customer) -> Records:
    """Takes consent to mail back, whatever else the record lacks; it is told who did, and by which mail.

    The door that was used has the faults of plugins that were told.
    """
    records = Records(session, edition, _actor(session, edition, way))
    held = sa.select(_customer.consent_mail).where(_customer.id == customer.id).with_for_update()
    before = session.scalar(held)
    if before != REFUSED:
        changed = {"consent_mail": REFUSED, "updated_at": datetime.now(UTC), "version": _customer.version + 1}
        session.execute(
            sa.update(Customer)
            .where(_customer.id == customer.id)
            .values(**changed)
            .execution_options(synchronize_session=False)
        )
        change = Change(customer.id, "updated", {"consent_mail": (before, REFUSED)})
        records.tell("customer", [change])
    return records


def _actor(session: Session, edition: Edition, way: Way) -> Actor:
    """Who takes consent back: the customer, by the link of a mail, as histories name it."""
    name = None
    if way.entity in edition.entities:
        entity = edition.entity(way.entity).entity
        name = session.scalar(sa.select(entity.name).where(entity.id == way.record))  # type: ignore[attr-defined]
    with use_locale(edition.settings.language):
        told = _("Unsubscribe link, “%(mail)s”", mail=name) if name else _("Unsubscribe link")
        return Actor(name=str(told)[:_LONGEST_NAME], administrator=True, source="web")
