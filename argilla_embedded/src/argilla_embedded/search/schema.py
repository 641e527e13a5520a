"""Create what search needs inside Argilla's database."""


def prepare(database_url: str) -> None:
    """Create, idempotently, the tables and triggers of search; run after Argilla's migrations."""
