"""Documents as records, and the routes by which they are approved."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import BigId, Boolean, Choice, Integer, LongText, Option, Reference, Text

_ = translator("trellis")

DOCUMENT, ROUTE, STEP = "document", "approval_route", "approval_step"
DRAFT, APPROVAL, APPROVED, SIGNED, REJECTED, VOID = (
    "draft",
    "approval",
    "approved",
    "signed",
    "rejected",
    "void",
)
STATES = (
    Option(DRAFT, _("Draft")),
    Option(APPROVAL, _("In approval"), "warn"),
    Option(APPROVED, _("Approved"), "info"),
    Option(SIGNED, _("Signed"), "good"),
    Option(REJECTED, _("Rejected"), "danger"),
    Option(VOID, _("Void")),
)
BOUND = (APPROVAL, APPROVED, SIGNED)
"""States in which others rely on the file: it stays as it is, and the document is not deleted."""
APPROVE, SIGN = "approve", "sign"
ACTIONS = (Option(APPROVE, _("Approves")), Option(SIGN, _("Signs")))


class Document(Entity):
    """A document with its versions (:mod:`tables`). It is made of a template at a record, or comes in as a file.

    ``of_entity`` and ``record_id`` are the record at which it was made, ``template`` and ``format`` what it was made of; all
    are empty for one that came in. ``about`` is what that record is called.
    """

    __tablename__ = "document"
    __entity__ = EntityInfo(
        name=DOCUMENT,
        title=_("Document"),
        plural=_("Documents"),
        about=_(
            "Documents are made from templates on the pages of records, with numbers, versions and "
            "approvals. Those that came from others are kept here too"
        ),
        new=_("New document"),
        icon="files",
        direction="customers",
        level="operations",
        row="PR4",
        title_field="title",
        subtitle_field="number",
        sort="-created_at",
    )
    __table_args__ = (sa.Index("ix_document_record", "of_entity", "record_id"),)

    title: Mapped[str] = column(
        Text(), label=_("Title"), required=True, searchable=True, in_list=True, personal=True
    )
    number: Mapped[str | None] = column(
        Text(60),
        label=_("Number"),
        help=_("Given by itself when left empty"),
        searchable=True,
        in_list=True,
        indexed=True,
        unique=True,
    )
    state: Mapped[str] = column(
        Choice(STATES),
        label=_("State"),
        required=True,
        default=DRAFT,
        read_only=True,
        in_list=True,
        indexed=True,
    )
    about: Mapped[str | None] = column(
        Text(),
        label=_("About"),
        help=_("The record that it was made at"),
        read_only=True,
        in_list=True,
        personal=True,
    )
    customer_id: Mapped[int | None] = column(Reference("customer"), label=_("Customer"), in_list=True)
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"), searchable=True, personal=True)
    of_entity: Mapped[str | None] = mapped_column(sa.String(80))
    record_id: Mapped[int | None] = mapped_column(BigId)
    template: Mapped[str | None] = mapped_column(sa.String(160))
    format: Mapped[str | None] = mapped_column(sa.String(8))


class ApprovalRoute(Entity):
    """Who approves and signs a kind of documents, in which order: its steps."""

    __tablename__ = "approval_route"
    __entity__ = EntityInfo(
        name=ROUTE,
        title=_("Approval route"),
        plural=_("Approval routes"),
        about=_("A route says who approves and who signs a document, one after another or side by side"),
        new=_("New approval route"),
        icon="route",
        direction="customers",
        level="operations",
        row="PR4",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    active: Mapped[bool] = column(Boolean(), label=_("In use"), default=True, in_list=True)
    notes: Mapped[str | None] = column(LongText(), label=_("Notes"))


class ApprovalStep(Entity):
    """One step of a route: a person, whoever holds a position, or anybody with a role. Steps of one turn go side by side."""

    __tablename__ = "approval_step"
    __entity__ = EntityInfo(
        name=STEP,
        title=_("Step of a route"),
        plural=_("Steps of routes"),
        new=_("New step"),
        icon="list-ordered",
        direction="customers",
        level="operations",
        parent="route",
        title_field="name",
        sort="turn",
    )

    name: Mapped[str] = column(
        Text(),
        label=_("Name"),
        help=_("What is looked at: price, terms, delivery"),
        required=True,
        in_list=True,
    )
    route_id: Mapped[int] = column(
        Reference(ROUTE, "CASCADE"), label=_("Approval route"), required=True, in_list=True
    )
    turn: Mapped[int] = column(
        Integer(minimum=1, maximum=100, additive=False),
        label=_("Turn"),
        help=_("Steps with the same number go side by side"),
        required=True,
        default=1,
        in_list=True,
    )
    action: Mapped[str] = column(
        Choice(ACTIONS), label=_("What is done"), required=True, default=APPROVE, in_list=True
    )
    person_id: Mapped[int | None] = column(Reference("user"), label=_("Employee"), in_list=True)
    position_id: Mapped[int | None] = column(
        Reference("position"), label=_("Position"), help=_("Whoever holds it"), in_list=True
    )
    role: Mapped[str | None] = column(
        Text(160, names="role"),
        label=_("Role"),
        help=_("Anybody with it; the first who decides"),
        in_list=True,
    )
    days: Mapped[int | None] = column(
        Integer(minimum=1, maximum=365, additive=False), label=_("Days to decide"), in_list=True
    )
