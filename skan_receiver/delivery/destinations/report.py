"""`report`: sums over an hour, a day or a week."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from skan_receiver.delivery.destinations.decoded import as_json
from skan_receiver.delivery.destinations.destination import MOST_AT_ONCE, Template, Tree
from skan_receiver.delivery.destinations.partner import OfAPartner
from skan_receiver.delivery.files import PathTemplate
from skan_receiver.delivery.templates import BodyTemplate, HeadersTemplate, Secrets, Values
from skan_receiver.delivery.transport import Request
from skan_receiver.delivery.window_spans import LENGTHS, Length
from skan_receiver.reports import REPORTS, Report
from skan_receiver.reports.formats import as_csv
from skan_receiver.reports.question import ARRIVAL, INSTALL
from skan_receiver.reports.results import BY_DAY

Format = Literal["json", "ndjson", "csv"]
CONTENT_TYPES: dict[Format, str] = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}

# Beside the rows, which alone are the body of CSV and NDJSON.
HEADERS = {
    "skan-window-start": "window_start",
    "skan-window-end": "window_end",
    "skan-basis": "date_basis",
    "skan-revision": "revision",
}


class ReportDestination(OfAPartner):
    """A report of each hour, day or week (from Monday on) in UTC, by HTTP or as a file.

    It is made once the time is over, and made anew where the numbers have changed since.
    """

    about_postbacks: ClassVar[bool] = False

    kind: Literal["report"] = "report"
    # One of these two.
    url: str = Field("", repr=False)
    file: str = Field("", max_length=1_000)  # below the folder of exports, or s3://…
    # In order, one after the other, where nothing fails.
    concurrency: int = Field(1, ge=1, le=MOST_AT_ONCE)

    report: str = "results"
    length: Length = "day"
    basis: Literal["arrival", "install"] = ARRIVAL  # what a date is of: see `reports.results`
    by: tuple[str, ...] = ()  # none: as the report is usually split
    min_count: int = Field(1, ge=0)  # rows of fewer postbacks are told together
    format: Format = "json"
    body: Tree = Field(None, repr=False)

    revise_days: int | None = Field(None, ge=0, le=90)  # 0: never
    wait_minutes: int = Field(5, ge=0, le=24 * 60)

    _body: BodyTemplate | None = PrivateAttr(None)
    _path: PathTemplate | None = PrivateAttr(None)

    @field_validator("report")
    @classmethod
    def _report_exists(cls, report: str) -> str:
        sent = [name for name, one in REPORTS.items() if one.is_sent and not one.needs_statement]
        if report not in REPORTS:
            raise ValueError(f"there is no report {report!r}: write one of {', '.join(sent)}")
        if report not in sent:
            raise ValueError(f"{report} is not sent to anybody: write one of {', '.join(sent)}")
        return report

    @field_validator("file")
    @classmethod
    def _file_is_good(cls, file: str) -> str:
        PathTemplate.parse(file)
        return file

    @field_validator("body")
    @classmethod
    def _body_is_good(cls, body: Tree, info: ValidationInfo) -> Tree:
        if body is not None:
            BodyTemplate.parse(body, cls.allowed(info.data))
        return body

    @model_validator(mode="after")
    def _goes_somewhere(self) -> "ReportDestination":
        if bool(self.url) == bool(self.file):
            raise ValueError("url: a report goes to a url or to a file: write one of the two")
        if self.method == "GET":
            raise ValueError("method: a report has a body: write POST or PUT")
        if self.file and "{revision}" not in self.file and self.revised_for:
            raise ValueError("file: a late try of an old revision would overwrite a new one: write "
                             "{revision} into its name, or `revise_days: 0`")  # fmt: skip
        if self.file and (self.headers or self.sign):
            raise ValueError("file: has no headers and no signature; leave out `headers`, `sign`")
        return self

    @model_validator(mode="after")
    def _is_counted_so(self) -> "ReportDestination":
        if "endpoints" in self.model_fields_set:
            raise ValueError("endpoints: counts do not know where a postback came in; leave out")
        if other := set(self.by) - set(self.table.dimensions):
            there_are = ", ".join(self.table.dimensions)
            raise ValueError(f"by: {self.report} cannot be split by {min(other)}, but: {there_are}")
        by_hour = "hour" in (self.length, *self.by)
        if by_hour and (places := set(self.by) & set(BY_DAY)):
            raise ValueError(f"by: {min(places)} is counted by day: leave out the hour")
        if self.basis not in self.table.bases:
            raise ValueError(f"basis: dates of {self.report} are of: {', '.join(self.table.bases)}")
        if self.basis == INSTALL and by_hour:
            raise ValueError("basis: `install` estimates days: write `length: day` or `week`, and "
                             "do not split by hour")  # fmt: skip
        return self

    @model_validator(mode="after")
    def _is_of_this_report(self) -> "ReportDestination":
        if clash := self.table.clash(self.split):
            raise ValueError(f"by: {clash}")
        shortest = self.table.shortest(self.split)
        if LENGTHS[self.length] < shortest:
            longer = [name for name, length in LENGTHS.items() if length >= shortest]
            raise ValueError(f"length: {self.report} split so is of no less than a {longer[0]}: "
                             f"write `length: {'` or `'.join(longer)}`")  # fmt: skip
        if self.min_count > 1 and self.table.count is None:
            raise ValueError(f"min_count: {self.report} has no count of postbacks; leave it out")
        return self

    @model_validator(mode="after")
    def _has_a_body(self) -> "ReportDestination":
        if self.body is not None and self.format != "json":
            raise ValueError(
                f"body: {self.format} is rows alone; write `format: json`, or leave out"
            )
        if self.body is not None:
            self._body = BodyTemplate.parse(self.body, self.allowed(self.__dict__))
        return self

    def model_post_init(self, context: Any) -> None:
        if self.url:
            super().model_post_init(context)
        else:
            self._headers = HeadersTemplate({})
        self._path = PathTemplate.parse(self.file) if self.file else None

    @property
    def table(self) -> Report:
        """What it is made by."""
        return REPORTS[self.report]

    @property
    def split(self) -> tuple[str, ...]:
        """The dimensions of its rows."""
        return tuple(dict.fromkeys(self.by)) or self.table.usually

    @property
    def wait(self) -> timedelta:
        """How long after its end a window is made."""
        return timedelta(minutes=self.wait_minutes)

    @property
    def revised_for(self) -> int:
        """Days. After 45 nearly every postback of an install has come: in window 2 at most 41 days
        after it, and then the device's nine days of retries begin, which few need."""
        usual = 45 if self.basis == INSTALL else 3
        return usual if self.revise_days is None else self.revise_days

    def request(self, about: Any, values: Values, secrets: Secrets) -> Request:
        """What to send; to a file, its path stands for a URL."""
        if self._path is not None:
            content = self.content(about, values, secrets)
            return Request(self._path.expand(values), content, method="PUT")
        made = super().request(about, values, secrets)
        ours = {header: str(values[name]) for header, name in HEADERS.items()}
        return replace(made, headers={**made.headers, **ours})

    def content(self, _about: Any, values: Values, secrets: Secrets) -> bytes:
        if self.format == "csv":
            return as_csv(values["columns"], values["rows"]).encode()
        if self.format == "ndjson":
            return b"".join(as_json(row) + b"\n" for row in _named(values))
        return as_json(self._body.expand(values, secrets) if self._body else standard(values))

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.format]

    @property
    def masked(self) -> tuple[str, ...]:
        return (self.file,) if self.file else super().masked

    @property
    def templates(self) -> tuple[Template, ...]:
        own: tuple[Template | None, ...] = (self._body, self._path)
        return (*super().templates, *filter(None, own))


def standard(values: Values) -> dict[str, Any]:
    """What is sent where no body is written."""
    start, end = values["window_start"], values["window_end"]
    length, basis = values["length"], values["date_basis"]
    return {
        "delivery_id": values["delivery_id"],
        "destination": values["destination"],
        "report": values["report"],
        "window": {"start": start, "end": end, "length": length, "basis": basis},
        "revision": values["revision"],
        "as_of": values["as_of"],
        "completeness": values["completeness"],
        "columns": values["columns"],
        "rows": _named(values),
        "suppressed": values["suppressed"],
    }


def _named(values: Values) -> list[Mapping[str, Any]]:
    columns = values["columns"]
    return [dict(zip(columns, row, strict=True)) for row in values["rows"]]
