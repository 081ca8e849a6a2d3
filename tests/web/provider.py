"""A provider of OpenID Connect on this machine: strict, and dishonest if asked."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from time import time
from typing import Any
from urllib.parse import urlencode

from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.web.listening import listening

CLIENT, SECRET = "skan", "the secret of skan"


@dataclass
class Provider:
    """Who signs in at `/authorize` is `person`; what it says of itself and them can be changed."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=lambda: someone("ada"))
    in_token: bool = True  # whether the ID token has their address, or only the userinfo
    lies: dict[str, Any] = field(default_factory=dict)  # claims of the ID token
    described: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: new_key("1"))
    signs_with: ECKey | None = None  # None: the key that it publishes
    is_down: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)  # what /authorize was told
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "none", "HS256"],
            **self.described,
        }

    def authorize(self) -> ResponseReturnValue:
        self.asked.append(told := request.args.to_dict())
        assert told["client_id"] == CLIENT
        assert told["code_challenge_method"] == "S256"
        assert told["nonce"]
        code = token_urlsafe(8)
        self._codes[code] = told
        back = urlencode({"code": code, "state": told["state"]})
        return redirect(f"{told['redirect_uri']}?{back}")

    def token(self) -> ResponseReturnValue:
        # Each code is good once, for whoever began with it.
        told = self._codes.pop(request.form.get("code", ""), None)
        verifier = request.form.get("code_verifier", "").encode()
        proof = urlsafe_b64encode(sha256(verifier).digest()).rstrip(b"=").decode()
        if not self._is_client() or told is None or told["code_challenge"] != proof:
            return jsonify(error="invalid_grant"), 400
        if told["redirect_uri"] != request.form.get("redirect_uri"):
            return jsonify(error="invalid_grant"), 400
        token = token_urlsafe(8)
        self._tokens[token] = self.person
        id_token = self._sign(told["nonce"])
        return jsonify(access_token=token, token_type="Bearer", expires_in=60, id_token=id_token)

    def userinfo(self) -> ResponseReturnValue:
        sent = request.authorization
        return jsonify(self._tokens[(sent.token if sent else None) or ""])

    def _is_client(self) -> bool:
        sent = request.authorization
        if "client_secret_post" in self.described.get("token_endpoint_auth_methods_supported", ()):
            return request.form.get("client_secret") == SECRET
        return sent is not None and (sent.username, sent.password) == (CLIENT, SECRET)

    def _sign(self, nonce: str) -> str:
        now = int(time())
        person = self.person if self.in_token else {"sub": self.person["sub"]}
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce}
        key = self.signs_with or self.key
        told = {k: v for k, v in (claims | person | self.lies).items() if v is not None}
        return jwt.encode({"alg": "ES256", "kid": key.kid}, told, key)


def someone(name: str, **more: Any) -> dict[str, Any]:
    """What a provider knows of a person."""
    return {"sub": f"id-of-{name}", "email": f"{name}@corp.example", "email_verified": True} | more


def new_key(kid: str) -> ECKey:
    """A key to sign ID tokens with."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}, private=True)


@contextmanager
def providing() -> Iterator[Provider]:
    """One that listens on a free port of this machine."""
    provider, app = Provider(), Flask("provider")

    @app.before_request
    def down() -> ResponseReturnValue | None:
        return ("down", 503) if provider.is_down else None

    app.add_url_rule(
        "/.well-known/openid-configuration", "describe", lambda: jsonify(provider.describe())
    )
    app.add_url_rule("/authorize", "authorize", lambda: provider.authorize())
    app.add_url_rule("/token", "token", lambda: provider.token(), methods=["POST"])
    app.add_url_rule("/userinfo", "userinfo", lambda: provider.userinfo())
    app.add_url_rule(
        "/jwks", "jwks", lambda: jsonify(KeySet([provider.key]).as_dict(private=False))
    )
    with listening(app) as provider.url:
        yield provider
