"""The schema models: a file and a line each. `mixed` is made of these, and stands above them."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from skan_receiver.conversion.models.bits import BitModel
from skan_receiver.conversion.models.engagement import Engagement
from skan_receiver.conversion.models.funnel import Funnel
from skan_receiver.conversion.models.retention import Retention
from skan_receiver.conversion.models.revenue import RevenueModel
from skan_receiver.conversion.models.rules import Rules
from skan_receiver.conversion.models.table import Table


def model_of(part: Any) -> str | None:
    name = part.get("model") if isinstance(part, dict) else getattr(part, "model", None)
    return f"<{name}>" if isinstance(name, str) else None


ByModel = Discriminator(
    model_of,
    custom_error_type="no_model",
    custom_error_message=(
        "names no schema model: write model: rules, table, bits, funnel, revenue, engagement,"
        " retention or mixed"
    ),
)

Models = (
    Annotated[Rules, Tag("<rules>")]
    | Annotated[Table, Tag("<table>")]
    | Annotated[BitModel, Tag("<bits>")]
    | Annotated[Funnel, Tag("<funnel>")]
    | Annotated[RevenueModel, Tag("<revenue>")]
    | Annotated[Engagement, Tag("<engagement>")]
    | Annotated[Retention, Tag("<retention>")]
)
Part = Annotated[Models, ByModel]
