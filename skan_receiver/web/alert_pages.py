"""What is wrong at this moment, and who is told."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("alerts", __name__, "/alerts")
