"""`/reports`: numbers for a period."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.protocol import Framework, Verdict
from skan_receiver.reports import REPORTS, Filters, Period, Report
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, NetworkId, VersionText
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="reports")]


# Those of any report; each has some of them.
Dimension = Enum(  # type: ignore[misc]  # its members are those of a table
    "Dimension", {name: name for report in REPORTS.values() for name in report.dimensions}, type=str
)


class Named(BaseModel):
    """A report by its name."""

    name: str = Field(pattern=r"^[a-z-]{1,50}$", examples=list(REPORTS))


class Asked(BaseModel):
    """Of when, split by what, and of which postbacks."""

    model_config = ConfigDict(extra="forbid")

    start: str | None = Field(
        None, alias="from", max_length=40, description="First day, or hour; UTC. 30 days ago."
    )
    end: str | None = Field(
        None, alias="to", max_length=40, description="Last day, or the hour to stop before. Now."
    )
    by: list[Dimension] = Field([], max_length=8, description="Dimensions to split by.")
    app_id: BigInt | None = None
    ad_network_id: NetworkId | None = None
    framework: Framework | None = None
    version: VersionText | None = None
    window: int | None = Field(None, ge=0, le=2)
    verdict: Verdict | None = None
    counted: bool | None = None

    def filters(self) -> Filters:
        """Which postbacks."""
        return Filters(**{name: getattr(self, name) for name in Filters.__slots__})


class Table(BaseModel):
    """A report's rows."""

    name: str
    title: str
    start: datetime
    end: datetime = Field(description="Left out itself.")
    by: list[str]
    columns: list[str]
    rows: list[dict[str, Any]]


class Listed(BaseModel):
    """A report there is."""

    name: str
    title: str
    dimensions: list[str]
    measures: list[str]


class Contents(BaseModel):
    """The reports there are."""

    reports: list[Listed]


@bp.get("/reports", tags=TAGS, responses={200: Contents})
def list_reports() -> Response:
    """The reports there are, and what each can be split by."""
    reports = [
        Listed(
            name=name,
            title=report.title,
            dimensions=list(report.dimensions),
            measures=list(report.measures),
        )
        for name, report in REPORTS.items()
    ]
    return answer(Contents(reports=reports))


@bp.get("/reports/<name>", tags=TAGS, responses={200: Table, **documented(404, 422)})
def show_report(path: Named, query: Asked) -> Response:
    """A report of a period."""
    if (report := REPORTS.get(path.name)) is None:
        raise NotFound(f"There is no report {path.name!r}, but: {', '.join(REPORTS)}.")
    by = tuple(dict.fromkeys(one.value for one in query.by)) or report.usually
    if wrong := [name for name in by if name not in report.dimensions]:
        return _refused("by", f"{wrong[0]!r} is none of: {', '.join(report.dimensions)}")
    try:
        period = Period.of(query.start, query.end, datetime.now(UTC))
    except ValueError as error:
        return _refused("from, to", str(error))
    return answer(_table(path.name, report, period, query.filters(), by))


def _table(
    name: str, report: Report, period: Period, filters: Filters, by: tuple[str, ...]
) -> Table:
    with services().store.read() as connection:
        rows = report.table(connection, period, filters, by)
    return Table(
        name=name,
        title=report.title,
        start=period.start,
        end=period.end,
        by=list(by),
        columns=list(report.columns(by)),
        rows=rows,
    )


def _refused(where: str, what: str) -> Response:
    return problem(422, f"{where}: {what}", errors=[Fault(where=where, what=what)])
