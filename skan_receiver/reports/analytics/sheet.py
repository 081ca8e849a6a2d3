"""Postbacks as one CSV file, safe to open in a spreadsheet."""

from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from skan_receiver.config import Settings
from skan_receiver.reports.analytics.choice import Choice
from skan_receiver.reports.analytics.reading import moment
from skan_receiver.storage import Store

# `storage.spreadsheet.guarded`, of a column at once.
FORMULA = r"^'*[=+\-@\t\r]"


def write_csv(store: Store, out: IO[bytes], settings: Settings, choice: Choice) -> int:
    """Write the rows of a choice, by number; how many they were."""
    written = 0
    with csv.CSVWriter(out, _cells(choice, _none(choice)).schema) as writer, moment(store) as now:
        for batch in now.batches(choice.rows(settings), choice.columns):
            writer.write_table(_cells(choice, batch))
            written += batch.num_rows
    return written


def _none(choice: Choice) -> pa.Table:
    return pa.table({column.name: pa.array([], column.plain) for column in choice.columns})


def _cells(choice: Choice, rows: pa.Table) -> pa.Table:
    shaped = choice.shaped(rows)
    return pa.table({name: _guarded(shaped[name]) for name in shaped.column_names})


def _guarded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    text = values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
    if not pa.types.is_string(text.type):
        return text
    formula = pc.match_substring_regex(text, FORMULA)
    return pc.if_else(formula, pc.binary_join_element_wise("'", text, ""), text)
