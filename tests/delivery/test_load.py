"""The file of destinations: what it may say, and how it is told what is wrong."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from skan_receiver.delivery import Destinations, load_destinations
from skan_receiver.errors import ConfigurationError

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


def write(path: Path, text: str, *, still: bool = True) -> Path:
    """Write it; as if a while ago."""
    path.write_text(text)
    if still:
        then = time.time() - 60 - path.stat().st_size
        os.utime(path, (then, then))
    return path


def test_a_file_that_says_everything(tmp_path: Path) -> None:
    """Every field there is, as docs/destinations.md lists them."""
    (one,) = load_destinations(write(tmp_path / "d.yaml", WHOLE))
    assert (one.name, one.kind, one.url) == ("mmp-copy", "relay", "https://mmp.example/in?key=k")
    assert (one.apps, one.ad_networks) == ((525463029, 6000000000), ("com.example",))


def test_no_file_is_no_destinations(tmp_path: Path) -> None:
    """A newcomer has none."""
    assert load_destinations(tmp_path / "none.yaml") == ()
    assert load_destinations(write(tmp_path / "d.yaml", "destinations: []\n")) == ()


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
            ":4: window: no destination has this; did you mean `windows`?",
        ),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n    apps: 5\n",
            ":4: apps: must be a list, as in [5]",
        ),
        (
            "destinations:\n  - name: a\n    url: ftp://a.example/\n",
            ":3: url: the URL must begin with https:// or http://; write https://partner",
        ),
        (
            "destinations:\n  - name: a\n    url: https://me:pw@a.example/\n",
            ":3: url: the URL may not carry a user name or password",
        ),
        (
            "destinations:\n  - name: a\n    url: https://a.example/\n"
            '    headers: {X: "a\\r\\nb"}\n',
            ":4: headers: the header 'X' may hold visible ASCII only",
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
            ":3: kind: should be 'relay'",
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
    text = "destinations:\n  - name: A\n    kind: x\n  - url: nowhere\n"
    with pytest.raises(ConfigurationError) as raised:
        load_destinations(write(tmp_path / "d.yaml", text))
    assert [line.split(":")[1] for line in str(raised.value).splitlines()] == (
        ["2", "3", "2", "4", "4"]
    )


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """Without a restart; once it has been left alone for a second."""
    path = tmp_path / "d.yaml"
    destinations = Destinations(path)
    assert destinations.now() == ()
    write(path, WHOLE)
    assert [one.name for one in destinations.now()] == ["mmp-copy"]
    write(path, WHOLE.replace("mmp-copy", "other"))
    assert [one.name for one in destinations.now()] == ["other"]
    write(path, "destinations: []", still=False)
    assert [one.name for one in destinations.now()] == ["other"]
    time.sleep(1.1)
    assert destinations.now() == ()


@pytest.mark.parametrize("damage", ["destinations:\n  - name: [", "", None])
def test_a_damaged_file_changes_nothing(tmp_path: Path, damage: str | None) -> None:
    """Were it read as "none", what settles meanwhile would be owed to nobody, for ever."""
    path = write(tmp_path / "d.yaml", WHOLE)
    destinations = Destinations(path)
    before = destinations.now()
    if damage is None:
        path.unlink()
    else:
        write(path, damage)
    assert destinations.now() == before
    write(path, WHOLE.replace("mmp-copy", "mended"))
    assert [one.name for one in destinations.now()] == ["mended"]


def test_a_file_that_was_never_right_is_an_error(tmp_path: Path) -> None:
    """The worker then settles nothing: the queue keeps, and it will be owed once it is mended."""
    path = write(tmp_path / "d.yaml", "destinations: 1")
    destinations = Destinations(path)
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            destinations.now()
    write(path, WHOLE)
    assert len(destinations.now()) == 1


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
        endpoint="forwarded:branch",
    )  # fmt: skip
    text = f"destinations:\n  - {{name: a, url: 'https://a.example/', {_flow(filters)}}}\n"
    (one,) = load_destinations(write(tmp_path / "d.yaml", text))
    assert one.wants(row) == wanted


def test_imports_are_not_sent_unless_named(tmp_path: Path) -> None:
    """A year of history is not news to a partner who has had it."""
    (one,) = load_destinations(
        write(tmp_path / "d.yaml", "destinations:\n  - {name: a, url: https://a.example/}\n")
    )
    row = SimpleNamespace(endpoint="import")
    assert not one.wants(row)
    assert one.model_copy(update={"endpoints": ("import",)}).wants(row)


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Neither a URL's key nor a header's value, wherever a destination is printed."""
    (one,) = load_destinations(write(tmp_path / "d.yaml", WHOLE))
    assert "secret" not in repr(one)
    assert "key=k" not in repr(one)


def _flow(filters: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {values}" for name, values in filters.items())


def test_who_settles_waits_for_a_file_that_is_being_written(tmp_path: Path) -> None:
    """What arrives after a destination was written down is owed to it."""
    path = tmp_path / "destinations.yaml"
    destinations = Destinations(path)
    assert destinations.now() == ()
    path.write_text(WHOLE)
    assert destinations.changing
    os.utime(path, (1, 1))
    assert not destinations.changing
    assert [one.name for one in destinations.now()] == ["mmp-copy"]
