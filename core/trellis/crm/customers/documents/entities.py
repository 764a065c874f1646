"""Templates of one's own."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import Choice, LongText, Option, Reference, Text

_ = translator("trellis")

TEMPLATE = "document_template"
LANGUAGES = (Option("en", _("English")), Option("ru", _("Russian")))
LONGEST = 100_000


class DocumentTemplate(Entity):
    """A template of documents about records of one entity: HTML in ``body``, or a Word file at the record."""

    __tablename__ = "document_template"
    __entity__ = EntityInfo(
        name=TEMPLATE,
        title=_("Document template"),
        plural=_("Document templates"),
        about=_(
            "A template makes documents with the values of a record: offers, contracts. "
            "Those of the edition can be taken over"
        ),
        new=_("New document template"),
        icon="file-text",
        direction="customers",
        level="operations",
        row="CU7",
        subtitle_field="of_entity",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    of_entity: Mapped[str] = column(
        Text(80, names="entity"),
        label=_("Records"),
        required=True,
        in_list=True,
        indexed=True,
    )
    language: Mapped[str] = column(
        Choice(LANGUAGES), label=_("Language"), required=True, default="en", in_list=True
    )
    body: Mapped[str | None] = column(
        LongText(markup=True),
        label=_("Content"),
        help=_(
            "HTML with {{ record.name }}, {% for line in related.order_line %} and {% if record.amount > 1000 %}. "
            "Attach a Word file (.docx) with the same marks instead, and leave this empty. PDF comes of HTML; a Word file "
            "stays Word."
        ),
    )
    numbering: Mapped[str | None] = column(
        Text(40),
        label=_("Numbers of its documents"),
        help=_("C-{year}-{number:4} gives C-2026-0001; marks are {year}, {yy}, {month} and {number}"),
    )
    route_id: Mapped[int | None] = column(
        Reference("approval_route"), label=_("Approval route"), help=_("Proposed when a document is sent")
    )
