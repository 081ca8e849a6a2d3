"""Arrivals, found by their kind and time

Reports of conflicts, delays and what does not count read rows, since no count knows what they ask.
They are few of many: an index of those alone costs the others nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# name -> table, columns, which rows
INDEXES = {
    "ix_arrival_again": ("arrival", ("kind", "received_at", "stored_id"), "kind <> 'standing'"),
    "ix_arrival_claims": ("arrival", ("received_at", "stored_id"), "claims IS NOT NULL"),
    "ix_postback_development": ("postback", ("received_at",), "verdict = 'development'"),
}


def upgrade() -> None:
    for name, (table, columns, rows) in INDEXES.items():
        where = sa.text(rows)
        op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table)
