"""conversation scripts: those of one's own, versions, conversations and their paths"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from trellis.records.types import BigId, JsonData, UtcDateTime

revision = "core_0035"
down_revision = "core_0034"
branch_labels = None
depends_on = None

_ABOUT = ("customer", "lead", "opportunity", "case")


def _of_records(table: str) -> list[sa.schema.SchemaItem]:
    """What all records have."""
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
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("external_id", name=op.f(f"uq_{table}_external_id")),
    ]


def _index(table: str, *names: str) -> None:
    """Of a reference alone; of what lists are sorted by with the id, empty values first."""
    for name in names:
        if name.endswith("_id"):
            op.create_index(op.f(f"ix_{table}_{name}"), table, [name])
            continue
        nullable = (table, name) != ("script", "name")
        order = {"postgresql_ops": {name: "NULLS FIRST"}} if nullable else {}
        op.create_index(f"ix_{table}_{name}", table, [name, "id"], **order)


def upgrade() -> None:
    op.create_table(
        "script",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=True),
        sa.Column("replaces", sa.String(length=160), nullable=True),
        sa.Column("draft", JsonData, nullable=True),
        *_of_records("script"),
    )
    _index("script", "name", "owner_id", "unit_id")
    op.create_table(
        "script_version",
        sa.Column("id", BigId, nullable=False),
        sa.Column("script", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", JsonData, nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_version")),
        sa.UniqueConstraint("script", "number", name=op.f("uq_script_version_script_number")),
    )
    _make_runs()
    op.create_table(
        "script_passage",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("step", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("choice", sa.String(length=60), nullable=False),
        sa.Column("field", sa.String(length=160), nullable=False),
        sa.Column("value", JsonData, nullable=True),
        sa.Column("before", JsonData, nullable=True),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["script_run.id"], name=op.f("fk_script_passage_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_passage")),
    )
    op.create_index("ix_script_passage_run", "script_passage", ["run_id", "id"])


def _make_runs() -> None:
    op.create_table(
        "script_run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("script", sa.String(length=160), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("result", sa.String(length=60), nullable=True),
        sa.Column("outcome", sa.String(length=300), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        *(sa.Column(f"{name}_id", BigId, nullable=True) for name in _ABOUT),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("of_entity", sa.String(length=80), nullable=True),
        sa.Column("record", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.String(length=60), nullable=True),
        sa.Column("ending", sa.String(length=60), nullable=True),
        *_of_records("script_run"),
        *(
            sa.ForeignKeyConstraint(
                [f"{name}_id"], [f"{name}.id"], name=op.f(f"fk_script_run_{name}_id"), ondelete="SET NULL"
            )
            for name in _ABOUT
        ),
    )
    _index(
        "script_run",
        "title",
        "script",
        "started_at",
        *(f"{name}_id" for name in _ABOUT),
        "owner_id",
        "unit_id",
    )
    op.create_index("ix_script_run_beside", "script_run", ["of_entity", "record"])


def downgrade() -> None:
    for name in ("script_passage", "script_run", "script_version", "script"):
        op.drop_table(name)
