"""Rows by very many keys: all of them in one parameter.

A parameter for each costs more to write down and to read than the rows cost to find.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, any_, bindparam, cast, func, select
from sqlalchemy.types import UserDefinedType


class _Untyped(UserDefinedType[str]):
    """Text that PostgreSQL reads once, as whatever it is cast to. Called text, it would be read
    again for each row."""

    cache_ok = True


def among(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether `column` is one of the values that the parameter `name` lists."""
    many = bindparam(name, type_=_Untyped)
    if dialect == "postgresql":
        return column == any_(cast(many, ARRAY(column.type)))
    return column.in_(select(func.json_each(many).table_valued("value").c.value))


def listed(connection: Connection, values: Iterable[int] | Iterable[str]) -> str:
    """What such a parameter is: numbers, or texts of letters and digits only."""
    if connection.dialect.name == "postgresql":
        return "{" + ",".join(map(str, values)) + "}"
    return json.dumps(list(values))
