"""Regions, stores, promotions, returns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis import types

revision = "retail_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retail_region",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=True),
        sa.Column("parent_id", types.BigId, nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["retail_region.id"], name=op.f("fk_retail_region_parent_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_region")),
        sa.UniqueConstraint("external_id", name=op.f("uq_retail_region_external_id")),
    )
    with op.batch_alter_table("retail_region", schema=None) as batch_op:
        batch_op.create_index("ix_retail_region_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_region_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_region_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_region_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "retail_promotion",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("mechanic", sa.String(length=60), nullable=False),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("discount", types.FixedPoint(), nullable=True),
        sa.Column("coupon", sa.String(length=40), nullable=True),
        sa.Column("category_id", types.BigId, nullable=True),
        sa.Column("region_id", types.BigId, nullable=True),
        sa.Column("budget", types.FixedPoint(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["category.id"],
            name=op.f("fk_retail_promotion_category_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["region_id"],
            ["retail_region.id"],
            name=op.f("fk_retail_promotion_region_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_promotion")),
        sa.UniqueConstraint("external_id", name=op.f("uq_retail_promotion_external_id")),
    )
    with op.batch_alter_table("retail_promotion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_retail_promotion_category_id"), ["category_id"], unique=False)
        batch_op.create_index(
            "ix_retail_promotion_ends", ["ends", "id"], unique=False, postgresql_ops={"ends": "NULLS FIRST"}
        )
        batch_op.create_index(batch_op.f("ix_retail_promotion_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_promotion_region_id"), ["region_id"], unique=False)
        batch_op.create_index("ix_retail_promotion_stage", ["stage", "id"], unique=False)
        batch_op.create_index(
            "ix_retail_promotion_starts",
            ["starts", "id"],
            unique=False,
            postgresql_ops={"starts": "NULLS FIRST"},
        )
        batch_op.create_index(batch_op.f("ix_retail_promotion_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "retail_store",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("format", sa.String(length=60), nullable=False),
        sa.Column("region_id", types.BigId, nullable=True),
        sa.Column("city", sa.String(length=120), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("area_m2", types.FixedPoint(), nullable=True),
        sa.Column("opened", sa.Date(), nullable=True),
        sa.Column("closed", sa.Date(), nullable=True),
        sa.Column("manager_id", types.BigId, nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["manager_id"], ["user.id"], name=op.f("fk_retail_store_manager_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["region_id"], ["retail_region.id"], name=op.f("fk_retail_store_region_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_store")),
        sa.UniqueConstraint("code", name=op.f("uq_retail_store_code")),
        sa.UniqueConstraint("external_id", name=op.f("uq_retail_store_external_id")),
    )
    with op.batch_alter_table("retail_store", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_retail_store_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index("ix_retail_store_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_store_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_store_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_store_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "retail_return",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("receipt_id", types.BigId, nullable=True),
        sa.Column("customer_id", types.BigId, nullable=True),
        sa.Column("store_id", types.BigId, nullable=True),
        sa.Column("product_id", types.BigId, nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("amount", types.FixedPoint(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("received_at", types.UtcDateTime(), nullable=True),
        sa.Column("resolution", sa.String(length=60), nullable=True),
        sa.Column("settled_at", types.UtcDateTime(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", types.BigId, nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_by_id", types.BigId, nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted_at", types.UtcDateTime(), nullable=True),
        sa.Column("extra", types.JsonData, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_retail_return_customer_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_retail_return_product_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["order.id"], name=op.f("fk_retail_return_receipt_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["retail_store.id"], name=op.f("fk_retail_return_store_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retail_return")),
        sa.UniqueConstraint("external_id", name=op.f("uq_retail_return_external_id")),
    )
    with op.batch_alter_table("retail_return", schema=None) as batch_op:
        batch_op.create_index("ix_retail_return_board", ["stage", "amount", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_return_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_retail_return_number", ["number", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_return_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_return_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_return_receipt_id"), ["receipt_id"], unique=False)
        batch_op.create_index(
            "ix_retail_return_received_at",
            ["received_at", "id"],
            unique=False,
            postgresql_ops={"received_at": "NULLS FIRST"},
        )
        batch_op.create_index(
            "ix_retail_return_settled_at",
            ["settled_at", "id"],
            unique=False,
            postgresql_ops={"settled_at": "NULLS FIRST"},
        )
        batch_op.create_index("ix_retail_return_stage", ["stage", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_return_store_id"), ["store_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_retail_return_unit_id"), ["unit_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("retail_return", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_retail_return_unit_id"))
        batch_op.drop_index(batch_op.f("ix_retail_return_store_id"))
        batch_op.drop_index("ix_retail_return_stage")
        batch_op.drop_index("ix_retail_return_settled_at", postgresql_ops={"settled_at": "NULLS FIRST"})
        batch_op.drop_index("ix_retail_return_received_at", postgresql_ops={"received_at": "NULLS FIRST"})
        batch_op.drop_index(batch_op.f("ix_retail_return_receipt_id"))
        batch_op.drop_index(batch_op.f("ix_retail_return_product_id"))
        batch_op.drop_index(batch_op.f("ix_retail_return_owner_id"))
        batch_op.drop_index("ix_retail_return_number")
        batch_op.drop_index(batch_op.f("ix_retail_return_customer_id"))
        batch_op.drop_index("ix_retail_return_board")

    op.drop_table("retail_return")
    with op.batch_alter_table("retail_store", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_retail_store_unit_id"))
        batch_op.drop_index(batch_op.f("ix_retail_store_region_id"))
        batch_op.drop_index(batch_op.f("ix_retail_store_owner_id"))
        batch_op.drop_index("ix_retail_store_name")
        batch_op.drop_index(batch_op.f("ix_retail_store_manager_id"))

    op.drop_table("retail_store")
    with op.batch_alter_table("retail_promotion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_retail_promotion_unit_id"))
        batch_op.drop_index("ix_retail_promotion_starts", postgresql_ops={"starts": "NULLS FIRST"})
        batch_op.drop_index("ix_retail_promotion_stage")
        batch_op.drop_index(batch_op.f("ix_retail_promotion_region_id"))
        batch_op.drop_index(batch_op.f("ix_retail_promotion_owner_id"))
        batch_op.drop_index("ix_retail_promotion_ends", postgresql_ops={"ends": "NULLS FIRST"})
        batch_op.drop_index(batch_op.f("ix_retail_promotion_category_id"))

    op.drop_table("retail_promotion")
    with op.batch_alter_table("retail_region", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_retail_region_unit_id"))
        batch_op.drop_index(batch_op.f("ix_retail_region_parent_id"))
        batch_op.drop_index(batch_op.f("ix_retail_region_owner_id"))
        batch_op.drop_index("ix_retail_region_name")

    op.drop_table("retail_region")
