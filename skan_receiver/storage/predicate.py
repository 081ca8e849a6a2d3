"""What counts. Reports, counts, deliveries and alerts use this and nothing else."""

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, or_, select

from skan_receiver.config import Settings
from skan_receiver.storage.columns import table
from skan_receiver.storage.people import Registered
from skan_receiver.storage.postbacks import StoredPostback

POSTBACK = table(StoredPostback)
REGISTERED = table(Registered)

# What a key of Apple's, or one we were told to believe, vouches for; the rest may be dropped.
VOUCHED = ("valid", "development")


def counts(settings: Settings) -> ColumnElement[bool]:
    """Whether a row of `postback` counts: believed, ours, no collision, and not judged anew."""
    return and_(qualifies(settings), ~superseded())


def qualifies(settings: Settings) -> ColumnElement[bool]:
    """As `counts`, of a row before it was judged anew: what `settle` takes back must match
    what it once added."""
    believed = VOUCHED if settings.sandbox else ("valid",)
    return and_(POSTBACK.c.verdict.in_(believed), POSTBACK.c.collides_with.is_(None), ours())


def ours() -> ColumnElement[bool]:
    """Of an app and an ad network of ours; until one is registered, all of that kind are."""
    return and_(
        or_(~_any("app"), cast(POSTBACK.c.app_id, String).in_(_values("app"))),
        or_(~_any("ad-network"), func.lower(POSTBACK.c.ad_network_id).in_(_values("ad-network"))),
    )


def superseded() -> ColumnElement[bool]:
    """Another row carries the verdict of a later key table."""
    later = POSTBACK.alias("later")
    # Of few rows, which an index has: without the first condition PostgreSQL reads all others too.
    rare = later.c.supersedes.is_not(None)
    return exists().where(rare, later.c.supersedes == POSTBACK.c.id).correlate(POSTBACK)


def _any(kind: str) -> ColumnElement[bool]:
    return exists().where(REGISTERED.c.kind == kind)


def _values(kind: str):  # type: ignore[no-untyped-def]  # a Select; its generic type says nothing
    return select(REGISTERED.c.value).where(REGISTERED.c.kind == kind)
