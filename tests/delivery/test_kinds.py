"""Every failure has a kind: one word, for the log and its counters."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import skan_receiver
from skan_receiver.delivery.transport import Request
from skan_receiver.errors import DeliveryFailed
from tests import sink as behave
from tests.delivery.conftest import Make
from tests.sink import sink

KINDS = [
    ("http://user@partner.example/", "url"),
    ("http://partner.example:22/", "url"),
    ("http://10.0.0.1/", "address"),
    ("http://inside.example/", "address"),
    ("http://nowhere.example/", "resolve"),
    ("http://empty.example/", "resolve"),
]


@pytest.mark.parametrize(("url", "kind"), KINDS)
def test_a_failure_before_anything_is_sent_has_a_kind(transport: Make, url: str, kind: str) -> None:
    """One word, for the log and its counters."""
    known = {"inside.example": ["10.0.0.1"], "empty.example": []}

    def resolve(host: str, _port: int) -> list[str]:
        if host not in known:
            raise OSError("Name or service not known")
        return known[host]

    with pytest.raises(DeliveryFailed) as raised:
        transport(resolve=resolve).send(Request(url))
    assert raised.value.kind == kind


def babbles(handler: behave._Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.close_connection = True


@pytest.mark.parametrize(
    ("behaviour", "scheme", "kind"),
    [(behave.hangs, "http", "timeout"), (behave.resets, "http", "closed"),
     (babbles, "http", "protocol"), (behave.takes, "https", "tls")],
)  # fmt: skip
def test_a_failure_on_the_wire_has_a_kind(
    brisk: Make, behaviour: behave.Behaviour, scheme: str, kind: str
) -> None:
    """Which tells whose it is to mend."""
    with sink(behaviour) as open_, pytest.raises(DeliveryFailed) as raised:
        brisk().send(Request(open_.url.replace("http:", f"{scheme}:")))
    assert (raised.value.kind, raised.value.permanent) == (kind, False)


def test_every_kind_is_explained() -> None:
    """In the docstring of DeliveryFailed, where whoever reads the log will look."""
    lines = (DeliveryFailed.__doc__ or "").splitlines()
    assert set(kinds()) <= {line.split()[0] for line in lines if line.strip()}


def kinds() -> Iterator[object]:
    """Those that the package's source names."""
    for path in Path(skan_receiver.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DeliveryFailed":
                named = (one.value for one in node.keywords if one.arg == "kind")
                yield from (one.value for one in named if isinstance(one, ast.Constant))
