"""price lists and bundles, products of opportunities, quotes with lines and limits of discounts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime

revision = "core_0026"
down_revision = "core_0025"
branch_labels = None
depends_on = None

_TABLES = (
    "price_list",
    "price_list_item",
    "bundle_part",
    "opportunity_line",
    "quote",
    "quote_line",
    "discount_limit",
)


def upgrade() -> None:
    op.add_column("order_line", sa.Column("discount", FixedPoint(), nullable=True))
    _make_lists()
    _make_prices()
    _make_parts()
    _make_deal_lines()
    _make_quotes()
    _make_lines()
    _make_limits()


def _make_lists() -> None:
    op.create_table(
        "price_list",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("channel", sa.String(length=60), nullable=True),
        sa.Column("segment", sa.String(length=160), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
        sa.UniqueConstraint("external_id", name=op.f("uq_price_list_external_id")),
    )
    with op.batch_alter_table("price_list", schema=None) as batch_op:
        batch_op.create_index("ix_price_list_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_price_list_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_price_list_unit_id"), ["unit_id"], unique=False)


def _make_prices() -> None:
    op.create_table(
        "price_list_item",
        sa.Column("id", BigId, nullable=False),
        sa.Column("price_list_id", BigId, nullable=False),
        sa.Column("product_id", BigId, nullable=False),
        sa.Column("quantity_from", FixedPoint(), nullable=False),
        sa.Column("price", FixedPoint(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["price_list_id"],
            ["price_list.id"],
            name=op.f("fk_price_list_item_price_list_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_price_list_item_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list_item")),
        sa.UniqueConstraint("external_id", name=op.f("uq_price_list_item_external_id")),
    )
    with op.batch_alter_table("price_list_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_price_list_item_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_price_list_item_price_list_id"), ["price_list_id"], unique=False)
        batch_op.create_index(
            "ix_price_list_item_product", ["product_id", "price_list_id", "quantity_from"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_price_list_item_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_price_list_item_unit_id"), ["unit_id"], unique=False)


def _make_parts() -> None:
    op.create_table(
        "bundle_part",
        sa.Column("id", BigId, nullable=False),
        sa.Column("bundle_id", BigId, nullable=False),
        sa.Column("part_id", BigId, nullable=False),
        sa.Column("quantity", FixedPoint(), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["bundle_id"], ["product.id"], name=op.f("fk_bundle_part_bundle_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["product.id"], name=op.f("fk_bundle_part_part_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle_part")),
        sa.UniqueConstraint("external_id", name=op.f("uq_bundle_part_external_id")),
    )
    with op.batch_alter_table("bundle_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bundle_part_bundle_id"), ["bundle_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bundle_part_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bundle_part_part_id"), ["part_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bundle_part_unit_id"), ["unit_id"], unique=False)


def _make_deal_lines() -> None:
    op.create_table(
        "opportunity_line",
        sa.Column("id", BigId, nullable=False),
        sa.Column("opportunity_id", BigId, nullable=False),
        sa.Column("product_id", BigId, nullable=True),
        sa.Column("quantity", FixedPoint(), nullable=False),
        sa.Column("price", FixedPoint(), nullable=True),
        sa.Column("discount", FixedPoint(), nullable=True),
        sa.Column("amount", FixedPoint(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunity.id"],
            name=op.f("fk_opportunity_line_opportunity_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_opportunity_line_product_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity_line")),
        sa.UniqueConstraint("external_id", name=op.f("uq_opportunity_line_external_id")),
    )
    with op.batch_alter_table("opportunity_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_opportunity_line_opportunity_id"), ["opportunity_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_opportunity_line_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_opportunity_line_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_opportunity_line_unit_id"), ["unit_id"], unique=False)


def _make_quotes() -> None:
    op.create_table(
        "quote",
        sa.Column("id", BigId, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("opportunity_id", BigId, nullable=True),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("price_list_id", BigId, nullable=True),
        sa.Column("channel", sa.String(length=60), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("net", FixedPoint(), nullable=True),
        sa.Column("tax", FixedPoint(), nullable=True),
        sa.Column("amount", FixedPoint(), nullable=True),
        sa.Column("discount", FixedPoint(), nullable=True),
        sa.Column("lines_count", sa.BigInteger(), nullable=True),
        sa.Column("approved_by_id", BigId, nullable=True),
        sa.Column("order_id", BigId, nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_quote_customer_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"], ["opportunity.id"], name=op.f("fk_quote_opportunity_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["order.id"], name=op.f("fk_quote_order_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["price_list_id"], ["price_list.id"], name=op.f("fk_quote_price_list_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
        sa.UniqueConstraint("external_id", name=op.f("uq_quote_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_quote_number")),
    )
    with op.batch_alter_table("quote", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quote_approved_by_id"), ["approved_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_quote_issued_on",
            ["issued_on", "id"],
            unique=False,
            postgresql_ops={"issued_on": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_quote_opportunity_id"), ["opportunity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_price_list_id"), ["price_list_id"], unique=False)
        batch_op.create_index("ix_quote_stage", ["stage", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_unit_id"), ["unit_id"], unique=False)


def _make_lines() -> None:
    op.create_table(
        "quote_line",
        sa.Column("id", BigId, nullable=False),
        sa.Column("quote_id", BigId, nullable=False),
        sa.Column("product_id", BigId, nullable=True),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("quantity", FixedPoint(), nullable=False),
        sa.Column("price", FixedPoint(), nullable=True),
        sa.Column("discount", FixedPoint(), nullable=True),
        sa.Column("tax", FixedPoint(), nullable=True),
        sa.Column("list_price", FixedPoint(), nullable=True),
        sa.Column("reduction", FixedPoint(), nullable=True),
        sa.Column("net", FixedPoint(), nullable=True),
        sa.Column("tax_amount", FixedPoint(), nullable=True),
        sa.Column("amount", FixedPoint(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_quote_line_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["quote_id"], ["quote.id"], name=op.f("fk_quote_line_quote_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_line")),
        sa.UniqueConstraint("external_id", name=op.f("uq_quote_line_external_id")),
    )
    with op.batch_alter_table("quote_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quote_line_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_line_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_line_quote_id"), ["quote_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quote_line_unit_id"), ["unit_id"], unique=False)


def _make_limits() -> None:
    op.create_table(
        "discount_limit",
        sa.Column("id", BigId, nullable=False),
        sa.Column("role", sa.String(length=80), nullable=False),
        sa.Column("limit", FixedPoint(), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", BigId, nullable=True),
        sa.Column("unit_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("extra", JsonData, server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discount_limit")),
        sa.UniqueConstraint("external_id", name=op.f("uq_discount_limit_external_id")),
        sa.UniqueConstraint("role", name=op.f("uq_discount_limit_role")),
    )
    with op.batch_alter_table("discount_limit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_discount_limit_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_discount_limit_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:
    for name in reversed(_TABLES):
        op.drop_table(name)
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_column("discount")
