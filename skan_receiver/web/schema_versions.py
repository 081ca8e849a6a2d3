"""The versions of a schema that a page is about, as far as whoever is signed in sees them."""

from collections.abc import Sequence

from flask import request
from werkzeug.exceptions import NotFound

from skan_receiver.conversion import Schema
from skan_receiver.conversion.differences import Difference, differences
from skan_receiver.errors import SchemaError
from skan_receiver.storage import schemas
from skan_receiver.storage.schemas import Version
from skan_receiver.web.access import sees_app
from skan_receiver.web.services import services


def versions_of(app_id: int, *, must: bool = True) -> list[Version]:
    """Those of an app, the oldest first. NotFound where it is not theirs to see; with `must` also
    where there are none."""
    if not 0 < app_id < 2**63 or not sees_app(app_id):
        raise NotFound(f"There is no schema of app {app_id}.")
    with services().store.read() as connection:
        versions = schemas.history(connection, app_id)
    if must and not versions:
        raise NotFound(f"There is no schema of app {app_id}.")
    return versions


def asked_for(versions: Sequence[Version], name: str) -> Version | None:
    """The version that the address names."""
    number = request.args.get(name, type=int)
    return next((version for version in versions if version.number == number), None)


def changes_between(one: Version, other: Version) -> Sequence[Difference]:
    """What changes meaning from one to the other; nothing where either cannot be read."""
    was, is_now = schema_of(one), schema_of(other)
    return differences(was, is_now) if was and is_now else ()


def schema_of(version: Version | None) -> Schema | None:
    """Its schema; None where an earlier release took what this one refuses."""
    try:
        return schemas.read(version.text) if version else None
    except SchemaError:
        return None
