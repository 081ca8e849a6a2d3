"""People are told once, told again every day, and told when it is over; whoever cannot be told is
told later."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from skan_receiver.alerting.book import (
    ChannelRefused,
    Wanted,
    channels,
    put_channel,
    remove_channel,
)
from skan_receiver.alerting.channels.kind import Wires
from skan_receiver.alerting.endpoint import Endpoint
from skan_receiver.alerting.telling import test as try_out
from skan_receiver.alerting.thresholds import LimitsRefused, UnknownRule, set_rule, settings
from skan_receiver.alerting.watch import Watch
from skan_receiver.config import Settings
from skan_receiver.delivery import Transport, Vault
from skan_receiver.delivery.vault import rotate
from skan_receiver.errors import DeliveryFailed
from skan_receiver.storage import Store, alerts
from tests.alerting.mailing import mail_server
from tests.alerting.planted import DAY, NOW, daily, plant
from tests.sink import Sink, answers, sink

SECRET = "whsec_" + "QUJD" * 8
MINUTE = timedelta(minutes=1)


class Office:
    """A store whose watch is stepped by hand, and a channel to the sink."""

    def __init__(self, store: Store, folder: Path, **said: Any) -> None:
        self.store = store
        usual = {"var": folder, "private_destinations": True, "public_url": "https://skan.example"}
        self.settings = Settings(**{**usual, **said})
        self.transport = Transport(allow_private=True, exchange_seconds=2.0)
        self.watch = self.another()

    def another(self) -> Watch:
        nowhere = Endpoint("", self.transport)
        return Watch(self.store, self.settings, self.transport, nowhere, threading.Event(), first=0)

    def look(self, now: datetime) -> None:
        self.watch.step(now)

    def channel(self, name: str = "ops", kind: str = "webhook", **said: Any) -> None:
        put_channel(self.store, self.settings, Wanted(name=name, kind=kind, **said))

    def error(self) -> str:
        with self.store.read() as connection:
            return channels(connection)[0].last_error

    def open(self) -> list[str]:
        with self.store.read() as connection:
            return [row.subject for row in alerts.open_alerts(connection)]


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Iterator[Office]:
    office = Office(store, tmp_path)
    yield office
    office.transport.close()


@pytest.fixture
def heard() -> Iterator[Sink]:
    with sink() as made:
        yield made


def silent(store: Store) -> None:
    """A network from which nothing came for four days."""
    plant(store, *daily(range(4, 25), 5))


def states(heard: Sink) -> list[str]:
    return [one["state"] for got in heard.received for one in json.loads(got.body)["alerts"]]


def test_an_alert_is_told_once_again_after_a_day_and_when_it_is_over(
    office: Office, heard: Sink
) -> None:
    """Over is what has not been found for half an hour."""
    office.channel(url=heard.url)
    silent(office.store)
    for minutes in range(5):
        office.look(NOW + minutes * MINUTE)
    assert states(heard) == ["opened"]
    [told] = json.loads(heard.received[0].body)["alerts"]
    assert told["subject"] == "a.example"
    assert "Ask the network" in told["remedy"]
    office.look(NOW + DAY)
    assert states(heard) == ["opened", "reminder"]

    plant(office.store, *daily([-1], 5))
    well = NOW + DAY + 10 * MINUTE
    office.look(well)
    assert office.open() == ["a.example"]
    office.look(well + 31 * MINUTE)
    office.look(well + 33 * MINUTE)
    assert office.open() == []
    assert states(heard) == ["opened", "reminder", "resolved"]


def test_of_several_workers_one_looks(office: Office, heard: Sink) -> None:
    """In each minute."""
    office.channel(url=heard.url)
    silent(office.store)
    for watch in (office.watch, office.another(), office.another()):
        watch.step(NOW)
    assert states(heard) == ["opened"]


def test_who_cannot_be_told_is_told_later(office: Office, heard: Sink) -> None:
    """Once, with all there is; meanwhile the reason is shown, and others are told."""
    heard.behaviour = answers(500)
    office.channel(url=heard.url)
    silent(office.store)
    office.look(NOW)
    assert "it answered 500" in office.error()
    heard.behaviour = answers(200)
    office.look(NOW + MINUTE)
    office.look(NOW + 3 * MINUTE)
    assert office.error() == ""
    assert states(heard) == ["opened", "opened"]
    assert heard.received[0].id == heard.received[1].id


def test_a_webhook_is_signed(office: Office, heard: Sink) -> None:
    """As Standard Webhooks have it; the address and the secret are sealed."""
    office.channel(url=heard.url, secret=SECRET)
    try_out(office.store, Wires(office.transport, office.settings), "ops")
    [got] = heard.received
    told: Any = Webhook(SECRET).verify(got.body, got.headers)
    assert told["alerts"][0]["state"] == "test"
    assert told["url"] == "https://skan.example/alerts"
    with office.store.read() as connection:
        [row] = connection.execute(alerts.CHANNEL.select())
    assert "/in" not in row.definition
    assert SECRET.encode() not in row.sealed
    assert rotate(office.store, Vault(office.settings.vault_keys)) == 1


def test_slack_is_told_in_words(office: Office, heard: Sink) -> None:
    """Of the rules that it wants only, and with nothing in them that means something there."""
    office.channel("chat", "slack", url=heard.url, rules=("silent_network",))
    office.channel("other", "slack", url=heard.url, rules=("caps",))
    silent(office.store)
    plant(office.store, *daily(range(4, 25), 5, ad_network_id="<!channel>"))
    office.look(NOW)
    [got] = heard.received
    text = json.loads(got.body)["text"]
    assert "New: A network is silent" in text
    assert "a.example since 19 Nov" in text
    assert "&lt;!channel&gt;" in text
    assert text.endswith("https://skan.example/alerts")


def test_mail_is_sent(store: Store, tmp_path: Path) -> None:
    """To all addresses at once, by the server of the settings."""
    with mail_server() as mails:
        office = Office(store, tmp_path, smtp_url=mails.url, smtp_from="skan@example.com")
        office.channel("mail", "email", to=("ana@example.com", "bo@example.com"))
        silent(store)
        office.look(NOW)
        assert office.error() == ""
    [lines] = mails.said
    assert "From: skan@example.com" in lines
    assert "Subject: [skan-receiver] New: A network is silent (a.example)" in lines
    assert [line for line in lines if line.startswith("rcpt")] == [
        "rcpt TO:<ana@example.com>",
        "rcpt TO:<bo@example.com>",
    ]


def test_mail_without_a_server_says_what_to_set(office: Office) -> None:
    """In the settings."""
    office.channel("mail", "email", to=("ana@example.com",))
    with pytest.raises(DeliveryFailed, match="SKAN_SMTP_URL"):
        try_out(office.store, Wires(office.transport, office.settings), "mail")
    assert "SKAN_SMTP_URL" in office.error()


def test_no_password_is_sent_in_the_clear(store: Store, tmp_path: Path) -> None:
    """A server that offers no encryption is told nothing; one on this machine would be."""
    with mail_server("127.0.0.2") as mails:
        url = mails.url.replace("//", "//ana:secret%40@")
        office = Office(store, tmp_path, smtp_url=url)
        office.channel("mail", "email", to=("ana@example.com",))
        with pytest.raises(DeliveryFailed, match="STARTTLS"):
            try_out(store, Wires(office.transport, office.settings), "mail")
        office.transport.close()
    assert not any("AUTH" in line.upper() for line in mails.said[0])


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "webhook"}, "url"),
        ({"kind": "webhook", "url": "ftp://a.example/"}, "url"),
        ({"kind": "webhook", "url": "http://169.254.169.254/"}, "url"),
        ({"kind": "webhook", "url": "http://127.0.0.1:1080/", "secret": "short"}, "secret"),
        ({"kind": "slack", "url": "http://127.0.0.1:1080/", "to": ("a@b.example",)}, "to"),
        ({"kind": "email"}, "to"),
        ({"kind": "email", "to": ("ana@example.com\nBcc: all",)}, "to"),
        ({"kind": "email", "to": ("ana@example.com",), "rules": ("weather",)}, "rules"),
    ],
)
def test_a_channel_that_makes_no_sense_is_refused(
    office: Office, wanted: dict[str, Any], field: str
) -> None:
    """At the field that is wrong."""
    with pytest.raises(ChannelRefused) as refused:
        office.channel("bad", **wanted)
    assert [name for name, _ in refused.value.mistakes] == [field]


def test_a_channel_keeps_its_address_where_none_is_said(office: Office, heard: Sink) -> None:
    """Nobody can read it back, so nobody has to write it again; a removed one is told nothing."""
    office.channel(url=heard.url, secret=SECRET)
    office.channel(rules=("silent_network",))
    silent(office.store)
    office.look(NOW)
    assert states(heard) == ["opened"]
    assert "webhook-signature" in heard.received[0].headers
    remove_channel(office.store, "ops")
    office.look(NOW + DAY)
    assert len(heard.received) == 1


def test_a_rule_is_set_and_turned_off(office: Office) -> None:
    """What is off ends without a word; what is as usual again leaves no row."""
    silent(office.store)
    office.look(NOW)
    set_rule(office.store, "silent_network", {"hours": 200})
    with office.store.read() as connection:
        assert settings(connection)["silent_network"].limits == {"hours": 200, "days": 10}
    set_rule(office.store, "silent_network", {}, is_off=True)
    office.look(NOW + MINUTE)
    assert office.open() == []
    set_rule(office.store, "silent_network", {})
    with office.store.read() as connection:
        assert connection.execute(alerts.SETTING.select()).all() == []
    with pytest.raises(LimitsRefused, match="hours: must be a number from 24"):
        set_rule(office.store, "silent_network", {"hours": float("nan")})
    with pytest.raises(LimitsRefused, match="no such limit"):
        set_rule(office.store, "silent_network", {"years": 1})
    with pytest.raises(UnknownRule, match="null_rate"):
        set_rule(office.store, "weather", {})


def test_many_alerts_are_one_message(office: Office, heard: Sink) -> None:
    """In words as many as Slack takes."""
    office.channel("chat", "slack", url=heard.url)
    for number in range(25):
        plant(office.store, *daily(range(4, 18), 5, ad_network_id=f"n{number:02}.example"))
    office.look(NOW)
    [got] = heard.received
    text = json.loads(got.body)["text"]
    assert text.count("New: A network is silent") == 20
    assert "And 5 more." in text


def test_a_rule_that_breaks_leaves_its_alerts_as_they_are(office: Office) -> None:
    """And keeps no other from being asked: here the history of schemas cannot be read."""
    silent(office.store)
    office.store.write(lambda c: c.exec_driver_sql("ALTER TABLE schema_version RENAME TO away"))
    office.look(NOW)
    assert office.open() == ["a.example"]
