"""Schema models: how an author says which user gets which value."""

from typing import Annotated

from pydantic import Tag

from skan_receiver.conversion.models.mixed import Mixed
from skan_receiver.conversion.models.parts import ByModel, Models

Model = Annotated[Annotated[Mixed, Tag("<mixed>")] | Models, ByModel]

__all__ = ["Model"]
