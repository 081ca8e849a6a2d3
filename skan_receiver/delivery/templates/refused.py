"""Why a template is refused: the part at fault, what is wrong with it, and the remedy."""

from skan_receiver.errors import SkanError

SHOWN = 80


class TemplateRefused(SkanError, ValueError):
    """A template that is not saved. A ValueError too, so that pydantic reports it by itself."""

    def __init__(self, part: str, what: str, where: str = "") -> None:
        self.part = _shown(part)
        self.what = what
        self.where = where
        super().__init__(": ".join(filter(None, (where, self.part, what))))

    def at(self, where: str) -> "TemplateRefused":
        """The same, in a named place of something larger."""
        return TemplateRefused(self.part, self.what, where)


def _shown(part: str) -> str:
    """Characters that one cannot see, or that would change what a terminal shows, are named."""
    seen = not part.isspace()
    return "".join(c if seen and c.isprintable() else f"U+{ord(c):04X}" for c in part[:SHOWN])
