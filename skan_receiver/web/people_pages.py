"""Users and API keys."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("people", __name__, "/settings")
