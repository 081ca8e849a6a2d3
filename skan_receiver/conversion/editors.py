"""The JSON Schema of schema files: with it, editors complete fields and underline mistakes."""

import json
from typing import Any

from skan_receiver.conversion.document import Document

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Draft 2020-12. What only the checks can know, such as rules that never win, is not in it."""
    made = Document.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, **made, "title": "A conversion schema of skan_receiver"}


def json_schema_text() -> str:
    """As it is committed in `conversion_schemas/schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
