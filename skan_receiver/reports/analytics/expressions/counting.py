"""How many came, of what kind, and when."""

import ibis

from skan_receiver.reports.analytics.expressions.expression import (
    By,
    Expression,
    Tables,
    grouped,
    share,
)


def _volumes(tables: Tables, by: By) -> ibis.Table:
    of = tables.postbacks
    install = of.counted & of.did_win & (of.window == 0) & (of.conversion_type == "download")
    return grouped(
        of,
        by,
        postbacks=of.count(),
        counted=of.count(where=of.counted),
        installs=of.count(where=install),
    )


VOLUMES = Expression(
    title="Postbacks, by when they first arrived",
    usually=("day", "verdict"),
    measures=("postbacks", "counted", "installs"),
    make=_volumes,
)


def _installs(tables: Tables, by: By) -> ibis.Table:
    of = tables.counted.filter(tables.counted.window == 0)
    kinds = {"installs": "download", "redownloads": "redownload", "reengagements": "re-engagement"}
    counts = {name: of.count(where=of.conversion_type == kind) for name, kind in kinds.items()}
    return grouped(of, by, **counts)


INSTALLS = Expression(
    title="Installs, redownloads and re-engagements",
    usually=("day",),
    measures=("installs", "redownloads", "reengagements"),
    make=_installs,
)


def _trend(tables: Tables, by: By) -> ibis.Table:
    """Days without any are not rows: the mean is over the seven days that are."""
    by = ("day", *(name for name in by if name != "day"))
    daily = grouped(tables.installs, by, installs=tables.installs.count())
    week = ibis.window(group_by=list(by[1:]), order_by="day", preceding=6, following=0)
    return daily.mutate(mean_of_seven=daily.installs.cast("float64").mean().over(week).round(6))


TREND = Expression(
    title="Installs a day, and the mean of seven days",
    usually=("day",),
    measures=("installs", "mean_of_seven"),
    make=_trend,
)


def _wins(tables: Tables, by: By) -> ibis.Table:
    of = tables.postbacks.filter(tables.postbacks.counted)
    counts = grouped(of, by, won=of.count(where=of.did_win), lost=of.count(where=~of.did_win))
    return counts.mutate(win_share=share(counts.won, counts.won + counts.lost))


WINS = Expression(
    title="Attributions won and lost",
    usually=("ad_network_id",),
    measures=("won", "lost", "win_share"),
    make=_wins,
)


def _copies(tables: Tables, by: By) -> ibis.Table:
    of = tables.postbacks
    valid = of.verdict == "valid"
    return grouped(
        of,
        by,
        postbacks=of.count(),
        not_ours=of.count(where=valid & ~of.counted & ~of.collides & ~of.superseded),
        collisions=of.count(where=of.collides),
        superseded=of.count(where=of.superseded),
        out_of_range=of.count(where=of.flags != ""),
    )


COPIES = Expression(
    title="What does not count, and why: not ours, collisions, judged anew",
    usually=("endpoint", "verdict"),
    measures=("postbacks", "not_ours", "collisions", "superseded", "out_of_range"),
    make=_copies,
)


def _forgeries(tables: Tables, by: By) -> ibis.Table:
    of = tables.postbacks.filter(tables.postbacks.verdict != "valid")
    return grouped(of, by, of.reason.name("reason"), postbacks=of.count())


FORGERIES = Expression(
    title="What no key vouches for, and the reason",
    usually=("verdict", "ad_network_id"),
    measures=("reason", "postbacks"),
    make=_forgeries,
)
