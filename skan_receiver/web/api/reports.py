"""`/reports`: numbers for a period."""

from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, Literal

from flask.wrappers import Response
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from skan_receiver.errors import ConfigurationError
from skan_receiver.protocol import Framework, Verdict
from skan_receiver.reports import REPORTS, Filters, Question, Report, Unanswerable, Written
from skan_receiver.web.api.blueprint import answer, bp
from skan_receiver.web.api.models import BigInt, NetworkId, VersionText
from skan_receiver.web.api.problems import Fault, documented, problem
from skan_receiver.web.report_files import KINDS, report_file
from skan_receiver.web.services import services

TAGS: list[Tag | dict[str, Any]] = [Tag(name="reports")]


# Those of any report; each has some of them.
Dimension = Enum(  # type: ignore[misc]  # its members are those of a table
    "Dimension", {name: name for report in REPORTS.values() for name in report.dimensions}, type=str
)


class Named(BaseModel):
    """A report by its name."""

    name: str = Field(pattern=r"^[a-z-]{1,50}$", examples=list(REPORTS))


class Format(StrEnum):
    """How rows are given."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


class Asked(BaseModel):
    """Of when, split by what, and of which postbacks."""

    model_config = ConfigDict(extra="forbid")

    start: str | None = Field(
        None, alias="from", max_length=40, description="First day, or hour. 30 days ago."
    )
    end: str | None = Field(
        None, alias="to", max_length=40, description="Last day, or the hour to stop before. Now."
    )
    zone: str | None = Field(
        None, alias="tz", max_length=64, description="Whose days, as in Europe/Berlin. UTC."
    )
    by: list[Dimension] = Field([], max_length=8, description="Dimensions to split by.")
    basis: Literal["arrival", "install"] | None = Field(None, description="What a date is of.")
    currency: str | None = Field(
        None, max_length=3, description="Convert amounts into it, by the rates of their days."
    )
    statement: str | None = Field(
        None, max_length=100, description="Whose numbers to compare with."
    )
    format: Format = Format.JSON
    app_id: BigInt | None = None
    ad_network_id: NetworkId | None = None
    framework: Framework | None = None
    version: VersionText | None = None
    window: int | None = Field(None, ge=0, le=2)
    verdict: Verdict | None = None
    counted: bool | None = None

    def question(self, report: Report) -> Question:
        """What is asked of a report. Raises Unanswerable."""
        written = Written(
            start=self.start,
            end=self.end,
            zone=self.zone,
            by=[one.value for one in self.by],
            filters=Filters(**{name: getattr(self, name) for name in Filters.__slots__}),
            basis=self.basis,
            currency=self.currency,
            statement=self.statement,
        )
        return report.asked(written.read(datetime.now(UTC)))


class Table(BaseModel):
    """A report's rows."""

    name: str
    title: str
    start: datetime
    end: datetime = Field(description="Left out itself.")
    zone: str
    by: list[str]
    basis: str = Field(description="What its dates are of.")
    currency: str | None
    columns: list[str]
    rows: list[dict[str, Any]]


class Chart(BaseModel):
    """A Vega-Lite specification, with the rows it draws."""

    model_config = ConfigDict(extra="allow")


class Listed(BaseModel):
    """A report there is."""

    name: str
    title: str
    dimensions: list[str]
    measures: list[str]
    bases: list[str]
    has_amounts: bool
    needs_statement: bool


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
            bases=list(report.bases),
            has_amounts=report.has_amounts,
            needs_statement=report.needs_statement,
        )
        for name, report in REPORTS.items()
    ]
    return answer(Contents(reports=reports))


# As JSON, or as a file where `format` says so.
ANSWERS: dict[str, Any] = {
    "description": "The rows.",
    "content": {
        "application/json": {"schema": Table.model_json_schema()},
        **{kind.partition(";")[0]: {} for kind in KINDS.values()},
    },
}


@bp.get("/reports/<name>", tags=TAGS, responses={200: ANSWERS, **documented(304, 404, 422)})
def show_report(path: Named, query: Asked) -> Response:
    """A report of a period, as JSON, CSV or Parquet."""
    report = _report(path.name)
    try:
        question = query.question(report)
        rows = _rows(report, question)
        return _as(query.format, path.name, report, question, rows)
    except Unanswerable as error:
        return _refused(error.field, error.what)
    except ConfigurationError as error:
        return _refused("format", str(error))


@bp.get("/reports/<name>/chart", tags=TAGS, responses={200: Chart, **documented(304, 404, 422)})
def show_chart(path: Named, query: Asked) -> Response:
    """A report's chart."""
    report = _report(path.name)
    try:
        question = query.question(report)
        return answer(Chart(**report.chart(_rows(report, question), question.by)))
    except Unanswerable as error:
        return _refused(error.field, error.what)


def _report(name: str) -> Report:
    if (report := REPORTS.get(name)) is None:
        raise NotFound(f"There is no report {name!r}, but: {', '.join(REPORTS)}.")
    return report


def _rows(report: Report, question: Question) -> list[dict[str, Any]]:
    with services().store.read() as connection:
        return report.table(connection, question)


def _as(
    form: Format, name: str, report: Report, question: Question, rows: list[dict[str, Any]]
) -> Response:
    columns = report.columns(question.by)
    if form is not Format.JSON:
        return report_file(name, form, columns, rows)
    return answer(
        Table(
            name=name,
            title=report.title,
            start=question.period.start,
            end=question.period.end,
            zone=str(question.period.zone),
            by=list(question.by),
            basis=question.basis,
            currency=question.currency,
            columns=list(columns),
            rows=rows,
        )
    )


def _refused(where: str, what: str) -> Response:
    return problem(422, f"{where}: {what}", errors=[Fault(where=where, what=what)])
