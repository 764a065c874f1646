"""Products and their category tree (PR1)."""

from __future__ import annotations

from decimal import Decimal as Number

from sqlalchemy.orm import Mapped

from trellis.i18n import translator
from trellis.records.entity import Entity, EntityInfo, column
from trellis.records.types import Boolean, LongText, Money, Reference, Text

_ = translator("trellis")


class Category(Entity):
    """A node of the tree of product categories."""

    __tablename__ = "category"
    __entity__ = EntityInfo(
        name="category",
        title=_("Category"),
        plural=_("Categories"),
        new=_("New category"),
        icon="folder-tree",
        direction="products",
        level="strategy",
        row="PR1",
        sort="name",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str | None] = column(Text(60), label=_("Code"), in_list=True)
    parent_id: Mapped[int | None] = column(Reference("category"), label=_("Part of"), in_list=True)


class Product(Entity):
    """Something the organisation sells: goods, a service, a bank product."""

    __tablename__ = "product"
    __entity__ = EntityInfo(
        name="product",
        title=_("Product"),
        plural=_("Products"),
        new=_("New product"),
        icon="package",
        direction="products",
        level="strategy",
        row="PR1",
        subtitle_field="code",
        sort="name",
        amount_field="price",
    )

    name: Mapped[str] = column(
        Text(), label=_("Name"), required=True, searchable=True, in_list=True, indexed=True
    )
    code: Mapped[str | None] = column(Text(60), label=_("Code"), searchable=True, in_list=True, indexed=True)
    category_id: Mapped[int | None] = column(Reference("category"), label=_("Category"), in_list=True)
    price: Mapped[Number | None] = column(Money(minimum=0, additive=False), label=_("Price"), in_list=True)
    cost: Mapped[Number | None] = column(Money(minimum=0, additive=False), label=_("Cost"), in_list=True)
    currency: Mapped[str | None] = column(Text(3), label=_("Currency"))
    measure: Mapped[str | None] = column(Text(20), label=_("Unit of measure"))
    active: Mapped[bool] = column(Boolean(), label=_("On sale"), default=True, in_list=True)
    description: Mapped[str | None] = column(LongText(), label=_("Description"))
