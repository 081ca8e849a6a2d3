"""The API keeps to its specification, whatever it is sent."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pydantic import BaseModel
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from skan_receiver.web import api
from tests.web.site import Site

# What a schema cannot say: a cursor is one of ours, a date is one that exists. And /verify
# takes whatever bytes it is given: to say what they are is what it is for.
BEYOND_SCHEMAS: list[Any] = [positive_data_acceptance, negative_data_rejection]
# Of each operation, and of how it is asked.
EXAMPLES = [10, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("examples", EXAMPLES)
def test_no_answer_is_undocumented(
    sqlite_url: str, tmp_path: Path, mode: GenerationMode, examples: int
) -> None:
    """Of every operation, for good requests and bad ones: status, type and body are as the
    specification says, none is a 5xx, and none is given without a key."""
    site = Site(sqlite_url, tmp_path)
    site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
    site.receiver.settle()
    key = site.key("read", "write", "replay", "admin")
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", site.app, headers=key)
    operations = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) >= 45
    for operation in operations:

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case[Any]) -> None:
            case.call_and_validate(headers=key, excluded_checks=BEYOND_SCHEMAS)

        ask()
    site.close()


def test_no_two_models_have_one_name(site: Site) -> None:
    """The specification goes by name: the second would be described as the first."""
    said: Any = site.client.get("/api/openapi.json", headers=site.key("read")).json
    of_ours = [getattr(api, name) for name in api.__all__]
    classes = {
        one
        for module in of_ours
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel)
    }
    counted = Counter(one.__name__ for one in classes)
    assert {name for name in said["components"]["schemas"] if counted[name] > 1} == set()
