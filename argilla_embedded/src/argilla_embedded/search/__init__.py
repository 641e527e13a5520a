"""Search Argilla's own database: no second index, so nothing to drift."""

from argilla_embedded.search.engine import DatabaseSearchEngine
from argilla_embedded.search.schema import prepare

__all__ = ["DatabaseSearchEngine", "prepare"]
