"""What each preset sends, to the byte, and that it can send nothing else.

The golden requests are what a vendor's page asks for, so they change when the page does.
"""

import json
import re
import time
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, update
from standardwebhooks import Webhook

from skan_receiver import Verdict, parse, verify
from skan_receiver.config import Settings
from skan_receiver.delivery import Deliverer
from skan_receiver.delivery.destinations import ANY_KIND, Destination, ReportDestination
from skan_receiver.delivery.destinations.relay import APPLES
from skan_receiver.delivery.edition import edition
from skan_receiver.delivery.owing import Owed, owe
from skan_receiver.delivery.presets import PRESETS, ROLES, UNCONFIRMED, Preset, fill
from skan_receiver.delivery.presets.document import document
from skan_receiver.delivery.presets.parameters import LABEL
from skan_receiver.delivery.registry import find, put
from skan_receiver.delivery.templates.mask import MASK
from skan_receiver.delivery.templates.personal import identifies
from skan_receiver.delivery.vault import put_secret
from skan_receiver.delivery.window_spans import containing
from skan_receiver.delivery.windows import identity
from skan_receiver.errors import ConfigurationError
from skan_receiver.ingest import Incoming, Ingest
from skan_receiver.protocol.curves import CURVES
from skan_receiver.settle import settle
from skan_receiver.storage import Fresh, ReportWindow, Store, StoredPostback
from skan_receiver.storage.campaign_import import import_campaigns
from skan_receiver.storage.campaigns import Entry
from skan_receiver.storage.columns import table
from skan_receiver.storage.schemas import Publication, publish
from skan_receiver.testing import Signer, encode
from tests.conversion.schemas import rules, text
from tests.delivery.event_presets import EVENT_GIVEN
from tests.delivery.owing import VAULT, Books, sender
from tests.receiving import NOON
from tests.sink import Received, sink

GOLDEN = Path(__file__).parent / "golden"
DOCS = Path(__file__).parents[2] / "docs" / "presets.md"

IP = "203.0.113.7"
APP = 525463029
URL = "https://partner.example/skan"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NETWORKS = "example123.skadnetwork,example123.adattributionkit"

# What a customer would say; presets that are not here ask for nothing.
GIVEN: dict[str, dict[str, str]] = {
    "adjust": {"token": "t0pS3cr3tT0k3n"},
    "airbridge": {"channel": "adnetwork_abc"},
    "kochava": {"subdomain": "acme"},
    "singular": {"url": URL, "partner": "acme", "ad_networks": NETWORKS},
    "ga4": {
        "firebase_app_id": "1:1234567890:ios:321abc456def7890",
        "api-secret": "Zx8vQkq1TlGzXcW0aB2cDe",
        "app_id": str(APP),
        "ad_networks": NETWORKS,
        "source": "example",
    },
    "webhook": {"url": URL, "signing": SIGNING},
    "webhook-relay": {"url": URL, "signing": SIGNING},
    "bidding": {"url": URL, "signing": SIGNING},
    **EVENT_GIVEN,
}
SECRETS = ("t0pS3cr3tT0k3n", "Zx8vQkq1TlGzXcW0aB2cDe", SIGNING)

# The same keys each time, so that a signature is the same too (RFC 6979).
SIGNER = Signer(seed=1, private={
    name: ec.derive_private_key(1_000_003, curve()) for name, curve in CURVES.items()
})  # fmt: skip
KEYS = SIGNER.keys(production=True)

SKAN, AAK = SIGNER.skadnetwork, SIGNER.adattributionkit

# An ad network's own, and copies for an app's developer: where they came in, and what.
POSTBACKS: list[tuple[str, str, bytes]] = [
    (framework, endpoint, encode(body))
    for framework, endpoint, body in [
        ("skadnetwork 4.0", "network", SKAN("4.0", conversion_value=20, source_app_id=1234567891)),
        ("skadnetwork 3.0", "network", SKAN("3.0", conversion_value=20, source_app_id=1234567891)),
        ("skadnetwork 2.2", "network", SKAN("2.2")),
        ("adattributionkit", "network", AAK(conversion_value=20, country_code="DE")),
        ("skadnetwork 3.0", "developer", SKAN("3.0", conversion_value=0)),
        ("skadnetwork 4.0", "developer", SKAN("4.0", coarse_conversion_value="low")),
        ("adattributionkit", "developer", AAK(coarse_conversion_value="low")),
    ]
]

