"""Estimates"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0005"
down_revision = "0004"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "estimate_run",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("window", sa.SmallInteger(), nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("start", UTC, nullable=False),
        sa.Column("end", UTC, nullable=False),
        sa.Column("is_all", sa.Boolean(), nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.Column("seen", TEXT, nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estimate_run")),
    )
    op.create_index("ix_estimate_run_app_id", "estimate_run", ["app_id"])
    op.create_table(
        "estimate_draw",
        sa.Column("run_id", INT64, nullable=False),
        sa.Column("grain", TEXT, nullable=False),
        sa.Column("ad_network_id", TEXT, nullable=False),
        sa.Column("source_digits", TEXT, nullable=False),
        sa.Column("postbacks", sa.LargeBinary(), nullable=False),
        sa.Column("drawn", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run_id", "grain", "ad_network_id", "source_digits", name=op.f("pk_estimate_draw")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "estimate_turn",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("until", UTC, nullable=False),
        sa.Column("done_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estimate_turn")),
    )


def downgrade() -> None:
    for name in ("estimate_turn", "estimate_draw", "estimate_run"):
        op.drop_table(name)
