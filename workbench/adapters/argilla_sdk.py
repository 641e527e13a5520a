"""Argilla 2.8, embedded or a team's, over its SDK's client. Only this file imports it.

Everything goes over the REST interface that the SDK wraps, because the SDK drops what pulling needs: a dataset's own
metadata, totals, and when an answer was given. All but making something new is repeated after a dropped connection,
since doing it twice changes nothing.
"""

from __future__ import annotations

import importlib.util
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from workbench.calling.secrets import one_line, redact
from workbench.errors import LabellingError, MissingExtra
from workbench.labelling.server import (
    PAGE,
    About,
    AnnotatorProgress,
    Answer,
    DatasetProgress,
    Page,
    RemoteDataset,
    RemoteRecord,
    Row,
)
from workbench.labelling.wire import field_json, question_json

if TYPE_CHECKING:
    import httpx

VECTOR = "text"
"""Name of the records' vectors."""
KEPT = "workbench"
"""Where a dataset's metadata keeps its `About`."""
WAITS = (0.2, 0.5, 1.0, 2.0)
"""Seconds before each further attempt after a dropped connection."""
AWAY = frozenset({502, 503, 504})
"""Answers of a proxy whose server is away for a moment."""
ANSWERS = 100
"""Answers that the server takes at once."""
TIMEOUT = 120
"""Seconds for one request: a batch of long records takes a slow server some."""


def connect(url: str, api_key: str, workspace: str) -> Argilla:
    """Return the workspace of a server; made if the key is an owner's. Raises `LabellingError` and `MissingExtra`."""
    if importlib.util.find_spec("argilla") is None:
        raise MissingExtra("argilla", "labelling")
    import httpx
    from argilla import Argilla as Client
    from argilla._exceptions import ArgillaError

    mend = "is it running (workbench argilla up), and are labelling.url and the key right?"
    try:
        client = Client(api_url=url, api_key=api_key, timeout=TIMEOUT)
        found = client.workspaces(workspace) or _new_workspace(client, workspace)
    except (ArgillaError, httpx.HTTPError, ValueError) as exc:
        raise LabellingError(
            f"{url}: Argilla does not let us in: {redact(one_line(str(exc)), api_key)}; {mend}"
        ) from exc
    return Argilla(client.http_client, api_key, str(found.id), owner=str(client.me.role).endswith("owner"))