NAMES: dict[str, Any] = {
    "campaign_id": "c-77",
    "campaign_name": "US “iOS” & Broad",
    "adset_id": "a-12",
    "adset_name": "Look-alikes",
    "ad_id": "d-3",
    "ad_name": "v1",
    "channel": "video",
    "tracker": "abc123",
}
CAMPAIGN_OF: list[tuple[str, dict[str, Any]]] = [
    ("example123.skadnetwork", {"source_identifier": "5239"}),
    ("example123.skadnetwork", {"skan_campaign_id": 42}),
    ("example123.adattributionkit", {"source_identifier": "5239"}),
]
CAMPAIGNS = [
    Entry(starts_on=date(2026, 1, 1), ad_network_id=network, **identifier, **NAMES)
    for network, identifier in CAMPAIGN_OF
]
SCHEMA = text(
    rules(
        "value: 20, coarse: medium, when: [{event: purchase}, "
        "{revenue: total, at_least: 5, less_than: 10}]",
        "value: 0, coarse: low",
    )
).replace("app: 42", f"app: {APP}")


def each(presets: Iterable[Preset]) -> list[Any]:
    """Each as a parameter of a test, by its name."""
    return [pytest.param(preset, id=preset.name) for preset in presets]


ALL = each(PRESETS.values())
# A report is of a period, which is not sent for a postback; of events see test_event_presets.
OF_POSTBACKS = [p for p in PRESETS.values() if p.role not in ("report", "events")]
WITH_IP = [p for p in OF_POSTBACKS if "with_ip" in {one.name for one in p.parameters}]


Filled = tuple[dict[str, Any], dict[str, str]]


def filled(preset: Preset, **more: str) -> Filled:
    return fill(preset, preset.name, {**GIVEN.get(preset.name, {}), **more})


def urls(definition: Mapping[str, Any]) -> list[str]:
    url = definition["url"]
    return list(url.values()) if isinstance(url, dict) else [url]


