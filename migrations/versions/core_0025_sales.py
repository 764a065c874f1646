"""what came of a lead; when opportunities began, their stages and reasons for losing"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0025"
down_revision = "core_0024"
branch_labels = None
depends_on = None

_LINKS = ("customer", "contact", "opportunity")


def upgrade() -> None:
    op.add_column("lead", sa.Column("converted_at", UtcDateTime(), nullable=True))
    # The links have no constraints: SQLite would have to make the table anew for them, and empty what refers to it.
    for target in _LINKS:
        name = f"converted_{target}_id"
        op.add_column("lead", sa.Column(name, BigId, nullable=True))
        op.create_index(op.f(f"ix_lead_{name}"), "lead", [name], unique=False)
    op.add_column("opportunity", sa.Column("begun_on", sa.Date(), nullable=True))
    op.add_column("opportunity", sa.Column("channel", sa.String(length=60), nullable=True))
    _make_reasons()
    _make_stages()
    # what was closed before it was entered came from elsewhere: when it began is not known
    known = "closed_at IS NULL OR closed_at >= created_at"
    op.execute(f"UPDATE opportunity SET begun_on = date(created_at) WHERE {known}")
    op.execute(_known_stages())


def _make_reasons() -> None:
    op.create_table(
        "lost_reason",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost_reason")),
        sa.UniqueConstraint("external_id", name=op.f("uq_lost_reason_external_id")),
        sa.UniqueConstraint("name", name=op.f("uq_lost_reason_name")),
    )
    for name in ("owner_id", "unit_id"):
        op.create_index(op.f(f"ix_lost_reason_{name}"), "lost_reason", [name], unique=False)


def _make_stages() -> None:
    op.create_table(
        "opportunity_stage",
        sa.Column("id", BigId, nullable=False),
        sa.Column("opportunity_id", BigId, nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunity.id"],
            name=op.f("fk_opportunity_stage_opportunity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity_stage")),
    )
    op.create_index(
        "ix_opportunity_stage_entered", "opportunity_stage", ["entered_at", "opportunity_id"], unique=False
    )
    op.create_index(
        op.f("ix_opportunity_stage_opportunity_id"), "opportunity_stage", ["opportunity_id"], unique=False
    )


def _known_stages() -> str:
    """The stages that the log tells of, each until the next."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    stage = "json_extract(changes, '$.stage[1]')" if on_sqlite else "changes -> 'stage' ->> 1"
    return f"""
        INSERT INTO opportunity_stage (opportunity_id, stage, entered_at, left_at)
        SELECT record_id, stage, at, lead(at) OVER (PARTITION BY record_id ORDER BY id)
        FROM (SELECT event.id, record_id, at, {stage} AS stage FROM event
              JOIN opportunity ON opportunity.id = record_id WHERE entity = 'opportunity') AS told
        WHERE stage IS NOT NULL
    """


def downgrade() -> None:
    op.drop_table("opportunity_stage")
    op.drop_table("lost_reason")
    with op.batch_alter_table("opportunity", schema=None) as batch_op:
        for name in ("channel", "begun_on"):
            batch_op.drop_column(name)
    with op.batch_alter_table("lead", schema=None) as batch_op:
        for target in _LINKS:
            batch_op.drop_index(batch_op.f(f"ix_lead_converted_{target}_id"))
            batch_op.drop_column(f"converted_{target}_id")
        batch_op.drop_column("converted_at")
