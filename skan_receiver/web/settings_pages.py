"""How this receiver is set up: apps, networks, keys of Apple, limits."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("settings", __name__, "/settings")
