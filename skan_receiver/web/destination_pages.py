"""Destinations in the browser: where results go, and how they look there."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("destinations", __name__, "/destinations")
