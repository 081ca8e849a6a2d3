"""`/destinations/{name}/secrets`: put and forgotten, and never told."""

from http import HTTPStatus
from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.delivery import Vault, vault
from skan_receiver.delivery.destinations.destination import NAME
from skan_receiver.delivery.registry import UnknownDestination
from skan_receiver.delivery.vault import LONGEST, SecretRefused
from skan_receiver.web.api.blueprint import bp
from skan_receiver.web.api.destination import Named
from skan_receiver.web.api.problems import documented, problem
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="destinations")]


class NamedSecret(Named):
    """A secret of a destination, by its name."""

    secret: str = Field(pattern=NAME)


class Value(BaseModel):
    """A secret's value."""

    model_config = ConfigDict(extra="forbid")

    value: str = Field(min_length=1, max_length=LONGEST)


@bp.put(
    "/destinations/<name>/secrets/<secret>",
    tags=TAGS,
    responses={204: None, **documented(400, 404, 415, 422)},
)
def put_secret(path: NamedSecret, body: Value) -> Response:
    """Keep a secret of a destination; nobody can read it back."""
    keeper = Vault(services().settings.vault_keys)
    try:
        vault.put_secret(services().store, keeper, path.name, path.secret, body.value)
    except UnknownDestination as error:
        raise NotFound(str(error)) from None
    except SecretRefused as refused:
        return problem(422, f"value: {refused}")
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.delete(
    "/destinations/<name>/secrets/<secret>",
    tags=TAGS,
    responses={204: None, **documented(404, 422)},
)
def remove_secret(path: NamedSecret) -> Response:
    """Forget a secret; what needs it will fail, and say so."""
    try:
        vault.remove_secret(services().store, path.name, path.secret)
    except UnknownDestination as error:
        raise NotFound(str(error)) from None
    return Response(status=HTTPStatus.NO_CONTENT)
