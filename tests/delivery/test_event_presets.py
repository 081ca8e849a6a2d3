"""What each preset for events sends of the same purchase by users who answered differently.

The golden requests are what a vendor's page asks for, and what consent leaves of it; to make them
anew: `python -m tests.delivery.test_event_presets`.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pytest

from skan_receiver.delivery.destinations import ANY_KIND, EventDestination
from skan_receiver.delivery.event_facts import WHO as WHO_IT_WAS
from skan_receiver.delivery.event_facts import identifying
from skan_receiver.delivery.presets import PRESETS, Preset, fill
from skan_receiver.delivery.vault import put_secret
from skan_receiver.mmp.event import Att, Event, Kind, Platform, Signals
from skan_receiver.storage import Store, migrate
from skan_receiver.storage.consent import record
from skan_receiver.storage.event_rows import row_of
from tests.delivery.event_presets import EVENT_GIVEN
from tests.delivery.eventing import ANDROID, CONSENTED, DEVICE, PURCHASE, Intake
from tests.delivery.owing import VAULT
from tests.sink import Received, sink

GOLDEN = Path(__file__).parent / "golden"
OF_EVENTS = [preset for preset in PRESETS.values() if preset.kind == "event"]

GERMANY = replace(DEVICE, country="DE", region="BE")
PIXEL = replace(DEVICE, os_version="15", model="Pixel 9")

# The same purchase, told of by users who answered differently.
TWINS: dict[str, Event] = {
    "opted in": PURCHASE,
    "opted out": replace(PURCHASE, signals=Signals(att=Att.DENIED)),
    "EEA, consented": replace(PURCHASE, device=GERMANY, signals=CONSENTED),
    "EEA, no personalised ads": replace(
        PURCHASE, device=GERMANY, signals=replace(CONSENTED, ad_personalization=False)
    ),
    "EEA, nothing said": replace(PURCHASE, device=GERMANY),
    "opted out in a US state": replace(
        PURCHASE, signals=replace(PURCHASE.signals, limited_data_use=True)
    ),
    "a child's app": replace(PURCHASE, signals=replace(PURCHASE.signals, child_directed=True)),
    "Android": replace(
        PURCHASE, person=ANDROID, device=PIXEL, platform=Platform.ANDROID, signals=Signals()
    ),
    "an install": replace(
        PURCHASE, kind=Kind.INSTALL, name="install", revenue=None, currency=None, order_id=None
    ),
}
EVENTS = [replace(event, event_id=about) for about, event in TWINS.items()]

# The transport's and the sink's, and what differs each time.
PASSING = {
    "accept-encoding", "content-length", "host", "webhook-timestamp",
}  # fmt: skip


def head(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def made(preset: Preset, store: Store) -> list[dict[str, Any]]:
    """What it sends of each twin, or why nothing."""
    definition, secrets = fill(preset, preset.name, EVENT_GIVEN[preset.name])
    record(store, allows=True, author="owner", reason="a test")
    with sink() as open_:
        intake = Intake(store)
        moved = definition["url"].replace(head(definition["url"]), head(open_.url))
        destination = ANY_KIND.validate_python({**definition, "url": moved})
        assert isinstance(destination, EventDestination)
        intake.define(destination)
        for name, plain in secrets.items():
            put_secret(store, VAULT, preset.name, name, plain)
        intake.take(*EVENTS)
        intake.deliver()
    requests = {one.id.partition("_")[0]: one for one in open_.received}
    return [
        told(event, requests.get(event.identity.hex()), intake.reason(event.event_id, preset.name))
        | ({} if event.identity.hex() not in requests else {"vendor": head(definition["url"])})
        for event in EVENTS
    ]


def told(event: Event, got: Received | None, reason: str) -> dict[str, Any]:
    if got is None:
        return {"about": event.event_id, "held": reason}
    headers = {name: got.headers[name] for name in sorted(got.headers.keys() - PASSING)}
    if headers.get("user-agent", "").startswith("skan-receiver/"):
        del headers["user-agent"]
    body = json.loads(got.body) if got.body else None
    return {"about": event.event_id, "method": got.method, "path": got.path,
            "headers": headers, "body": body}  # fmt: skip


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url)
    yield store
    store.close()


def golden(preset: Preset) -> list[dict[str, Any]]:
    """The requests the preset is to make."""
    read: list[dict[str, Any]] = json.loads((GOLDEN / f"{preset.name}.json").read_text("utf-8"))
    return read


def each() -> list[Any]:
    return [pytest.param(preset, id=preset.name) for preset in OF_EVENTS]


@pytest.mark.parametrize("preset", each())
def test_a_preset_sends_its_golden_requests(sqlite_store: Store, preset: Preset) -> None:
    """Of each twin to the last member, or the reason why nothing is sent."""
    assert made(preset, sqlite_store) == golden(preset)


BARE = ["opted out", "EEA, no personalised ads"]


@pytest.mark.parametrize("preset", each())
def test_nothing_tells_of_a_user_who_did_not_consent(preset: Preset) -> None:
    """Neither an identifier nor a hash of one, nor the device, nor the ad: in no byte."""
    for one in golden(preset):
        if one["about"] not in BARE or preset.name == "google-app":
            continue
        sent = json.dumps({name: one[name] for name in ("path", "headers", "body") if name in one})
        event = next(event for event in EVENTS if event.event_id == one["about"])
        row: Any = type("Row", (), row_of(event) | {"withdrawn_by": None})
        for value in (
            *identifying(row, WHO_IT_WAS).values(),
            "18.1",
            "iPhone16",
            "en-US",
            "c-77",
            "US iOS",
        ):
            assert value.lower() not in sent.lower(), value


@pytest.mark.parametrize("preset", each())
def test_nobody_hears_of_a_child_or_of_who_said_nothing(preset: Preset) -> None:
    """Whatever the vendor's rules are."""
    held = {one["about"]: one.get("held", "") for one in golden(preset)}
    assert held["EEA, nothing said"] == "GDPR: consent to use data for ads is not known"
    assert "children" in held["a child's app"]


