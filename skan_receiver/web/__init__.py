"""Flask: what devices, forwarders, people and programs talk to."""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

from skan_receiver.config import Settings, load

if TYPE_CHECKING:
    from flask_openapi.openapi import OpenAPI

# The table of contents: one blueprint, one line, `bp` in the module of that name. Hooks belong
# to the blueprints that need them, never to the application: devices do not wait for sessions.
BLUEPRINTS = (
    "receive",
    "mmp",
    "touch",
    "operations",
    "assets",
    "login",
    "single_sign_on",
    "pages",
    "event_pages",
    "report_pages",
    "testing",
    "schema_pages",
    "schema_edit_pages",
    "upload_pages",
    "destination_pages",
    "preset_pages",
    "delivery_pages",
    "campaign_pages",
    "alert_pages",
    "settings_pages",
    "people_pages",
    "audit_pages",
)

# For forms and calls; Apple's endpoints have a smaller limit of their own.
LARGEST_REQUEST = 1024 * 1024


def create_app(settings: Settings | None = None) -> "OpenAPI":
    """The application; opens no connection. ConfigurationError where a setting is wrong.

    Flask is imported here and not above, so that gunicorn's master and the worker, which need
    something of this package, do not hold it all.
    """
    from flask_openapi.models.info import Info
    from flask_openapi.openapi import OpenAPI
    from werkzeug.middleware.proxy_fix import ProxyFix

    from skan_receiver.web import api, logs, session
    from skan_receiver.web.services import EXTENSION, Services

    settings = settings or load()
    info = Info(title="skan-receiver", version=metadata.version("skan-receiver"))
    # No documents at a public address: the API's own blueprint serves them, behind a key.
    app = OpenAPI(__name__, info=info, doc_ui=False, static_folder=None)
    app.log_exception = logs.unhandled  # type: ignore[method-assign]  # Flask's hook for it
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    # `//receive` is no path of ours; to answer it with a redirect would promise that it is.
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = Services.of(settings)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"{__name__}.{name}").bp)
    api.register(app)
    session.configure(app, settings)
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's manual has it
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    return app
