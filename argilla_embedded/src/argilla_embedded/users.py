"""People and workspaces, written straight to Argilla's database: it works whether or not the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from argilla_embedded import environment
from argilla_embedded.errors import EmbeddedError
from argilla_embedded.home import Home, Owner
from argilla_embedded.queue import socket_path
from argilla_embedded.sessions import end_sessions

Role = Literal["owner", "admin", "annotator"]
T = TypeVar("T")


class Credentials(BaseModel):
    """What a person signs in with; shown once and kept nowhere in clear but in the owner's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: str
    role: Role
    password: str
    api_key: str
    workspaces: list[str]


class Person(BaseModel):
    """A user as others may see them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: str
    role: Role
    workspaces: list[str]


class Place(BaseModel):
    """A workspace and who works in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    members: list[str]
    datasets: int


def add(home: Home, username: str, role: Role, workspaces: Sequence[str]) -> Credentials:
    """Make a user with a random password. Raises `EmbeddedError` when the name is taken or a workspace unknown."""

    async def change(session: Any) -> Credentials:
        from argilla_server.contexts import accounts

        from argilla_embedded import database

        password = database.new_password()
        attributes = {
            "username": username,
            "first_name": username,
            "last_name": None,
            "role": role,
            "password": password,
        }
        user = await accounts.create_user(session, attributes, list(workspaces))
        return Credentials(
            username=username, role=role, password=password, api_key=user.api_key, workspaces=list(workspaces)
        )

    if not username.strip() or not username.isprintable():
        raise EmbeddedError(f"a username is one or more printable characters, not {username!r}")
    return _in_database(home, change)


def people(home: Home) -> list[Person]:
    """Return all users, oldest first."""

    async def read(session: Any) -> list[Person]:
        from argilla_server.contexts import accounts

        return [
            Person(username=user.username, role=user.role.value, workspaces=[each.name for each in user.workspaces])
            for user in await accounts.list_users(session)
        ]

    return _in_database(home, read)


def reset(home: Home, username: str, api_key: bool) -> Credentials:
    """Give a user a new random password, and a new API key if asked; end what sessions there are.

    Raises `EmbeddedError` for an unknown name.
    """

    async def change(session: Any) -> Credentials:
        from argilla_server.contexts import accounts

        from argilla_embedded import database

        user = await accounts.get_user_by_username(session, username)
        if user is None:
            raise EmbeddedError(f"there is no user {username!r}; `argilla-embedded users list` shows who there is")
        password = database.new_password()
        changed: dict[str, str] = {"password": password}
        if api_key:
            changed["api_key"] = database.new_api_key()
        names = [each.name for each in user.workspaces]
        user = await accounts.update_user(session, user, changed)
        return Credentials(
            username=username, role=user.role.value, password=password, api_key=user.api_key, workspaces=names
        )

    fresh = _in_database(home, change)
    end_sessions(home, username)
    owner = home.owner()
    if owner is not None and owner.username == username:
        home.keep(Owner(username=username, password=fresh.password, api_key=fresh.api_key))
    return fresh


def add_workspace(home: Home, name: str, members: Sequence[str]) -> Place:
    """Make a workspace unless it is there, and let users in. Raises `EmbeddedError` for an unknown user."""

    async def change(session: Any) -> Place:
        from argilla_server.contexts import accounts
        from argilla_server.models import Workspace, WorkspaceUser

        workspace = await Workspace.get_by(session, name=name)
        workspace = workspace or await accounts.create_workspace(session, {"name": name})
        for username in members:
            user = await accounts.get_user_by_username(session, username)
            if user is None:
                raise EmbeddedError(f"there is no user {username!r}; add them: argilla-embedded users add {username}")
            if await WorkspaceUser.get_by(session, workspace_id=workspace.id, user_id=user.id) is None:
                await accounts.create_workspace_user(session, {"workspace_id": workspace.id, "user_id": user.id})
        return next(place for place in await _places(session) if place.name == name)

    if not name.strip() or not name.isprintable():
        raise EmbeddedError(f"a workspace's name is one or more printable characters, not {name!r}")
    return _in_database(home, change)


def workspaces(home: Home) -> list[Place]:
    """Return all workspaces, oldest first."""
    return _in_database(home, _places)


async def _places(session: Any) -> list[Place]:
    from argilla_server.models import Dataset, User, Workspace, WorkspaceUser
    from sqlalchemy import func, select

    places = []
    for workspace in (await session.scalars(select(Workspace).order_by(Workspace.inserted_at))).all():
        names = select(User.username).join(WorkspaceUser).where(WorkspaceUser.workspace_id == workspace.id)
        datasets = select(func.count(Dataset.id)).where(Dataset.workspace_id == workspace.id)
        places.append(
            Place(
                name=workspace.name,
                members=list(await session.scalars(names.order_by(User.username))),
                datasets=await session.scalar(datasets),
            )
        )
    return places


def _in_database(home: Home, action: Callable[[Any], Awaitable[T]]) -> T:
    settings = home.settings()
    if settings is None:
        raise EmbeddedError(f"{home.path} has no server yet; make it: argilla-embedded up --home {home.path}")
    environment.apply(home, settings, socket_path(home.path))
    return asyncio.run(_with_session(action))


async def _with_session(action: Callable[[Any], Awaitable[T]]) -> T:
    from argilla_server.errors.future import NotUniqueError, UnprocessableEntityError
    from sqlalchemy.exc import OperationalError

    from argilla_embedded import database

    database.reach()
    try:
        async with database.session() as session:
            return await action(session)
    except (NotUniqueError, UnprocessableEntityError) as exc:
        raise EmbeddedError(str(exc.message)) from exc
    except OperationalError as exc:
        raise EmbeddedError(f"the database refused: {exc.orig}; has it been made by `argilla-embedded up`?") from exc
