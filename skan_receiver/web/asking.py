"""The form of a report's page: what was typed, and the question it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from skan_receiver.reports import Filters, Question, Report, Unanswerable, Written
from skan_receiver.web.searching import CHOICES, value_of

TEXTS = ("from", "to", "tz", "basis", "currency", "statement")
FILTERS = ("app_id", "ad_network_id", "framework", "version", "window", "verdict")

# What a form calls what a question has no such field of.
FIELDS = {"from, to": "from"}


@dataclass(frozen=True, slots=True)
class Asking:
    """What somebody asks of a report. What makes no sense is said beside its field."""

    typed: Mapping[str, str]
    by: tuple[str, ...]
    question: Question | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arguments: MultiDict[str, str], report: Report, now: datetime) -> "Asking":
        """Read the form."""
        names = (*TEXTS, *FILTERS)
        typed = {name: text for name in names if (text := arguments.get(name, "").strip())}
        by = tuple(dict.fromkeys(filter(None, arguments.getlist("by"))))
        wrong: dict[str, str] = {}
        filters: dict[str, object] = {}
        for name in FILTERS:
            try:
                if name in typed:
                    filters[name] = value_of(name, typed[name])
            except ValueError as error:
                wrong[name] = str(error)
        if wrong:
            return cls(typed, by, wrong=wrong)
        try:
            written = Written(
                start=typed.get("from"),
                end=typed.get("to"),
                zone=typed.get("tz"),
                by=by,
                filters=Filters(**filters),  # type: ignore[arg-type]  # read by name
                basis=typed.get("basis"),
                currency=typed.get("currency"),
                statement=typed.get("statement"),
            )
            return cls(typed, by, report.asked(written.read(now)))
        except Unanswerable as error:
            return cls(typed, by, wrong={FIELDS.get(error.field, error.field): error.what})

    @property
    def choices(self) -> Mapping[str, list[str]]:
        """What the fields with a list offer."""
        return CHOICES

    @property
    def query(self) -> str:
        """The same again, for a link."""
        return urlencode([*self.typed.items(), *(("by", name) for name in self.by)])
