"""The receiver that one writes first: what ours is measured against.

Flask, pydantic and SQLModel as their manuals show them: the body is validated by a model, the key
is read from its PEM, the signature is checked, the id is looked up, the row is added, and one
commit is made for each request. It is correct for what it does (verified, unique, durable before
it answers), and it does less: SKAdNetwork 4.0 only, no copies and conflicts, no quarantine, no
log, no metrics, nothing counted.

SQLite is as it comes, which is durable: a rollback journal and `synchronous=FULL`. NAIVE_WAL=1 is
what one turns on second, the write-ahead log, as durable.

    DATABASE_URL=sqlite:///n.sqlite3 NAIVE_PEM="$(cat key.pem)" \\
        gunicorn "benchmarks.naive:create_app()"
"""

import os
from base64 import b64decode
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Flask, request
from pydantic import AliasGenerator, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, create_engine

SIGNED = (
    "version",
    "ad-network-id",
    "source-identifier",
    "app-id",
    "transaction-id",
    "redownload",
    "source-app-id",
    "fidelity-type",
    "did-win",
    "postback-sequence-index",
)


class Body(BaseModel):
    """A SKAdNetwork 4.0 postback."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: name.replace("_", "-"))
    )

    version: str
    ad_network_id: str
    source_identifier: str
    app_id: int
    transaction_id: str
    redownload: bool
    source_app_id: int | None = None
    fidelity_type: int
    did_win: bool
    postback_sequence_index: int
    conversion_value: int | None = None
    coarse_conversion_value: str | None = None
    attribution_signature: str


class NaivePostback(SQLModel, table=True):
    """A postback, by Apple's id for it."""

    id: int | None = Field(default=None, primary_key=True)
    transaction_id: str = Field(unique=True)
    received_at: datetime
    app_id: int
    ad_network_id: str
    source_identifier: str
    source_app_id: int | None
    did_win: bool
    redownload: bool
    fidelity_type: int
    sequence_index: int
    conversion_value: int | None
    coarse_value: str | None
    valid: bool
    body: str


def create_app() -> Flask:
    app = Flask(__name__)
    engine = _engine(os.environ["DATABASE_URL"])
    SQLModel.metadata.create_all(engine, tables=[NaivePostback.__table__])  # type: ignore[attr-defined]

    @app.post("/receive")
    def receive() -> tuple[str, int]:
        members = request.get_json(force=True)
        try:
            body = Body.model_validate(members)
        except ValidationError as error:
            return str(error), 400
        with Session(engine) as session:
            session.add(_row(body, request.get_data(as_text=True), valid=_is_valid(members)))
            try:
                session.commit()
            except IntegrityError:
                return "seen", 200
        return "", 200

    return app


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30})

    if os.environ.get("NAIVE_WAL"):

        @event.listens_for(engine, "connect")
        def _wal(connection, _record):  # type: ignore[no-untyped-def]
            connection.execute("PRAGMA journal_mode=WAL")

    return engine


def _is_valid(members: dict[str, object]) -> bool:
    key = load_pem_public_key(os.environ["NAIVE_PEM"].encode())
    assert isinstance(key, EllipticCurvePublicKey)
    message = "\u2063".join(_text(members[name]) for name in SIGNED if name in members)
    try:
        signature = b64decode(str(members["attribution-signature"]))
        key.verify(signature, message.encode(), ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _row(body: Body, text: str, *, valid: bool) -> NaivePostback:
    return NaivePostback(
        transaction_id=body.transaction_id.lower(),
        received_at=datetime.now(UTC),
        app_id=body.app_id,
        ad_network_id=body.ad_network_id,
        source_identifier=body.source_identifier,
        source_app_id=body.source_app_id,
        did_win=body.did_win,
        redownload=body.redownload,
        fidelity_type=body.fidelity_type,
        sequence_index=body.postback_sequence_index,
        conversion_value=body.conversion_value,
        coarse_value=body.coarse_conversion_value,
        valid=valid,
        body=text,
    )
