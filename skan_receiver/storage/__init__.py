"""What we keep, and the one way to write it."""

from skan_receiver.storage.alerts import (
    Alert,
    AlertChannel,
    AlertCheck,
    AlertNotice,
    AlertSetting,
)
from skan_receiver.storage.audit import AuditEntry
from skan_receiver.storage.checks import EndpointCheck
from skan_receiver.storage.counts import (
    CountCell,
    CountDay,
    CountHour,
    CountMonth,
    CountPlace,
    CountVolume,
)
from skan_receiver.storage.deliveries import Attempt, Delivery, ReportWindow
from skan_receiver.storage.estimates import EstimateDraw, EstimateRun, EstimateTurn
from skan_receiver.storage.events import (
    Attributed,
    Connected,
    EventDecision,
    NetworkSource,
    Policy,
    StoredEvent,
    Tombstone,
    Touch,
)
from skan_receiver.storage.group import GroupCommit
from skan_receiver.storage.imports import ImportedChunk
from skan_receiver.storage.money import Cost, Rate
from skan_receiver.storage.outgoing import Campaign, Secret, StoredDestination
from skan_receiver.storage.people import (
    ApiKey,
    Guess,
    IdempotentCall,
    NetworkName,
    Registered,
    User,
)
from skan_receiver.storage.postbacks import (
    Arrival,
    Fresh,
    Quarantined,
    Seen,
    StoredPostback,
    Usage,
)
from skan_receiver.storage.statements import Statement, StatementLine
from skan_receiver.storage.store import Store
from skan_receiver.storage.versions import ImportedSchema, SchemaVersion

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertCheck",
    "AlertNotice",
    "AlertSetting",
    "ApiKey",
    "Arrival",
    "Attempt",
    "Attributed",
    "AuditEntry",
    "Campaign",
    "Connected",
    "Cost",
    "CountCell",
    "CountDay",
    "CountHour",
    "CountMonth",
    "CountPlace",
    "CountVolume",
    "Delivery",
    "EndpointCheck",
    "EstimateDraw",
    "EstimateRun",
    "EstimateTurn",
    "EventDecision",
    "Fresh",
    "GroupCommit",
    "Guess",
    "IdempotentCall",
    "ImportedChunk",
    "ImportedSchema",
    "NetworkName",
    "NetworkSource",
    "Policy",
    "Quarantined",
    "Rate",
    "Registered",
    "ReportWindow",
    "SchemaVersion",
    "Secret",
    "Seen",
    "Statement",
    "StatementLine",
    "Store",
    "StoredDestination",
    "StoredEvent",
    "StoredPostback",
    "Tombstone",
    "Touch",
    "Usage",
    "User",
]
