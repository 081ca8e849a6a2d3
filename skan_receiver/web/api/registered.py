"""`/apps` and `/networks`: whose postbacks count, and what networks are called."""

from http import HTTPStatus
from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from skan_receiver.settle import register, unregister
from skan_receiver.storage import Registered
from skan_receiver.storage.columns import table
from skan_receiver.storage.network_names import names, put_name
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt
from skan_receiver.web.api.problems import documented
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="what is ours")]

REGISTERED = table(Registered)


class AppId(BaseModel):
    """An app by its App Store id."""

    app_id: BigInt


class AdNetworkId(BaseModel):
    """An ad network by its id at Apple."""

    ad_network_id: str = Field(pattern=r"^[A-Za-z0-9.-]{1,200}$")


class Called(BaseModel):
    """What people call it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")


class App(BaseModel):
    """A registered app."""

    app_id: int
    name: str


class Apps(BaseModel):
    """Those registered. None: the postbacks of all apps count."""

    apps: list[App]


class Network(BaseModel):
    """A registered ad network."""

    ad_network_id: str
    name: str


class Networks(BaseModel):
    """Those registered (none: the postbacks of all count), and what ids are called."""

    networks: list[Network]
    names: dict[str, str] = Field(
        description="By id: the list we ship, over it those registered, over it those named."
    )


@bp.get("/apps", tags=TAGS, responses={200: Apps})
def list_apps() -> Response:
    """The apps that are ours."""
    return answer(Apps(apps=[App(app_id=int(row.value), name=row.name) for row in _rows("app")]))


@bp.put("/apps/<int:app_id>", tags=TAGS, responses={204: None, **documented(400, 404, 415, 422)})
def put_app(path: AppId, body: Called) -> Response:
    """Register an app, or name it anew; what it received before counts too."""
    register(services().store, services().settings, "app", str(path.app_id), body.name)
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.delete("/apps/<int:app_id>", tags=TAGS, responses={204: None, **documented(404, 422)})
def remove_app(path: AppId) -> Response:
    """Register it no longer: its postbacks stay, and no longer count."""
    return _removed("app", str(path.app_id))


@bp.get("/networks", tags=TAGS, responses={200: Networks})
def list_networks() -> Response:
    """The ad networks that are ours, and what networks are called."""
    rows = [Network(ad_network_id=row.value, name=row.name) for row in _rows("ad-network")]
    with services().store.read() as connection:
        return answer(Networks(networks=rows, names=names(connection)))


@bp.put(
    "/networks/<ad_network_id>", tags=TAGS, responses={204: None, **documented(400, 404, 415, 422)}
)
def put_network(path: AdNetworkId, body: Called) -> Response:
    """Register an ad network, or name it anew; what it received before counts too."""
    store, settings = services().store, services().settings
    register(store, settings, "ad-network", path.ad_network_id, body.name)
    return Response(status=HTTPStatus.NO_CONTENT)


@bp.delete("/networks/<ad_network_id>", tags=TAGS, responses={204: None, **documented(404, 422)})
def remove_network(path: AdNetworkId) -> Response:
    """Register it no longer: its postbacks stay, and no longer count."""
    return _removed("ad-network", path.ad_network_id)


@bp.put(
    "/networks/<ad_network_id>/name",
    tags=TAGS,
    responses={204: None, **documented(400, 404, 415, 422)},
)
def name_network(path: AdNetworkId, body: Called) -> Response:
    """Call a network so, whether or not it is ours; an empty name is the shipped one again."""
    put_name(services().store, path.ad_network_id, body.name)
    return Response(status=HTTPStatus.NO_CONTENT)


def _rows(kind: str) -> list[Any]:
    of_kind = select(REGISTERED).where(REGISTERED.c.kind == kind).order_by(REGISTERED.c.value)
    with services().store.read() as connection:
        return list(connection.execute(of_kind))


def _removed(kind: str, value: str) -> Response:
    try:
        unregister(services().store, services().settings, kind, value)
    except ValueError as error:
        raise NotFound(str(error)) from None
    return Response(status=HTTPStatus.NO_CONTENT)
