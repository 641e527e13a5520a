"""Who may do what, over HTTP: every role, every kind of action, and every route for nobody."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

import httpx
import pytest

from tests.serving import Server, make_dataset, make_user, make_workspace, ok, push, submit

ROLES = ("owner", "admin", "alice", "bob", "foreign admin", "foreign annotator", "nobody")
"""alice and bob are annotators in the workspace, alice wrote the answers; foreign ones are in another workspace."""
STAFF = ("owner", "admin")
MEMBERS = ("owner", "admin", "alice", "bob")
OPEN = {"/version", "/status", "/settings", "/token", "/providers"}
"""Routes that anybody may ask: none tells of data or people."""
fresh = count()


@dataclass(frozen=True)
class Team:
    """A dataset, and clients by role."""

    clients: dict[str, httpx.Client]
    workspace: str
    dataset: str
    alice: str
    """Her user id."""

    @property
    def owner(self) -> httpx.Client:
        return self.clients["owner"]

    def record(self) -> str:
        """Return a new record's id."""
        return push(self.owner, self.dataset, [f"record {next(fresh)}"])[0]

    def answer(self) -> str:
        """Return the id of a new answer of alice."""
        return str(ok(submit(self.clients["alice"], self.record()))["items"][0]["item"]["id"])

    def user(self) -> str:
        """Return a new user's id."""
        return str(make_user(self.owner, f"user{next(fresh)}", "annotator")["id"])


@pytest.fixture(scope="module")
def team(server: Server) -> Team:
    with server.owner() as owner:
        workspace = make_workspace(owner, "team")
        dataset = make_dataset(owner, "team", "roles", min_submitted=2)
        people = {
            "admin": make_user(owner, "adam", "admin", "team"),
            "alice": make_user(owner, "alice", "annotator", "team"),
            "bob": make_user(owner, "bob", "annotator", "team"),
            "foreign admin": make_user(owner, "fred", "admin", "elsewhere"),
            "foreign annotator": make_user(owner, "fay", "annotator", "elsewhere"),
        }
    clients = {role: server.client(person["api_key"]) for role, person in people.items()}
    clients = {"owner": server.owner(), **clients, "nobody": server.client(None)}
    return Team(clients, workspace, dataset, people["alice"]["id"])


Action = Callable[[httpx.Client, Team], httpx.Response]
VALUES = {"verdict": {"value": "bad"}}
EMPTY_SEARCH = {"query": {}}

