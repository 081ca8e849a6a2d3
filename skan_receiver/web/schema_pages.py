"""Schemas in the browser: their values, their history, and how a new version comes to be."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("schemas", __name__, "/schemas")
