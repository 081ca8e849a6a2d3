"""Campaigns and costs in the browser."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("campaigns", __name__, "/campaigns")
