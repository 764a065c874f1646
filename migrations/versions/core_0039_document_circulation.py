"""document circulation"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0039"
down_revision = "core_0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval_route",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_route")),
        sa.UniqueConstraint("external_id", name=op.f("uq_approval_route_external_id")),
    )
    with op.batch_alter_table("approval_route", schema=None) as batch_op:
        batch_op.create_index("ix_approval_route_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_route_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_route_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "document",
        sa.Column("id", BigId, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=True),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("of_entity", sa.String(length=80), nullable=True),
        sa.Column("record_id", BigId, nullable=True),
        sa.Column("template", sa.String(length=160), nullable=True),
        sa.Column("format", sa.String(length=8), nullable=True),
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
            ["customer_id"], ["customer.id"], name=op.f("fk_document_customer_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("external_id", name=op.f("uq_document_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_document_number")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_document_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index("ix_document_record", ["of_entity", "record_id"], unique=False)
        batch_op.create_index("ix_document_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "approval_step",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("route_id", BigId, nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("person_id", BigId, nullable=True),
        sa.Column("position_id", BigId, nullable=True),
        sa.Column("role", sa.String(length=160), nullable=True),
        sa.Column("days", sa.BigInteger(), nullable=True),
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
            ["person_id"], ["user.id"], name=op.f("fk_approval_step_person_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["position_id"], ["position.id"], name=op.f("fk_approval_step_position_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["route_id"], ["approval_route.id"], name=op.f("fk_approval_step_route_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_step")),
        sa.UniqueConstraint("external_id", name=op.f("uq_approval_step_external_id")),
    )
    with op.batch_alter_table("approval_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_step_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_step_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_step_position_id"), ["position_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_step_route_id"), ["route_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_step_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "document_version",
        sa.Column("id", BigId, nullable=False),
        sa.Column("document_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attachment_id", BigId, nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by_id", BigId, nullable=True),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["attachment.id"],
            name=op.f("fk_document_version_attachment_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_version_document_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_version")),
        sa.UniqueConstraint("document_id", "number", name=op.f("uq_document_version_document_id_number")),
    )
    with op.batch_alter_table("document_version", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_document_version_attachment_id"), ["attachment_id"], unique=False
        )

    op.create_table(
        "document_step",
        sa.Column("id", BigId, nullable=False),
        sa.Column("document_id", BigId, nullable=False),
        sa.Column("version_id", BigId, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("assigned", sa.String(length=170), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sent_by_id", BigId, nullable=True),
        sa.Column("instance_id", BigId, nullable=True),
        sa.Column("by_id", BigId, nullable=True),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_step_document_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["document_version.id"],
            name=op.f("fk_document_step_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_step")),
    )
    with op.batch_alter_table("document_step", schema=None) as batch_op:
        batch_op.create_index("ix_document_step_assigned", ["assigned", "state"], unique=False)
        batch_op.create_index(
            "ix_document_step_document", ["document_id", "round", "turn", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_document_step_version_id"), ["version_id"], unique=False)

    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mail_files", sa.Text(), nullable=True))

    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("document_template", schema=None) as batch_op:
        batch_op.add_column(sa.Column("numbering", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("route_id", BigId, nullable=True))
        batch_op.create_index(batch_op.f("ix_document_template_route_id"), ["route_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_document_template_route_id"),
            "approval_route",
            ["route_id"],
            ["id"],
            ondelete="SET NULL",
        )

    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kpis", sa.String(length=1000), nullable=True))
        batch_op.add_column(sa.Column("grain", sa.String(length=60), server_default="month", nullable=False))
        batch_op.add_column(sa.Column("periods", sa.BigInteger(), server_default="3", nullable=False))
        batch_op.add_column(sa.Column("running", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("breakdown", sa.String(length=100), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.drop_column("breakdown")
        batch_op.drop_column("running")
        batch_op.drop_column("periods")
        batch_op.drop_column("grain")
        batch_op.drop_column("kpis")

    with op.batch_alter_table("document_template", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_document_template_route_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_document_template_route_id"))
        batch_op.drop_column("route_id")
        batch_op.drop_column("numbering")

    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_column("sealed")

    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_column("mail_files")

    with op.batch_alter_table("document_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_document_step_version_id"))
        batch_op.drop_index("ix_document_step_document")
        batch_op.drop_index("ix_document_step_assigned")

    op.drop_table("document_step")
    with op.batch_alter_table("document_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_document_version_attachment_id"))

    op.drop_table("document_version")
    with op.batch_alter_table("approval_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_step_unit_id"))
        batch_op.drop_index(batch_op.f("ix_approval_step_route_id"))
        batch_op.drop_index(batch_op.f("ix_approval_step_position_id"))
        batch_op.drop_index(batch_op.f("ix_approval_step_person_id"))
        batch_op.drop_index(batch_op.f("ix_approval_step_owner_id"))

    op.drop_table("approval_step")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_document_unit_id"))
        batch_op.drop_index("ix_document_state")
        batch_op.drop_index("ix_document_record")
        batch_op.drop_index(batch_op.f("ix_document_owner_id"))
        batch_op.drop_index(batch_op.f("ix_document_customer_id"))

    op.drop_table("document")
    with op.batch_alter_table("approval_route", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_route_unit_id"))
        batch_op.drop_index(batch_op.f("ix_approval_route_owner_id"))
        batch_op.drop_index("ix_approval_route_name")

    op.drop_table("approval_route")