class Argilla:
    """One workspace of an Argilla server: a `LabellingServer`."""

    def __init__(self, client: httpx.Client, api_key: str, workspace: str, owner: bool) -> None:
        self._client = client
        self._key = api_key
        self._workspace = workspace
        self._owner = owner
        self._questions: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def datasets(self) -> list[str]:
        """Return the names of the workspace's datasets."""
        return sorted(item["name"] for item in self._listed())

    def dataset(self, name: str) -> RemoteDataset | None:
        """Return the dataset of this name; what a killed push left half made is removed."""
        found = next((item for item in self._listed() if item["name"] == name), None)
        if found is None:
            return None
        if found["status"] == "draft":
            self._send("DELETE", f"datasets/{found['id']}")
            return None
        try:
            about = About.model_validate((found["metadata"] or {})[KEPT])
        except (KeyError, ValidationError) as exc:
            raise LabellingError(
                f"the dataset '{name}' in Argilla was not made by this version of workbench; choose another name"
            ) from exc
        listed = self._read(f"me/datasets/{found['id']}/metadata-properties")["items"]
        return RemoteDataset(found["id"], name, about, frozenset(item["name"] for item in listed))

    def create(self, name: str, about: About, properties: Mapping[str, bool]) -> RemoteDataset:
        """Make and publish a dataset."""
        made = self._send(
            "POST",
            "datasets",
            {
                "name": name,
                "workspace_id": self._workspace,
                "guidelines": f"`{about.form.version}`\n\n{about.form.guidelines}",
                "allow_extra_metadata": True,
                "distribution": {"strategy": "overlap", "min_submitted": about.overlap},
                "metadata": {KEPT: about.model_dump(mode="json")},
            },
        )
        path = f"datasets/{made['id']}"
        for field in about.form.fields:
            self._send("POST", f"{path}/fields", field_json(field))
        for question in about.form.questions:
            self._send("POST", f"{path}/questions", question_json(question))
        if about.vector_size is not None:
            title = {"name": VECTOR, "title": "Text", "dimensions": about.vector_size}
            self._send("POST", f"{path}/vectors-settings", title)
        dataset = RemoteDataset(made["id"], name, about, frozenset(properties))
        self.add_properties(dataset, properties)
        self._send("PUT", f"{path}/publish")
        return dataset

    def add_properties(self, dataset: RemoteDataset, properties: Mapping[str, bool]) -> None:
        """Add names to filter by."""
        for name, shown in properties.items():
            told = {"name": name, "title": name, "settings": {"type": "terms"}, "visible_for_annotators": shown}
            self._send("POST", f"datasets/{dataset.id}/metadata-properties", told)

    def page(self, dataset: RemoteDataset, offset: int, *, suggested: bool = False) -> Page:
        """Return up to `PAGE` records."""
        include = ["responses", *(["suggestions"] if suggested else [])]
        found = self._read(f"datasets/{dataset.id}/records", {"offset": offset, "limit": PAGE, "include": include})
        names = {id: name for name, id in self._question_ids(dataset).items()} if suggested else {}
        return Page(found["total"], [_record(item, names) for item in found["items"]])

    def marker(self, dataset: RemoteDataset) -> tuple[object, ...]:
        """Return when anybody last answered, how many records there are, and which changed last and when.

        The server notes an answer's time in the same transaction as the answer.
        """
        last = {"scope": {"entity": "record", "property": "updated_at"}, "order": "desc"}
        found = self._send("POST", f"datasets/{dataset.id}/records/search?limit=1", {"sort": [last]})
        newest = [(item["record"]["id"], item["record"]["updated_at"]) for item in found["items"]]
        return (self._read(f"datasets/{dataset.id}")["last_activity_at"], found["total"], *newest)

    def upsert(self, dataset: RemoteDataset, rows: Sequence[Row]) -> None:
        """Write records by id."""
        ids = self._question_ids(dataset) if any(row.suggestions for row in rows) else {}
        self._send("PUT", f"datasets/{dataset.id}/records/bulk", {"items": [_item(row, ids) for row in rows]})

    def drop_suggestions(self, record: RemoteRecord, questions: Sequence[str]) -> None:
        """Remove suggestions of a record."""
        ids = ",".join(record.suggested[name] for name in questions)
        self._call("DELETE", f"records/{record.server_id}/suggestions", params={"ids": ids})

    def progress(self, dataset: RemoteDataset) -> DatasetProgress:
        """Return how far it is."""
        whole = self._read(f"datasets/{dataset.id}/progress")
        people = self._read(f"datasets/{dataset.id}/users/progress")["users"]
        return DatasetProgress(whole["total"], whole["completed"], tuple(_person(item) for item in people))

    def names(self) -> dict[str, str]:
        """Return user names by id; an admin knows only those of the workspace."""
        path = "users" if self._owner else f"workspaces/{self._workspace}/users"
        return {item["id"]: item["username"] for item in [*self._read(path)["items"], self._read("me")]}

    def annotator_key(self, name: str) -> str:
        """Return the API key of an annotator of this workspace, who is made where there is none; for owners only."""
        found = next((user for user in self._read("users")["items"] if user["username"] == name), None)
        if found is None:
            told = {"first_name": name, "username": name, "role": "annotator", "password": secrets.token_urlsafe(24)}
            found = self._send("POST", "users", told)
        members = self._read(f"workspaces/{self._workspace}/users")["items"]
        if found["id"] not in {user["id"] for user in members}:
            self._send("POST", f"workspaces/{self._workspace}/users", {"user_id": found["id"]})
        return str(found["api_key"])

    def waiting(self, dataset: RemoteDataset) -> list[RemoteRecord]:
        """Return up to `PAGE` records that this user may answer and has not."""
        mine = {"entity": "response", "property": "status"}
        wanted = {"type": "and", "and": [{"type": "terms", "scope": mine, "values": ["pending"]}]}
        path = f"me/datasets/{dataset.id}/records/search?include=responses&limit={PAGE}"
        found = self._send("POST", path, {"filters": wanted})
        return [_record(item["record"], {}) for item in found["items"]]

    def submit(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        """Submit this user's answers: values by question, by the server's record id."""
        items = [
            {"record_id": id, "status": "submitted", "values": {name: {"value": v} for name, v in values.items()}}
            for id, values in answers.items()
        ]
        for at in range(0, len(items), ANSWERS):
            told = self._send("POST", "me/responses/bulk", {"items": items[at : at + ANSWERS]})
            if wrong := next((item["error"] for item in told["items"] if item["error"]), None):
                raise self._trouble("POST", "me/responses/bulk", str(wrong["detail"]))

    def _listed(self) -> list[dict[str, Any]]:
        found = self._read("me/datasets", {"workspace_id": self._workspace})["items"]
        return [item for item in found if item["workspace_id"] == self._workspace]

    def _question_ids(self, dataset: RemoteDataset) -> dict[str, str]:
        if dataset.id not in self._questions:
            listed = self._read(f"datasets/{dataset.id}/questions")["items"]
            self._questions[dataset.id] = {item["name"]: item["id"] for item in listed}
        return self._questions[dataset.id]

    def _read(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return orjson.loads(self._call("GET", path, params=params).content)

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else orjson.dumps(body)
        response = self._call(method, path, content=content)
        return orjson.loads(response.content) if response.content else None

    def _call(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, content: bytes = b""
    ) -> httpx.Response:
        """Send a request; again where that is safe. Raises `LabellingError`."""
        import httpx

        waits = iter(WAITS if method != "POST" or "/search?" in path else ())
        while True:
            try:
                headers = {"Content-Type": "application/json"} if content else {}
                found = self._client.request(method, f"/api/v1/{path}", params=params, content=content, headers=headers)
            except httpx.HTTPError as exc:
                if (wait := next(waits, None)) is None:
                    raise self._trouble(method, path, f"{type(exc).__name__}: {exc}") from exc
            else:
                if found.is_success:
                    return found
                if found.status_code not in AWAY or (wait := next(waits, None)) is None:
                    raise self._trouble(method, path, f"HTTP {found.status_code}: {found.text}")
            time.sleep(wait)

    def _trouble(self, method: str, path: str, what: str) -> LabellingError:
        told = redact(one_line(what), self._key)
        return LabellingError(f"{self._client.base_url} {method} {path}: {told}; what was pushed stays, run it again")


def _new_workspace(client: Any, name: str) -> Any:
    from argilla import Workspace

    return Workspace(name=name, client=client).create()


def _item(row: Row, question_ids: Mapping[str, str]) -> dict[str, Any]:
    """Return a record as the server takes it."""
    item: dict[str, Any] = {"external_id": row.id, "fields": row.fields, "metadata": row.metadata}
    if row.suggestions:
        told = row.suggestions.items()
        item["suggestions"] = [{"question_id": question_ids[name], **suggestion} for name, suggestion in told]
    return item if row.vector is None else item | {"vectors": {VECTOR: row.vector}}


def _record(item: Mapping[str, Any], names: Mapping[str, str]) -> RemoteRecord:
    return RemoteRecord(
        server_id=item["id"],
        id=item["external_id"] or item["id"],
        fields=item["fields"],
        metadata=item["metadata"] or {},
        inserted=item["inserted_at"],
        answers=tuple(sorted((_answer(a) for a in item["responses"]), key=lambda a: a.id)),
        suggested={names[s["question_id"]]: s["id"] for s in item.get("suggestions") or ()},
    )


def _answer(item: Mapping[str, Any]) -> Answer:
    return Answer(
        id=item["id"],
        user=item["user_id"],
        status=item["status"],
        values=item["values"] or {},
        inserted=item["inserted_at"],
        updated=item["updated_at"],
    )


def _person(item: Mapping[str, Any]) -> AnnotatorProgress:
    """Return one person's counts over completed and pending records."""
    both = [item["completed"], item["pending"]]
    submitted, drafts, discarded = (sum(part[name] for part in both) for name in ("submitted", "draft", "discarded"))
    return AnnotatorProgress(item["username"], submitted, drafts, discarded)
