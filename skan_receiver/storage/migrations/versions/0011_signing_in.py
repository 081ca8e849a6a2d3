"""Users by what a provider calls them, and guesses at passwords"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0011"
down_revision = "0010"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sqltypes.AutoString()
UTC = sqltypes.UTCDateTime()


def upgrade() -> None:
    for name in ("issuer", "subject"):
        op.add_column("account", sa.Column(name, TEXT, nullable=True))
    op.create_index("uq_account_issuer_subject", "account", ["issuer", "subject"], unique=True)
    op.create_table(
        "guess",
        sa.Column("id", INT64, autoincrement=True, nullable=False),
        sa.Column("source", sa.LargeBinary(16), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guess")),
    )
    op.create_index("ix_guess_source_at", "guess", ["source", "at"])


def downgrade() -> None:
    op.drop_table("guess")
    op.drop_index("uq_account_issuer_subject", "account")
    with op.batch_alter_table("account") as batch:
        for name in ("subject", "issuer"):
            batch.drop_column(name)
