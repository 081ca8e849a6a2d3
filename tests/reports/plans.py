"""How a report's statements find their rows: by which indexes."""

from typing import Any

from sqlalchemy import event, text

from skan_receiver.reports import REPORTS, Question
from skan_receiver.storage import Store


def plan(store: Store, name: str, question: Question) -> str:
    """The plans of all that a report asks, with tables taken to be too large to be read."""
    asked: list[tuple[str, Any]] = []
    report = REPORTS[name]

    def hear(_conn: Any, _cursor: Any, said: str, parameters: Any, *_: Any) -> None:
        asked.append((said, parameters))

    event.listen(store.engine, "before_cursor_execute", hear)
    with store.read() as connection:
        report.table(connection, report.asked(question))
    event.remove(store.engine, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
    with store.read() as connection:
        if not store.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        return "\n".join(
            str(row)
            for said, parameters in asked
            for row in connection.exec_driver_sql(explain + said, parameters)
        )
