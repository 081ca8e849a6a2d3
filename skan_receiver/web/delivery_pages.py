"""The ledger in the browser: what was owed, what came of it, and owing it anew."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("deliveries", __name__, "/deliveries")
