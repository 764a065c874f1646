"""journeys"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0037"
down_revision = "core_0036"
branch_labels = None
depends_on = None

_DUE = sa.text("due_at IS NOT NULL")
_OPEN = sa.text("state IN ('waiting', 'sending')")


def upgrade() -> None:
    op.create_table(
        "journey",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("brought_as", sa.String(length=160), nullable=True),
        sa.Column("plan", JsonData, nullable=True),
        sa.Column("published_id", BigId, nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey")),
        sa.UniqueConstraint("external_id", name=op.f("uq_journey_external_id")),
    )
    with op.batch_alter_table("journey", schema=None) as batch_op:
        batch_op.create_index("ix_journey_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_journey_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_journey_unit_id"), ["unit_id"], unique=False)
    op.create_table(
        "journey_version",
        sa.Column("id", BigId, nullable=False),
        sa.Column("journey_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("plan", JsonData, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["journey_id"],
            ["journey.id"],
            name=op.f("fk_journey_version_journey_id_journey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey_version")),
        sa.UniqueConstraint("journey_id", "number", name=op.f("uq_journey_version_journey_id_number")),
    )
    _members()
    _behind()


def _members() -> None:
    op.create_table(
        "journey_member",
        sa.Column("id", BigId, nullable=False),
        sa.Column("journey_id", BigId, nullable=False),
        sa.Column("version_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("reached_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_journey_member_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["journey_id"],
            ["journey.id"],
            name=op.f("fk_journey_member_journey_id_journey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["journey_version.id"],
            name=op.f("fk_journey_member_version_id_journey_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey_member")),
        sa.UniqueConstraint(
            "journey_id", "customer_id", "round", name=op.f("uq_journey_member_journey_id_customer_id_round")
        ),
    )
    with op.batch_alter_table("journey_member", schema=None) as batch_op:
        batch_op.create_index("ix_journey_member_customer", ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_journey_member_due",
            ["journey_id", "due_at", "id"],
            unique=False,
            sqlite_where=_DUE,
            postgresql_where=_DUE,
        )
        batch_op.create_index("ix_journey_member_state", ["journey_id", "state", "step", "id"], unique=False)


def _behind() -> None:
    op.create_table(
        "journey_passage",
        sa.Column("id", BigId, nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("version_id", BigId, nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.Column("left_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["journey_member.id"],
            name=op.f("fk_journey_passage_member_id_journey_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey_passage")),
    )
    with op.batch_alter_table("journey_passage", schema=None) as batch_op:
        batch_op.create_index("ix_journey_passage_member", ["member_id"], unique=False)
        batch_op.create_index("ix_journey_passage_step", ["version_id", "step", "outcome"], unique=False)
    op.create_table(
        "journey_message",
        sa.Column("id", BigId, nullable=False),
        sa.Column("journey_id", BigId, nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("template", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("activity_id", BigId, nullable=True),
        sa.Column("job_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["journey_id"],
            ["journey.id"],
            name=op.f("fk_journey_message_journey_id_journey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["journey_member.id"],
            name=op.f("fk_journey_message_member_id_journey_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey_message")),
    )
    with op.batch_alter_table("journey_message", schema=None) as batch_op:
        batch_op.create_index("ix_journey_message_customer", ["customer_id", "created_at"], unique=False)
        batch_op.create_index("ix_journey_message_member", ["member_id"], unique=False)
        batch_op.create_index(
            "ix_journey_message_open",
            ["journey_id", "id"],
            unique=False,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        )


def downgrade() -> None:
    for table in ("journey_message", "journey_passage", "journey_member", "journey_version", "journey"):
        op.drop_table(table)
