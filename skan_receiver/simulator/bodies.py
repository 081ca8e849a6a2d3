"""Rows become bodies, signed with a test key as Apple signs with its own."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from skan_receiver.conversion.arrays import CODES
from skan_receiver.simulator.adversary import KINDS
from skan_receiver.simulator.apple import AAK, NO_COUNTRY, NO_PUBLISHER
from skan_receiver.simulator.arrivals import ARRIVAL, FORWARDED
from skan_receiver.simulator.scenario import LAYOUTS, WINDOWED, Scenario
from skan_receiver.simulator.world import CONVERSIONS, REDOWNLOAD, Array
from skan_receiver.testing import Signer, encode

Body = dict[str, Any]

VALUES = {code: value for value, code in CODES.items()}
INVALID, FOREIGN, BROKEN = (KINDS[name] for name in ("invalid", "foreign", "broken"))

# Whose they are is nobody's in the scenario.
FOREIGN_APP, FOREIGN_NETWORK = 999000111, "stranger.skadnetwork"


class Row(NamedTuple):
    """An arrival, as `ARRIVAL` has it."""

    at: int
    id_high: int
    id_low: int
    install: int
    campaign: int
    layout: int
    window: int
    won: bool
    conversion: int
    click: bool
    tier: int
    value: int
    digits: int
    publisher: int
    country: int
    marketplace: bool
    endpoint: int
    kind: int


assert Row._fields == ARRIVAL.names


@dataclass(frozen=True, slots=True)
class Arriving:
    """One request as a server gets it."""

    at: int  # milliseconds since 1970
    row: Row
    body: bytes


class Press:
    """Turns rows into bodies."""

    def __init__(self, scenario: Scenario, signer: Signer) -> None:
        self._signer = signer
        self._publishers = scenario.publishers
        self._countries = scenario.countries
        self._campaigns = scenario.campaigns
        self._forwarders = [scenario.network(c).forwarder for c in scenario.campaigns]

    def bodies(self, rows: Array) -> Iterator[Arriving]:
        """Each row's body, in order."""
        printed: Body = {}
        of: tuple[object, ...] = ()
        for row in map(Row._make, rows.tolist()):
            # Copies come together: one signature is enough.
            if (same := (row.id_high, row.id_low, row.kind, row.value)) != of:
                of, printed = same, self._printed(row)
            yield Arriving(row.at, row, self._spoiled(row, printed))

    def _printed(self, row: Row) -> Body:
        return self._aak(row) if row.layout == AAK else self._skan(row)

    def _skan(self, row: Row) -> Body:
        campaign = self._campaigns[row.campaign]
        foreign = row.kind == FOREIGN
        members: Body = {
            "version": LAYOUTS[row.layout],
            "ad-network-id": FOREIGN_NETWORK if foreign else campaign.network,
            "campaign-id": int(campaign.source[-2:]),
            "app-id": FOREIGN_APP if foreign else campaign.app,
            "transaction-id": uuid(row.id_high, row.id_low),
            "redownload": row.conversion == REDOWNLOAD,
            "fidelity-type": int(row.click),
            "did-win": row.won,
        }
        if row.layout >= WINDOWED:
            members["source-identifier"] = campaign.source[-row.digits :]
            members["postback-sequence-index"] = row.window
            del members["campaign-id"]
        for first, name in FIRST_WITH:
            if row.layout < first:
                members.pop(name, None)
        if row.publisher != NO_PUBLISHER:
            publisher = self._publishers[row.publisher]
            members["source-app-id" if type(publisher) is int else "source-domain"] = publisher
        return self._signer.sign(members) | self._value(row)

    def _aak(self, row: Row) -> Body:
        campaign = self._campaigns[row.campaign]
        foreign = row.kind == FOREIGN
        payload: Body = {
            "postback-identifier": uuid(row.id_high, row.id_low).upper(),
            "ad-network-identifier": FOREIGN_NETWORK if foreign else campaign.network,
            "advertised-item-identifier": FOREIGN_APP if foreign else campaign.app,
            "source-identifier": campaign.source[-row.digits :],
            "impression-type": "app-impression",
            "conversion-type": CONVERSIONS[row.conversion],
            "did-win": row.won,
            "postback-sequence-index": row.window,
        }
        if row.publisher != NO_PUBLISHER:
            payload["publisher-item-identifier"] = self._publishers[row.publisher]
        if row.marketplace:
            payload["marketplace-identifier"] = "com.apple.AppStore"
        header = {"kid": self._signer.kids[0], "alg": "ES256"}
        body = {"jws-string": self._signer.jws(payload, header), **self._value(row)}
        body["ad-interaction-type"] = "click" if row.click else "view"
        if row.country != NO_COUNTRY:
            body["country-code"] = self._countries[row.country]
        return body

    def _value(self, row: Row) -> Body:
        value = VALUES.get(row.value)
        if value is None:
            return {}
        return {"coarse-conversion-value" if type(value) is str else "conversion-value": value}

    def _spoiled(self, row: Row, body: Body) -> bytes:
        if row.endpoint == FORWARDED:
            body = body | {"forwarder": self._forwarders[row.campaign], "forwarded-at": row.at}
        if row.kind == INVALID:
            body = _forged(body)
        if row.kind == BROKEN:
            return _broken(body, cut=bool(row.id_low & 1))
        return encode(body)


# The first layout with a member that `_skan` writes for all.
FIRST_WITH = (
    (LAYOUTS.index("2.0"), "version"),
    (LAYOUTS.index("2.0"), "redownload"),
    (LAYOUTS.index("2.2"), "fidelity-type"),
    (LAYOUTS.index("3.0"), "did-win"),
)


def uuid(high: int, low: int) -> str:
    """An id as Apple writes it, in SKAdNetwork's lower case."""
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _forged(body: Body) -> Body:
    """The same signature on another text."""
    if "jws-string" in body:
        header, payload, signature = body["jws-string"].split(".")
        return body | {"jws-string": f"{header}.{_altered(payload)}.{signature}"}
    return body | {"app-id": body["app-id"] + 1}


def _altered(payload: str) -> str:
    said = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    forged = said.replace(b'"did-win":true', b'"did-win":false')
    forged = forged if forged != said else said.replace(b'"did-win":false', b'"did-win":true')
    return urlsafe_b64encode(forged).rstrip(b"=").decode()


def _broken(body: Body, *, cut: bool) -> bytes:
    """No JSON any more, or the right members with a wrong type."""
    if cut:
        content = encode(body)
        return content[: len(content) // 2]
    name = "jws-string" if "jws-string" in body else "app-id"
    return encode(body | {name: [body[name]]})
