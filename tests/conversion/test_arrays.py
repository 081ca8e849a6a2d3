"""Columns of values, decoded at once."""

import numpy as np

from skan_receiver.conversion import load_schema
from skan_receiver.conversion.arrays import PIECE, codes, revenue, table, take
from tests.conversion.schemas import FOLDER

SHOP = load_schema(FOLDER / "examples" / "bits.yaml")


def test_a_column_decodes_to_intervals() -> None:
    """Fine and coarse values share a column; what is absent has no number, and no zero."""
    least, most = revenue(SHOP, 0)
    column = codes([0, 8, 24, "medium", None, 64])

    assert take(least, column).tolist()[:4] == [0, 1, 20, 1]
    assert take(most, column).tolist()[:4] == [1, 5, np.inf, 20]
    assert np.isnan(take(least, column)[4:]).all()


def test_a_column_says_what_each_value_says() -> None:
    """Decoding at once and decoding one by one are the same."""
    values = [*range(64), "low", "medium", "high", None]
    middle = table(SHOP, 0, lambda meaning: meaning.revenue[0].middle)

    one_by_one = [meaning.revenue[0].middle for meaning in SHOP.meanings()]
    assert take(middle, codes(values)).tolist()[:-1] == one_by_one


def test_a_long_column_is_whole() -> None:
    """It is decoded in pieces, the last of them short."""
    column = np.arange(2 * PIECE + 7, dtype=np.uint8)
    numbers = np.arange(256.0)

    assert (take(numbers, column) == column).all()


def test_a_column_can_go_where_there_is_room() -> None:
    """Column after column of one length needs no new memory."""
    room = np.empty(3)

    assert take(np.arange(256.0), np.array([3, 1, 2], np.uint8), out=room) is room
    assert room.tolist() == [3, 1, 2]
