"""Statements of others, to reconcile with"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0006"
down_revision = "0005"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "statement",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("format", TEXT, nullable=False),
        sa.Column("zone", TEXT, nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("lines", INT64, nullable=False),
        sa.Column("counted", INT64, nullable=False),
        sa.Column("left_out", INT64, nullable=False),
        sa.Column("names_networks", sa.Boolean(), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("destinations", sa.Text(), nullable=False),
        sa.Column("begun_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("name", name=op.f("uq_statement_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "statement_line",
        sa.Column("statement_id", INT64, nullable=False),
        sa.Column("number", INT64, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("app_id", INT64, nullable=False),
        sa.Column("ad_network_id", TEXT, nullable=True),
        sa.Column("postback_id", TEXT, nullable=True),
        sa.Column("window", sa.SmallInteger(), nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("count", INT64, nullable=False),
        sa.Column("revenue", sa.Float(), nullable=True),
        sa.Column("currency", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("statement_id", "number", name=op.f("pk_statement_line")),
    )
    op.create_index(
        "ix_statement_line_postback_id", "statement_line", ["statement_id", "postback_id"]
    )


def downgrade() -> None:
    op.drop_table("statement_line")
    op.drop_table("statement")