ACTIONS: dict[str, tuple[Action, tuple[str, ...]]] = {
    "read the dataset": (lambda c, t: c.get(f"/datasets/{t.dataset}"), MEMBERS),
    "read its records": (lambda c, t: c.post(f"/me/datasets/{t.dataset}/records/search", json={}), MEMBERS),
    "read one record": (lambda c, t: c.get(f"/records/{t.record()}"), MEMBERS),
    "submit an answer": (
        lambda c, t: c.post(f"/records/{t.record()}/responses", json={"values": VALUES, "status": "submitted"}),
        MEMBERS,
    ),
    "see own progress": (lambda c, t: c.get(f"/me/datasets/{t.dataset}/metrics"), MEMBERS),
    "read everybody's answers": (lambda c, t: c.post(f"/datasets/{t.dataset}/records/search", json={}), STAFF),
    "list records with answers": (
        lambda c, t: c.get(f"/datasets/{t.dataset}/records", params={"include": "responses"}),
        STAFF,
    ),
    "change alice's answer": (
        lambda c, t: c.put(f"/responses/{t.answer()}", json={"values": VALUES, "status": "submitted"}),
        (*STAFF, "alice"),
    ),
    "delete alice's answer": (lambda c, t: c.delete(f"/responses/{t.answer()}"), (*STAFF, "alice")),
    "push records": (
        lambda c, t: c.put(
            f"/datasets/{t.dataset}/records/bulk", json={"items": [{"fields": {"text": f"pushed {next(fresh)}"}}]}
        ),
        STAFF,
    ),
    "change a record": (lambda c, t: c.patch(f"/records/{t.record()}", json={"metadata": {}}), STAFF),
    "delete a record": (lambda c, t: c.delete(f"/records/{t.record()}"), STAFF),
    "change the dataset": (lambda c, t: c.patch(f"/datasets/{t.dataset}", json={"guidelines": "Read."}), STAFF),
    "make a dataset": (
        lambda c, t: c.post("/datasets", json={"name": f"made {next(fresh)}", "workspace_id": t.workspace}),
        STAFF,
    ),
    "delete a dataset": (
        lambda c, t: c.delete(f"/datasets/{make_dataset(t.owner, 'team', f'deleted {next(fresh)}')}"),
        STAFF,
    ),
    "see who is in the workspace": (lambda c, t: c.get(f"/workspaces/{t.workspace}/users"), STAFF),
    "list users": (lambda c, _: c.get("/users"), ("owner",)),
    "read a user, with the API key": (lambda c, t: c.get(f"/users/{t.alice}"), ("owner",)),
    "make a user": (
        lambda c, _: c.post(
            "/users", json={"username": f"made{next(fresh)}", "first_name": "x", "password": "long enough"}
        ),
        ("owner",),
    ),
    "change a password": (lambda c, t: c.patch(f"/users/{t.user()}", json={"password": "another one"}), ("owner",)),
    "make oneself owner": (lambda c, t: c.patch(f"/users/{t.alice}", json={"first_name": "Alice"}), ("owner",)),
    "delete a user": (lambda c, t: c.delete(f"/users/{t.user()}"), ("owner",)),
    "make a workspace": (lambda c, _: c.post("/workspaces", json={"name": f"made {next(fresh)}"}), ("owner",)),
    "let a user into the workspace": (
        lambda c, t: c.post(f"/workspaces/{t.workspace}/users", json={"user_id": t.user()}),
        ("owner",),
    ),
    "list webhooks": (lambda c, _: c.get("/webhooks"), ("owner",)),
    "make a webhook": (
        lambda c, _: c.post("/webhooks", json={"url": "http://127.0.0.1:9/", "events": ["dataset.deleted"]}),
        ("owner",),
    ),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_each_role_may_do_what_the_table_says_and_no_more(team: Team, name: str) -> None:
    action, allowed = ACTIONS[name]
    codes = {role: action(team.clients[role], team).status_code for role in ROLES}
    may = {role for role, code in codes.items() if 200 <= code < 300}
    assert may == set(allowed), codes
    assert all(codes[role] in (401, 403, 404) for role in ROLES if role not in allowed), codes
    assert codes["nobody"] == 401


def test_an_annotator_sees_own_answers_only(team: Team) -> None:
    record = team.record()
    for name, value in (("alice", "good"), ("bob", "bad")):
        ok(submit(team.clients[name], record, value))
    for name, value in (("alice", "good"), ("bob", "bad")):
        path = f"/me/datasets/{team.dataset}/records/search"
        found = ok(team.clients[name].post(path, json={}, params={"include": "responses", "limit": 1000}))["items"]
        answers = [each for item in found if item["record"]["id"] == record for each in item["record"]["responses"]]
        assert [answer["values"]["verdict"]["value"] for answer in answers] == [value]
        alone = ok(team.clients[name].get(f"/records/{record}"))
        assert [each for each in alone.get("responses") or [] if each["values"]["verdict"]["value"] != value] == []


def test_an_answer_in_another_name_is_ones_own(team: Team) -> None:
    record = team.record()
    values = {"values": VALUES, "status": "submitted", "user_id": team.alice}
    made = ok(team.clients["bob"].post(f"/records/{record}/responses", json=values))
    assert made["user_id"] != team.alice


def test_datasets_and_workspaces_of_others_are_not_listed(team: Team) -> None:
    for role in ("foreign admin", "foreign annotator"):
        listed = ok(team.clients[role].get("/me/datasets"))["items"]
        assert team.dataset not in {dataset["id"] for dataset in listed}
        places = ok(team.clients[role].get("/me/workspaces"))["items"]
        assert {place["name"] for place in places} == {"elsewhere"}


def test_every_route_that_is_not_open_refuses_nobody(team: Team, server: Server) -> None:
    routes = server_routes()
    assert len(routes) > 70
    for method, path in routes:
        if path in OPEN or path.startswith("/oauth2/providers"):
            continue
        url = re.sub(r"\{[^}]+\}", str(uuid4()), path)
        answer = team.clients["nobody"].request(method, url, json={})
        assert answer.status_code == 401, (method, path, answer.status_code)


def server_routes() -> list[tuple[str, str]]:
    """Return method and path of every route of the server's interface, read from its code by itself."""
    import json
    import subprocess
    import sys

    code = (
        "import json; from argilla_server.api.routes import api_v1; "
        "print(json.dumps([[m, r.path] for r in api_v1.routes if hasattr(r, 'dependant') for m in r.methods]))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return [(method, path) for method, path in json.loads(said.splitlines()[-1])]