def test_google_is_told_of_consent_in_every_event() -> None:
    """What was not said is absent, which is neither of its two answers."""
    paths = {one["about"]: one.get("path", "") for one in golden(PRESETS["google-app"])}
    assert "&eea=1&ad_user_data=1&ad_personalization=1" in paths["EEA, consented"]
    assert "&eea=1&ad_user_data=1&ad_personalization=0" in paths["EEA, no personalised ads"]
    assert paths["opted in"].endswith("&eea=0")


def test_a_us_opt_out_is_told_in_each_ones_words() -> None:
    """LDU with Meta and Snap, limited_data_use with TikTok; who has no word gets nothing."""
    twin = "opted out in a US state"
    told = {
        preset.name: next(one for one in golden(preset) if one["about"] == twin)
        for preset in OF_EVENTS
    }
    for name in ("meta-app", "snap-app"):
        (data,) = told[name]["body"]["data"]
        assert data["data_processing_options"] == ["LDU"]
        assert data["data_processing_options_country"] == 0
        assert data["data_processing_options_state"] == 0
    assert told["tiktok-app"]["body"]["data"][0]["limited_data_use"] is True
    assert "cannot be told so" in told["google-app"]["held"]


@pytest.mark.parametrize("name", ["meta-app", "snap-app"])
def test_extinfo_has_sixteen_texts_in_order(name: str) -> None:
    """As Meta's page has it; what is not known is an empty text."""
    sent = next(one for one in golden(PRESETS[name]) if one["about"] == "opted in")
    extinfo = sent["body"]["data"][0]["app_data"]["extinfo"]
    told = ["i2", "com.example.game", "4.2.0", "", "18.1", "iPhone16,2", "en-US"]
    assert extinfo == [*told, *[""] * 9]


@pytest.mark.parametrize("preset", each())
def test_what_is_required_is_sent_of_who_consented(preset: Preset) -> None:
    """By the vendor's table."""
    sent = next(one for one in golden(preset) if one["about"] == "opted in")
    text = json.dumps(sent)
    required = [field.name for field in preset.fields if field.need == "required"]
    assert not [name for name in required if f'"{name}"' not in text and f"{name}=" not in text]


def write() -> None:
    """The golden files, as the presets are now: read what changed before you keep it."""
    for preset in OF_EVENTS:
        with TemporaryDirectory() as folder:
            store = Store(f"sqlite:///{folder}/skan.sqlite3")
            migrate.upgrade(store)
            text = json.dumps(made(preset, store), indent=1, ensure_ascii=False)
            store.close()
        (GOLDEN / f"{preset.name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    write()
