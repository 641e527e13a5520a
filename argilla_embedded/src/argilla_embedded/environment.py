"""The settings of Argilla's server: all of what is embedded is told to it here, by its own public settings."""

from __future__ import annotations

import json
import os

from argilla_embedded.home import Home, Settings

ENGINE = "embedded"
SQLITE_TIMEOUT_S = 30


def apply(home: Home, settings: Settings, queue: str) -> None:
    """Set the environment that `argilla_server` reads when it is imported; `queue` is a socket's path.

    Nothing phones home, and nothing is fetched from the Hugging Face hub unless HF_HUB_OFFLINE=0 says so.
    """
    os.environ.update(
        ARGILLA_HOME_PATH=str(home.path),
        ARGILLA_DATABASE_URL=home.database_url(settings),
        ARGILLA_DATABASE_SQLITE_TIMEOUT=str(SQLITE_TIMEOUT_S),
        ARGILLA_SEARCH_ENGINE=ENGINE,
        ARGILLA_REDIS_URL=f"unix://{queue}",
        ARGILLA_REDIS_USE_CLUSTER="false",
        ARGILLA_BASE_URL="/",
        ARGILLA_CORS_ORIGINS=json.dumps([settings.url]),
        ARGILLA_AUTH_SECRET_KEY=home.secrets().session_key,
        ARGILLA_AUTH_OAUTH_CFG=str(home.path / "oauth.yaml"),
        ARGILLA_ENABLE_TELEMETRY="false",
        HF_HUB_DISABLE_TELEMETRY="1",
        DO_NOT_TRACK="1",
    )
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
