"""Whether the endpoint answered"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0012"
down_revision = "0011"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "endpoint_check",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("since", UTC, nullable=False),
        sa.Column("until", UTC, nullable=False),
        sa.Column("checks", INT64, nullable=False),
        sa.Column("fault", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_check")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_endpoint_check_until", "endpoint_check", ["until"])


def downgrade() -> None:
    op.drop_table("endpoint_check")
