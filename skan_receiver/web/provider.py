"""The provider of OpenID Connect: whom it says somebody is.

Authlib does what the standards ask: a state, a nonce and a code verifier (PKCE) kept in the
browser's signed session, and a token whose signature, issuer, audience and age are checked.
https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

import structlog
from flask import Flask, current_app
from flask.typing import ResponseReturnValue

from skan_receiver.config import Settings
from skan_receiver.errors import ConfigurationError, SkanError
from skan_receiver.storage.access import LONGEST_NAME
from skan_receiver.storage.single_sign_on import Identity

# Each wait: the threads that people wait in are Apple's too, so few may wait at once.
SECONDS = 5.0
AT_ONCE = 4

# What a provider can sign with, so that we need only its public key.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)

EXTENSION = "skan-provider"

log = structlog.get_logger()


class NotSignedIn(SkanError):
    """The provider did not say who this is; `at_fault` says whether it was able to."""

    def __init__(self, reason: str, *, at_fault: bool = False) -> None:
        super().__init__(reason)
        self.at_fault = at_fault


class Provider:
    """The one that SKAN_OIDC_ISSUER names. Nothing is asked of it before somebody signs in."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        try:
            from authlib.integrations.flask_client import OAuth
        except ImportError:
            raise ConfigurationError(
                "SKAN_OIDC_ISSUER needs Authlib: pip install 'skan-receiver[oidc]'"
            ) from None
        self._settings = settings
        self._waiting = BoundedSemaphore(AT_ONCE)
        issuer = settings.oidc_issuer.rstrip("/")
        self._client: Any = OAuth(app).register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret or None,
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email",
                "code_challenge_method": "S256",
                "default_timeout": SECONDS,
                "leeway": 0,  # a token that is short-lived is used at once
            },
        )

    @property
    def name(self) -> str:
        """As its button says."""
        return self._settings.oidc_name

    @property
    def is_only(self) -> bool:
        """Whether no password lets anybody in."""
        return self._settings.oidc_only

    def send(self, back: str) -> ResponseReturnValue:
        """To the provider, which sends the browser to the address `back`. Raises NotSignedIn."""
        with self._asking():
            self._know()
            answer: ResponseReturnValue = self._client.authorize_redirect(back)
            return answer

    def identify(self) -> Identity:
        """Who came back, by what this request carries. Raises NotSignedIn."""
        with self._asking():
            known = self._know()
            token = self._client.authorize_access_token()
            if (claims := token.get("userinfo")) is None:
                raise NotSignedIn("The provider sent no ID token.", at_fault=True)
            told = dict(claims)
            if not told.get("email") and known.get("userinfo_endpoint"):
                told |= self._ask_more(token, told["sub"])
        return Identity(known["issuer"], str(told["sub"]), self._email(told))

    def _know(self) -> Mapping[str, Any]:
        """The provider's own description; of what it can sign with only what proves something."""
        known: dict[str, Any] = self._client.load_server_metadata()
        if known.get("issuer", "").rstrip("/") != self._settings.oidc_issuer.rstrip("/"):
            known.pop("_loaded_at", None)  # asked again, once somebody has mended it
            raise NotSignedIn(
                f"The provider calls itself {known.get('issuer')!r}, which is not what "
                "SKAN_OIDC_ISSUER says.",
                at_fault=True,
            )
        offered = known.get("id_token_signing_alg_values_supported") or ["RS256"]
        known["id_token_signing_alg_values_supported"] = [a for a in offered if a in ALGORITHMS]
        ways = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self._settings.oidc_client_secret and "client_secret_basic" not in ways:
            self._client.client_kwargs["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105  # a way to send one
        return known

    def _ask_more(self, token: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
        """What is not in the token; OpenID Connect Core, 5.3.2: only if it is of the same one."""
        told: Mapping[str, Any] = self._client.userinfo(token=token)
        return told if told.get("sub") == subject else {}

    def _email(self, told: Mapping[str, Any]) -> str:
        """The address that the provider vouches for; empty if there is none, or not from here."""
        email, vouched = told.get("email"), told.get("email_verified") in (True, "true")
        # Letters that only look like others make no name that is another's.
        good = isinstance(email, str) and email.isascii() and email.isprintable()
        if not good or not (vouched or self._settings.oidc_trust_email):
            return ""
        name, at, domain = str(email).strip().lower().rpartition("@")
        ours = {domain.lower().lstrip("@") for domain in self._settings.oidc_domains}
        if not name or (ours and domain not in ours):
            return ""
        return f"{name}{at}{domain}" if len(name + at + domain) <= LONGEST_NAME else ""

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask the provider; whatever its answers, or their absence, make of it is NotSignedIn."""
        if not self._waiting.acquire(blocking=False):
            raise NotSignedIn("Too many people sign in at this moment. Please try again.")
        try:
            yield
        except NotSignedIn:
            raise
        except Exception as error:
            raise _refusal(error) from error
        finally:
            self._waiting.release()


def provider() -> Provider | None:
    """That of this application; None where there is none."""
    found: Provider | None = current_app.extensions[EXTENSION]
    return found


def _refusal(error: Exception) -> NotSignedIn:
    """The sentence for it. What a stranger wrote into the address is not repeated."""
    from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError

    if isinstance(error, MismatchingStateError):
        return NotSignedIn("This way in was not begun here, or too long ago. Please try again.")
    if isinstance(error, OAuthError) and error.error == "access_denied":
        return NotSignedIn("The provider was asked, and you were not let in.")
    # Not where it was: codes and tokens are in those lines.
    log.warning("provider failed", kind=type(error).__name__, reason=str(error)[:500])
    return NotSignedIn("The provider cannot be understood or reached.", at_fault=True)
