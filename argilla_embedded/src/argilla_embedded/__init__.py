"""Argilla's own server in one process: no Docker, no Elasticsearch, no Redis."""

__version__ = "0.1.0"
