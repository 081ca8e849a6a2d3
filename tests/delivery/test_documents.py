"""Destinations as YAML: what they may say, and how it is told what is wrong."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from skan_receiver.config import Settings
from skan_receiver.delivery import Destination, registry
from skan_receiver.delivery.documents import read_file
from skan_receiver.delivery.documents import write as written
from skan_receiver.errors import ConfigurationError
from skan_receiver.storage import Store

WHOLE = """\
destinations:
  - name: mmp-copy
    kind: relay
    url: https://mmp.example/in?key=k
    headers: {X-Key: secret}
    paused: false
    apps: [525463029, 6000000000]
    ad_networks: [COM.Example]
    frameworks: [skadnetwork]
    windows: [0]
    endpoints: [network, "forwarded:appsflyer"]
"""


SETTINGS = Settings()


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def load_destinations(path: Path) -> tuple[Destination, ...]:
    return tuple(destination for destination, _ in read_file(path, SETTINGS))


def test_a_file_that_says_everything(tmp_path: Path) -> None:
    """Every field there is, as docs/destinations.md lists them."""
    (one,) = load_destinations(write(tmp_path / "d.yaml", WHOLE))
    assert (one.name, one.kind, one.url) == ("mmp-copy", "relay", "https://mmp.example/in?key=k")
    assert (one.apps, one.ad_networks) == ((525463029, 6000000000), ("com.example",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: destinations: must be a list under this name; `destinations: []` for none"),
        ("- name: a\n", ":1: destinations: must be a list"),
        ("destinations:\n  - name: a\n   kind: relay\n", ":3: destinations: not YAML"),
        ("destinations:\n  - a\n", ":2: destination: must be a destination: name, kind, url, …"),
        ("destinations:\n  - name: a\n", ":2: url: is missing"),
        ("destinations:\n  - {name: a, name: b}\n", ":2: destinations: not YAML: found duplicate"),
        ("destinations:\n  - name: A b\n    url: https://a.example/\n", ":2: name: 'A b' is in no"),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n    windows: [0, 3]\n",
            ":4: windows.1: should be less than or equal to 2",
        ),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n    window: [0]\n",
            ":4: window: no destination of this kind has this; did you mean `windows`?",
        ),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n    apps: 5\n",
            ":4: apps: must be a list, as in [5]",
        ),
        (
            "destinations:\n  - name: a\n    url: ftp://a.example/\n",
            ":3: url: ftp: a URL begins with https:// or http://",
        ),
        (
            "destinations:\n  - name: a\n    url: https://me:pw@a.example/\n",
            ":3: url: credentials in a URL: write the header",
        ),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n"
            '    headers: {X: "a\\r\\nb"}\n',
            ":4: headers.X: U+000D: a header is one line",
        ),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n"
            "    headers: {Transfer-Encoding: chunked}\n",
            ":4: headers: transfer-encoding: set by skan-receiver; leave out",
        ),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n    endpoints: [mmp]\n",
            ":4: endpoints.0: 'mmp' is in no form this takes: see docs/destinations.md",
        ),
        (
            "destinations:\n  - name: a\n    kind: telegram\n    url: https://a.example/\n",
            ":3: kind: must be one of relay, decoded",
        ),
        (
            "destinations:\n  - {name: a, url: https://a.example/}\n"
            "  - {name: a, url: https://b.example/}\n",
            ":3: name: a is taken by the entry on line 2; deliveries are kept by name",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """File, line and field, and what to write instead."""
    path = write(tmp_path / "d.yaml", text)
    with pytest.raises(ConfigurationError) as raised:
        load_destinations(path)
    assert f"{path}{said}" in str(raised.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody likes to be told one a day."""
    text = "destinations:\n  - name: A\n    windows: [7]\n  - url: nowhere\n"
    with pytest.raises(ConfigurationError) as raised:
        load_destinations(write(tmp_path / "d.yaml", text))
    assert [line.split(":")[1] for line in str(raised.value).splitlines()] == (
        ["2", "2", "3", "4", "4"]
    )


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, True),
        ({"apps": [1, 2]}, True),
        ({"apps": [2]}, False),
        ({"ad_networks": ["com.EXAMPLE"]}, True),
        ({"ad_networks": ["other"]}, False),
        ({"frameworks": ["skadnetwork"]}, True),
        ({"frameworks": ["adattributionkit"]}, False),
        ({"windows": [1, 2]}, False),
        ({"did_win": "true"}, True),
        ({"did_win": "false"}, False),
        ({"endpoints": ["forwarded"]}, True),
        ({"endpoints": ["forwarded:branch"]}, True),
        ({"endpoints": ["forwarded:adjust"]}, False),
        ({"endpoints": ["network"]}, False),
        ({"endpoints": []}, True),
    ],
)
def test_filters(tmp_path: Path, filters: dict[str, Any], wanted: bool) -> None:
    """Each narrows by what the postback says of itself; ad-network ids compare without case."""
    row = SimpleNamespace(
        app_id=1, ad_network_id="Com.Example", framework="skadnetwork", window=0,
        endpoint="forwarded:branch", counted=True, collides_with=None,
        did_win=True,
    )  # fmt: skip
    text = f"destinations:\n  - {{name: a, url: 'https://a.example/', {_flow(filters)}}}\n"
    (one,) = load_destinations(write(tmp_path / "d.yaml", text))
    assert one.wants(row) == wanted


def test_imports_are_not_sent_unless_named(tmp_path: Path) -> None:
    """A year of history is not news to a partner who has had it."""
    (one,) = load_destinations(
        write(tmp_path / "d.yaml", "destinations:\n  - {name: a, url: https://a.example/}\n")
    )
    row = SimpleNamespace(endpoint="import", counted=True, framework="skadnetwork")
    assert not one.wants(row)
    assert one.model_copy(update={"endpoints": ("import",)}).wants(row)


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Neither a URL's key nor a header's value, wherever a destination is printed."""
    (one,) = load_destinations(write(tmp_path / "d.yaml", WHOLE))
    assert "secret" not in repr(one)
    assert "key=k" not in repr(one)


def _flow(filters: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {values}" for name, values in filters.items())


def test_what_is_written_reads_as_it_was(tmp_path: Path, store: Store) -> None:
    """Out of one installation and into another; pauses included, secrets not."""
    path = write(tmp_path / "d.yaml", WHOLE.replace("paused: false", "paused: true"))
    registry.put(store, read_file(path, SETTINGS))
    with store.read() as connection:
        text = written(registry.entries(connection))
    ((one, paused),) = read_file(write(tmp_path / "e.yaml", text), SETTINGS)
    assert registry.written(one) == registry.written(load_destinations(path)[0])
    assert paused
