"""A chart as a page of its own: one file that opens anywhere and loads nothing."""

import json
from html import escape
from typing import Any

from skan_receiver.web.vendored import LIBRARIES, VENDOR

# In a file of one's own nothing forbids a script within the page.
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 72rem }}
  #chart {{ width: 100% }}
</style>
<h1>{title}</h1>
<div id="chart"></div>
{scripts}
<script>
  vegaEmbed("#chart", {spec}, {{ actions: {{ source: false, editor: false, compiled: false }}, renderer: "svg" }});
</script>
</html>
"""  # noqa: E501


def chart_page(title: str, spec: dict[str, Any]) -> str:
    """The page, with what draws it inside."""
    scripts = "\n".join(f"<script>{(VENDOR / name).read_text()}</script>" for name in LIBRARIES)
    # "</script>" in a network's name must not end the script.
    said = json.dumps(spec).replace("<", "\\u003c")
    return PAGE.format(title=escape(title), scripts=scripts, spec=said)
