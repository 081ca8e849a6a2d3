"""What draws charts: front-end files of others, kept with their versions and licences."""

import json
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"

# In the order the files need each other.
LIBRARIES = tuple(entry["file"] for entry in json.loads((VENDOR / "vendor.json").read_text()))
