"""Argilla's database: how SQLite is opened, migrations, the owner, and what must never be in it.

Import this only after `environment.apply`: importing anything of `argilla_server` reads its settings.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import argilla_server
from argilla_server.constants import DEFAULT_API_KEY, DEFAULT_PASSWORD, DEFAULT_USERNAME
from argilla_server.contexts import accounts
from argilla_server.database import ALEMBIC_CONFIG_FILE, AsyncSessionLocal, async_engine, sync_engine
from argilla_server.enums import UserRole
from argilla_server.models import User, Workspace
from argilla_server.settings import settings
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from argilla_embedded.environment import SQLITE_TIMEOUT_S
from argilla_embedded.errors import EmbeddedError
from argilla_embedded.home import Home, Owner

OWNER = "owner"
WORKSPACE = "default"


@event.listens_for(Engine, "connect")
def keep_what_is_acknowledged(connection: Any, _: object) -> None:
    """Open SQLite so that a commit is on the disk, and readers and a writer do not wait for each other."""
    if not settings.database_is_sqlite:
        return
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_TIMEOUT_S * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def prepare(home: Home) -> None:
    """Migrate, prepare search, make the owner on first start. Raises `EmbeddedError` for well-known credentials."""
    from argilla_embedded.search import prepare as prepare_search

    reach()
    migrate()
    prepare_search(str(settings.database_url))
    asyncio.run(_prepare_users(home))


def reach() -> None:
    """Connect once. Raises `EmbeddedError` saying why the database cannot be reached."""
    try:
        with sync_engine.connect():
            pass
    except OperationalError as exc:
        hint = "" if settings.database_is_sqlite else "; the password comes from PGPASSWORD"
        raise EmbeddedError(f"the database cannot be reached: {str(exc.orig).strip()}{hint}") from exc


def migrate() -> None:
    """Bring the tables to the server's version, by its own migrations; quick when they are.

    Call in a process that ends soon: the migrations set up logging anew and silence every logger that exists.
    """

    if _revision() == _newest_revision():
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    try:
        command.upgrade(Config(ALEMBIC_CONFIG_FILE), "head")
    except CommandError as exc:
        raise EmbeddedError(f"the database is not one that Argilla {version()} can serve: {exc}") from exc


@asynccontextmanager
async def session() -> AsyncIterator[Any]:
    """Open a session of Argilla's own, and close every connection afterwards."""
    try:
        async with AsyncSessionLocal() as opened:
            yield opened
    finally:
        await async_engine.dispose()


def new_password() -> str:
    """Return a random password: 128 bits."""
    return secrets.token_urlsafe(16)


def new_api_key() -> str:
    """Return a random API key: 256 bits."""
    return secrets.token_urlsafe(32)


def version() -> str:
    """Return the version of Argilla's server."""
    return str(argilla_server.__version__)


async def _prepare_users(home: Home) -> None:
    async with session() as opened:
        await _refuse_well_known(opened)
        if await opened.scalar(select(func.count(User.id)).where(User.role == UserRole.owner)):
            return
        owner = Owner(username=OWNER, password=new_password(), api_key=new_api_key())
        # First to the file: credentials without a user are replaced next time, a user without credentials is locked.
        home.keep(owner)
        workspace = await Workspace.get_by(opened, name=WORKSPACE)
        workspace = workspace or await Workspace.create(opened, name=WORKSPACE, autocommit=False)
        user = User(
            first_name="Owner",
            username=owner.username,
            role=UserRole.owner,
            password_hash=accounts.hash_password(owner.password),
            api_key=owner.api_key,
            workspaces=[workspace],
        )
        opened.add(user)
        await opened.commit()


async def _refuse_well_known(opened: Any) -> None:
    for user in await opened.scalars(select(User)):
        known_password = user.username == DEFAULT_USERNAME and accounts.verify_password(
            DEFAULT_PASSWORD, user.password_hash
        )
        if user.api_key == DEFAULT_API_KEY or known_password:
            what = "API key" if user.api_key == DEFAULT_API_KEY else "password"
            raise EmbeddedError(
                f"User {user.username!r} in the database has Argilla's well-known default {what}: anybody could "
                f"sign in. Give it new ones first: argilla-embedded users reset {user.username} --api-key"
            )


def _revision() -> str | None:
    from alembic.runtime.migration import MigrationContext

    with sync_engine.connect() as connection:
        revision: str | None = MigrationContext.configure(connection).get_current_revision()
    return revision


def _newest_revision() -> str | None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    head: str | None = ScriptDirectory.from_config(Config(ALEMBIC_CONFIG_FILE)).get_current_head()
    return head