def head(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def redirected(definition: Mapping[str, Any], to: str) -> Destination:
    """The destination at the sink: another scheme and host, and nothing else."""
    url = definition["url"]
    if isinstance(url, dict):
        moved: Any = {key: each.replace(head(each), head(to)) for key, each in url.items()}
    else:
        moved = url.replace(head(url), head(to))
    return ANY_KIND.validate_python({**definition, "url": moved})


@dataclass(frozen=True, slots=True)
class Run:
    """What came of all postbacks, by destination, in the order of the postbacks."""

    received: dict[str, list[tuple[int, Received]]]
    attempts: list[Any]


def echoes(handler: Any) -> None:
    """Take it, and repeat what was asked, as some do."""
    handler.send(200, f"{handler.path}\n{handler.headers}".encode())


def run(store: Store, wanted: list[Filled]) -> Run:
    """Receive, settle and deliver every postback, as a server and its worker would."""
    with sink(echoes) as open_:
        prepare(store, wanted, open_.url)
        receive(store)
        deliver(store)
    books = Books(store)
    identities = [row.identity.hex() for row in books.receiver.rows(StoredPostback)]
    found: dict[str, list[tuple[int, Received]]] = {name["name"]: [] for name, _ in wanted}
    for one in open_.received:
        of, name = one.id.split("_")
        found[name].append((identities.index(of), one))
    for several in found.values():
        several.sort(key=lambda pair: pair[0])
    return Run(found, books.attempts())


def prepare(store: Store, wanted: list[Filled], to: str) -> None:
    """Have campaigns, a schema and the destinations; a moment passes on SQLite's clock."""
    import_campaigns(store, CAMPAIGNS, replace=False)
    publish(store, Publication(SCHEMA), NOON)
    for definition, secrets in wanted:
        put(store, [(redirected(definition, to), None)])
        for name, plain in secrets.items():
            put_secret(store, VAULT, definition["name"], name, plain)
    time.sleep(0.002)


def receive(store: Store) -> None:
    """Every device has an address, which is kept for those who need it."""
    ingest = Ingest(store, Settings(), KEYS)
    ingest([Incoming(NOON, endpoint, body) for _, endpoint, body in POSTBACKS])
    sealed = update(table(Fresh)).values(sealed_ip=VAULT.seal(IP))
    store.write(lambda connection: connection.execute(sealed))
    while settle(store, Settings(), NOON):
        pass


def deliver(store: Store) -> None:
    worker = Deliverer(store, sender(store))
    books, deadline = Books(store), time.monotonic() + 20
    while set(books.states()) - {"done"}:
        failed = [row.error for row in books.attempts() if row.error]
        assert not failed, failed
        assert time.monotonic() < deadline
        if not worker.step():
            worker.wake.wait(0.05)
            worker.wake.clear()
    worker.finish()


@pytest.fixture(scope="module")
def fresh_store(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Any]:
    """Makes stores that live as long as the module."""
    made: list[Store] = []

    def make() -> Store:
        path = tmp_path_factory.mktemp("presets") / "skan.sqlite3"
        path.write_bytes(sqlite_template.read_bytes())
        made.append(Store(f"sqlite:///{path}"))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture(scope="module")
def sent(fresh_store: Any) -> Run:
    """What every preset sends."""
    return run(fresh_store(), [filled(preset) for preset in OF_POSTBACKS])


@pytest.fixture(scope="module")
def sent_with_ip(fresh_store: Any) -> Run:
    """What those send that were told to pass the device's address on."""
    return run(fresh_store(), [filled(preset, with_ip="yes") for preset in WITH_IP])


def golden(preset: Preset) -> list[dict[str, Any]]:
    """The requests the preset is to make."""
    read: list[dict[str, Any]] = json.loads((GOLDEN / f"{preset.name}.json").read_text("utf-8"))
    return read


# The transport's, the sink's, and what differs each time.
PASSING = {
    "accept-encoding", "content-length", "host", "user-agent", "webhook-timestamp",
    "webhook-signature",
}  # fmt: skip


def as_golden(preset: Preset, about: str, got: Received) -> dict[str, Any]:
    """A request as it would have gone to the vendor."""
    definition, _ = filled(preset)
    return {
        "about": about,
        "method": got.method,
        "url": head(urls(definition)[0]) + got.path,
        "headers": {name: got.headers[name] for name in sorted(got.headers.keys() - PASSING)},
        "body": got.body.decode(),
    }


@pytest.mark.parametrize("preset", each(OF_POSTBACKS))
def test_a_preset_sends_its_golden_requests(sent: Run, preset: Preset) -> None:
    """To the byte, and to the vendor's address; and nothing for any other postback."""
    made = [
        as_golden(preset, ", ".join(POSTBACKS[number][:2]), got)
        for number, got in sent.received[preset.name]
    ]

    assert made == golden(preset)
    assert made


def issue(store: Store, preset: Preset) -> None:
    """Owe the report of a day of installs, as of the moment when all postbacks had come."""
    span = containing("day", NOON - timedelta(days=3))
    key = identity(preset.name, span, 0)
    with store.read() as connection:
        destination = find(connection, preset.name).destination
        assert isinstance(destination, ReportDestination)
        made = edition(connection, destination, span, NOON)
    window = ReportWindow(
        id=1, identity=key, destination=preset.name, start=span.start, end=span.end,
        content=made.content, content_hash=made.hash, created_at=NOON,
    )  # fmt: skip

    def work(connection: Connection) -> None:
        connection.execute(table(ReportWindow).insert(), window.model_dump())
        owe(connection, [Owed(key, 1, preset.name)], NOON)

    store.write(work)


def test_a_report_sends_its_golden_request(fresh_store: Any) -> None:
    """Of a day of installs, made from the same postbacks."""
    preset, store = PRESETS["bidding"], fresh_store()
    with sink(echoes) as open_:
        prepare(store, [filled(preset)], open_.url)
        receive(store)
        issue(store, preset)
        deliver(store)
    assert [as_golden(preset, "a day", got) for got in open_.received] == golden(preset)


def test_every_golden_request_is_of_a_preset() -> None:
    """One that is left over would be believed by whoever reads it."""
    assert {path.stem for path in GOLDEN.iterdir()} == PRESETS.keys()


@pytest.mark.parametrize("preset", each([p for p in OF_POSTBACKS if p.kind == "relay"]))
def test_a_relay_still_verifies(sent: Run, preset: Preset) -> None:
    """Apple's bytes are the beginning of what is sent, and its signature holds."""
    for number, got in sent.received[preset.name]:
        assert got.body.startswith(POSTBACKS[number][2].rstrip(b"}"))
        assert verify(parse(got.body), KEYS) is Verdict.VALID


def test_a_postback_in_a_query_still_verifies(sent: Run) -> None:
    """What the open standard carries as base64 is what Apple sent."""
    for number, got in sent.received["singular"]:
        (carried,) = parse_qs(urlsplit(got.path).query)["skan_postback"]
        assert b64decode(carried, validate=True) == POSTBACKS[number][2]


@pytest.mark.parametrize("name", ["webhook", "webhook-relay"])
def test_a_webhook_is_signed(sent: Run, name: str) -> None:
    """As the library of Standard Webhooks checks it."""
    for _, got in sent.received[name]:
        Webhook(SIGNING).verify(got.body, got.headers)


def members(tree: Any) -> Iterator[tuple[str, Any]]:
    """Every member of a body, however deep."""
    if isinstance(tree, dict):
        yield from tree.items()
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from members(each)


def said(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says, by name: of its query and of its body."""
    query = {name: value for name, (value,) in parse_qs(urlsplit(request["url"]).query).items()}
    return {**query, **dict(members(json.loads(request["body"] or "{}")))}


@pytest.mark.parametrize("preset", each([p for p in PRESETS.values() if p.role != "events"]))
def test_no_request_identifies_anybody(preset: Preset) -> None:
    """No name of an identifier, no address; every device had one."""
    for request in golden(preset):
        assert not [name for name in said(request) if identifies(name)]
        assert IP not in json.dumps(request)
        assert IP not in b64decode(said(request).get("skan_postback", "")).decode()


@pytest.mark.parametrize("preset", each(WITH_IP))
def test_an_address_is_sent_where_somebody_said_so(sent_with_ip: Run, preset: Preset) -> None:
    """One more member, at the end, under the vendor's name for it; all else is as without."""
    (added,) = [one.adds["add"] for one in preset.parameters if one.name == "with_ip"]
    (name,) = added
    made = [got.body.decode() for _, got in sent_with_ip.received[preset.name]]

    assert made == [f'{one["body"][:-1]},"{name}":"{IP}"}}' for one in golden(preset)]
    assert name in {field.name for field in preset.fields}


TYPES = {"string": str, "integer": int}


@pytest.mark.parametrize("preset", each([p for p in OF_POSTBACKS if p.kind == "relay"]))
def test_what_is_beside_apples_is_documented(preset: Preset) -> None:
    """In the table of the vendor's members, with its type."""
    types = {field.name: TYPES[field.type] for field in preset.fields}
    for request in golden(preset):
        beside = {name: value for name, value in said(request).items() if name not in APPLES}
        assert all(isinstance(value, types[name]) for name, value in beside.items())


@pytest.mark.parametrize("preset", each([p for p in OF_POSTBACKS if p.fields]))
def test_what_is_required_is_sent(preset: Preset) -> None:
    """In every request, whatever the postback."""
    required = {field.name for field in preset.fields if field.need == "required"}
    for request in golden(preset):
        assert required <= said(request).keys()


def test_no_secret_is_shown(sent: Run) -> None:
    """Not by a definition, a destination, a preset or a try, though receivers repeat them."""
    assert {one.status for one in sent.attempts} == {200}
    assert any(MASK in one.answer for one in sent.attempts)
    shown = [*map(str, sent.attempts), repr(PRESETS)]
    for preset in OF_POSTBACKS:
        definition, _ = filled(preset)
        shown += [json.dumps(definition), repr(ANY_KIND.validate_python(definition))]
    assert not [secret for secret in SECRETS if secret in "".join(shown)]


@pytest.mark.parametrize("preset", ALL)
def test_a_preset_says_how_we_know(preset: Preset) -> None:
    """The page it is from, for whom it is, and whether a page says that servers may send it."""
    assert PRESETS[preset.name] is preset
    assert re.search(r"\w+\.\w+", preset.source)
    assert preset.role in ROLES
    assert preset.confirmed
    assert (UNCONFIRMED in preset.confirmed) or preset.role != "developer copy"


@pytest.mark.parametrize("preset", ALL)
def test_a_preset_asks_for_what_it_lacks(preset: Preset) -> None:
    """Neither more nor less; secrets stay secrets."""
    definition, secrets = filled(preset)
    destination = ANY_KIND.validate_python(definition)
    places = set(re.findall("<([^>]*)>", json.dumps(preset.definition)))

    assert places == {p.name for p in preset.parameters if not p.secret and not p.adds}
    assert destination.secret_names == secrets.keys()
    assert (destination.name, destination.kind) == (preset.name, preset.kind)
    assert destination.preset == preset.name


@pytest.mark.parametrize("preset", ALL)
def test_an_example_is_taken_unless_it_is_of_a_secret(preset: Preset) -> None:
    """A secret that stands in a page is none."""
    for parameter in preset.parameters:
        assert bool(re.fullmatch(parameter.pattern, parameter.example)) is not parameter.secret


TRICKY = st.text("aZ0-._~:/?#@\\{}<>%&=+, \n\u00e9\u2063", max_size=12)
ASKING = [preset for preset in PRESETS.values() if any(not p.secret for p in preset.parameters)]


@pytest.mark.parametrize("preset", each(ASKING))
@given(data=st.data())
def test_no_parameter_chooses_where_a_request_goes(preset: Preset, data: st.DataObject) -> None:
    """But a label of the host, or the address itself, where asked for; and none adds a macro."""
    asked = data.draw(st.sampled_from([p.name for p in preset.parameters if not p.secret]))
    usual = GIVEN.get(preset.name, {}).get(asked, "")
    value = data.draw(TRICKY | TRICKY.map(lambda more: usual + more))
    try:
        definition, _ = filled(preset, **{asked: value})
    except ConfigurationError:
        return
    before, _ = filled(preset)
    chosen = {"url": head(value), "subdomain": f"https://{value}.adsmeasurement.com"}
    assert asked != "subdomain" or re.fullmatch(LABEL, value)
    for now, then in zip(urls(definition), urls(before), strict=True):
        assert head(now) == chosen.get(asked, head(then))
        assert now.startswith("https://")
    assert macros(definition) == macros(before)


def macros(definition: Mapping[str, Any]) -> frozenset[str]:
    """What its templates say; the address only where somebody said so."""
    return ANY_KIND.validate_python(definition).macros - {"ip"}


HOOK = {"url": URL, "signing": SIGNING}
UNASKED, WRONG = "does not ask for it; ", "is not what is asked for: "
SAID_WRONG = [
    ("adjust", {}, "token: is missing: the sk_network_token that Adjust gave the network"),
    ("adjust", {"tokn": "abcd1234"}, f"tokn: the preset adjust {UNASKED}did you mean `token`?"),
    ("branch", {"colour": "red"}, f"colour: the preset branch {UNASKED}it asks for with_ip"),
    (
        "adjust-copy",
        {"token": "abcd"},
        f"token: the preset adjust-copy {UNASKED}it asks for nothing",
    ),
    ("kochava", {"subdomain": "acme.evil"}, f"subdomain: {WRONG}the subdomain that Kochava"),
    ("kochava", {"subdomain": "acme\n"}, f"subdomain: {WRONG}the subdomain that Kochava"),
    ("webhook", HOOK | {"url": "http://partner.example"}, f"url: {WRONG}the receiver's address"),
    ("webhook", HOOK | {"url": f"{URL}/../b"}, "url: ..: write the path as it is"),
    ("webhook", HOOK | {"signing": "hush"}, f"signing: {WRONG}a key to sign with"),
    ("webhook", HOOK | {"partner": "acme"}, "ad_networks: name the partner's own"),
    ("appsflyer", {"with_ip": "maybe"}, f"with_ip: {WRONG}`yes` to pass the device's address on"),
]


@pytest.mark.parametrize(("name", "told", "remedy"), SAID_WRONG)
def test_a_parameter_that_is_wrong_is_named(name: str, told: dict[str, str], remedy: str) -> None:
    """With what it is and how one looks; never with its value, which may be a secret."""
    with pytest.raises(ConfigurationError, match=re.escape(remedy)) as raised:
        fill(PRESETS[name], name, told)
    assert not any(secret in str(raised.value) for secret in ("abcd1234", "hush", *SECRETS))


def test_every_mistake_is_told_at_once() -> None:
    """One line each."""
    with pytest.raises(ConfigurationError) as raised:
        fill(PRESETS["ga4"], "ga4", {"app": "1", "app_id": "x"})
    names = [line.partition(":")[0] for line in str(raised.value).splitlines()]
    assert names == ["app", "firebase_app_id", "api-secret", "app_id", "ad_networks", "source"]


def test_a_name_that_is_none_is_refused() -> None:
    """As when one writes the definition by hand."""
    with pytest.raises(ConfigurationError, match="name: "):
        fill(PRESETS["branch"], "Our Branch", {})


def test_the_document_is_made_from_the_presets() -> None:
    """python -m skan_receiver.delivery.presets.document > docs/presets.md"""
    assert DOCS.read_text("utf-8") == document()
