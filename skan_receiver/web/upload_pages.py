"""Drop a log: what it holds, without storing it; then import it."""

from skan_receiver.web.page import page_blueprint

bp = page_blueprint("upload", __name__, "/upload")
