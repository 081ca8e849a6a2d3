"""The audit log: who changed what."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("audit", __name__, "/settings/audit")
