"""Which deliveries wait for a destination, and which of them are due, as statements have it."""

from sqlalchemy import and_, bindparam, select, text

from skan_receiver.storage import Delivery
from skan_receiver.storage.clock import in_seconds
from skan_receiver.storage.columns import table
from skan_receiver.storage.deliveries import LEASED, OWED

DELIVERY = table(Delivery)

# Written out as the index of due rows has it: with parameters neither store would use it.
OPEN = text(f"delivery.state IN ('{OWED}', '{LEASED}')")

# Statements are built once: making one costs more than running it. Their times are the
# database's, told inside them; in a query of its own where an index is to be looked up by it, since
# PostgreSQL would ask its clock again for each row, and so read all that wait.
NOW = select(in_seconds(0)).scalar_subquery()
TO = and_(OPEN, DELIVERY.c.destination == bindparam("name"))
DUE = and_(TO, DELIVERY.c.next_at <= NOW)
