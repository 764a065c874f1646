"""surveys, invitations to them, where an answer comes from; consent of customers"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0023"
down_revision = "core_0022"
branch_labels = None
depends_on = None

_ORIGIN = {"asked_in_id": "survey", "invitation_id": "survey_invitation", "case_id": "case"}


def _record() -> list[sa.Column[Any]]:
    """The columns that every entity has, but for its id."""
    return [
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
    ]


def upgrade() -> None:
    texts = [
        sa.Column(f"{name}_{language}", kind, nullable=True)
        for language in ("en", "ru")
        for name, kind in (
            ("intro", sa.Text()),
            ("question", sa.String(length=300)),
            ("question2", sa.String(length=300)),
            ("question3", sa.String(length=300)),
            ("thanks", sa.Text()),
        )
    ]
    op.create_table(
        "survey",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("again_after_days", sa.BigInteger(), nullable=False),
        sa.Column("lasts_days", sa.BigInteger(), nullable=False),
        sa.Column("opens_case", sa.Boolean(), nullable=False),
        sa.Column("low_at", sa.BigInteger(), nullable=True),
        sa.Column("case_priority", sa.String(length=60), nullable=False),
        *texts,
        *_record(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("external_id", name=op.f("uq_survey_external_id")),
    )
    with op.batch_alter_table("survey", schema=None) as batch_op:
        batch_op.create_index("ix_survey_name", ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_unit_id"), ["unit_id"], unique=False)
    op.create_table(
        "survey_invitation",
        sa.Column("id", BigId, nullable=False),
        sa.Column("survey_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("language", sa.String(length=60), nullable=True),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("job_id", BigId, nullable=True),
        *_record(),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["survey.id"], name=op.f("fk_survey_invitation_survey_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_survey_invitation_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_invitation")),
        sa.UniqueConstraint("external_id", name=op.f("uq_survey_invitation_external_id")),
        sa.UniqueConstraint("digest", name=op.f("uq_survey_invitation_digest")),
    )
    with op.batch_alter_table("survey_invitation", schema=None) as batch_op:
        batch_op.create_index("ix_survey_invitation_survey_state", ["survey_id", "state", "id"], unique=False)
        batch_op.create_index(
            "ix_survey_invitation_customer_survey", ["customer_id", "survey_id", "created_at"], unique=False
        )
        for name in ("survey_id", "customer_id", "owner_id", "unit_id"):
            batch_op.create_index(batch_op.f(f"ix_survey_invitation_{name}"), [name], unique=False)
    _tell_origin()
    op.add_column("customer", sa.Column("preferred_channel", sa.String(length=60), nullable=True))
    for name in ("consent_mail", "consent_phone"):
        op.add_column(
            "customer", sa.Column(name, sa.String(length=60), server_default="unknown", nullable=False)
        )


def _tell_origin() -> None:
    """Columns that refer to other tables: SQLite copies the table for it, and would leave indexes over fields behind."""
    connection = op.get_bind()
    over_fields: list[str] = []
    if connection.dialect.name == "sqlite":
        known = "SELECT sql FROM sqlite_master WHERE tbl_name = 'survey_answer' AND name LIKE 'ix_survey_answer_x_%'"
        over_fields = list(connection.scalars(sa.text(known)))
    with op.batch_alter_table("survey_answer", schema=None) as batch_op:
        for name, table in _ORIGIN.items():
            batch_op.add_column(sa.Column(name, BigId, nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f"fk_survey_answer_{name}"), table, [name], ["id"], ondelete="SET NULL"
            )
            batch_op.create_index(batch_op.f(f"ix_survey_answer_{name}"), [name], unique=False)
    for statement in over_fields:
        op.execute(statement)


def downgrade() -> None:
    for name in ("consent_phone", "consent_mail", "preferred_channel"):
        op.drop_column("customer", name)
    with op.batch_alter_table("survey_answer", schema=None) as batch_op:
        for name in _ORIGIN:
            batch_op.drop_index(batch_op.f(f"ix_survey_answer_{name}"))
            batch_op.drop_column(name)
    for name in ("survey_invitation", "survey"):
        op.drop_table(name)
