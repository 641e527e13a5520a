"""People and workspaces from the command line, while the server runs."""

from __future__ import annotations

import json

import httpx

from tests.serving import Server, ok, run


def test_a_person_is_added_let_in_signs_in_and_gets_a_new_password(server: Server) -> None:
    home = server.home
    made = json.loads(run("users", "add", "carol", "--workspace", "default", "--json", home=home).stdout)
    assert made["role"] == "annotator" and made["workspaces"] == ["default"] and len(made["password"]) >= 20
    assert signs_in(server, "carol", made["password"])
    session = sign_in(server, "carol", made["password"])
    assert has_session(server, session)
    reset = json.loads(run("users", "reset", "carol", "--json", home=home).stdout)
    assert not has_session(server, session), "sessions end with the password"
    assert has_session(server, sign_in(server, "carol", reset["password"]))
    assert reset["api_key"] == made["api_key"] and reset["password"] != made["password"]
    assert signs_in(server, "carol", reset["password"]) and not signs_in(server, "carol", made["password"])
    with server.client(made["api_key"]) as carol:
        assert [place["name"] for place in ok(carol.get("/me/workspaces"))["items"]] == ["default"]


def test_what_cannot_be_is_a_message(server: Server) -> None:
    for words, says in (
        (("users", "add", "owner"), "not unique"),
        (("users", "add", "dave", "--workspace", "nowhere"), "nowhere"),
        (("users", "add", "a\nb"), "printable"),
    ):
        done = run(*words, home=server.home)
        assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


def test_people_need_a_server_that_was_started_once(server: Server) -> None:
    done = run("users", "list", home=server.home / "nothing")
    assert done.returncode == 2 and "argilla-embedded up" in done.stderr


def test_a_new_password_ends_nobody_elses_session(server: Server) -> None:
    made = [json.loads(run("users", "add", name, "--json", home=server.home).stdout) for name in ("eve", "fay")]
    sessions = [sign_in(server, person["username"], person["password"]) for person in made]
    run("users", "reset", "eve", home=server.home)
    run("users", "reset", "owner", home=server.home)
    assert [has_session(server, session) for session in sessions] == [False, True]
    for token in (
        "x",
        "a.eyJ1c2VybmFtZSI6ImV2ZSIsImV4cCI6MWU5OTl9.c",
        "a.b.c",
        "..",
        "a.e30.c",
        "a.e30=.c",
        "a.bnVsbA.c",
        "\xff.\xff",
    ):
        assert httpx.get(
            f"{server.url}/api/v1/me", headers={b"Authorization": b"Bearer " + token.encode()}
        ).is_client_error


def sign_in(server: Server, name: str, password: str) -> str:
    answer = httpx.post(f"{server.url}/api/v1/token", data={"username": name, "password": password})
    return str(ok(answer)["access_token"])


def has_session(server: Server, token: str) -> bool:
    answer = httpx.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    return answer.is_success


def signs_in(server: Server, name: str, password: str) -> bool:
    answer = httpx.post(f"{server.url}/api/v1/token", data={"username": name, "password": password})
    return answer.is_success
