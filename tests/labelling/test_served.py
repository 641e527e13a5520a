"""Push and pull against Argilla's own server."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.labelling.made import ODD, TEMPLATES, about, no_watch, task, tasks
from tests.labelling.serving import Person, Served
from workbench.adapters.argilla_sdk import Argilla
from workbench.cli.commands import cli
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.curation.stored_datasets import find_dataset
from workbench.errors import ConfigError, DataError, LabellingError
from workbench.jobs.labelling import pull_dataset, queue_disagreements
from workbench.labelling import pulling
from workbench.labelling.page_text import escaped
from workbench.labelling.pulling import read_moment
from workbench.labelling.pushing import Pushed, push
from workbench.labelling.resolving import Resolution
from workbench.labelling.server import RemoteDataset
from workbench.labelling.snapshot import Snapshot, latest_snapshot, read_snapshot, store_snapshot
from workbench.labelling.tasks import Suggestion, Task
from workbench.records import Label, Ranked, Span

pytestmark = pytest.mark.argilla
counter = itertools.count()


@pytest.fixture(scope="module")
def server(argilla: Served) -> Argilla:
    return argilla.connect()


@pytest.fixture
def name() -> str:
    return f"served-{next(counter)}"


def there(server: Argilla, name: str) -> RemoteDataset:
    found = server.dataset(name)
    assert found is not None
    return found


def pull(server: Argilla, name: str, folder: Path) -> Snapshot:
    dataset = there(server, name)
    return store_snapshot(folder / name, dataset, read_moment(server, dataset, no_watch), server.names())


def put(server: Argilla, name: str, made: list[Task], template: str = "rag_review", candidates: int = 1) -> Pushed:
    return push(server, name, about(template, candidates), made, {}, no_watch)


@pytest.mark.parametrize("template", TEMPLATES)
def test_records_of_every_template_come_back_equal(template: str, server: Argilla, name: str, tmp_path: Path) -> None:
    made = tasks(7, outputs=2 if template == "preference" else 1)
    assert put(server, name, made, template, len(made[0].outputs)) == (7, 0, 0)
    pulled = pull(server, name, tmp_path)
    assert pulled.tasks() == made
    assert pulled.manifest.n_records == 7 and pulled.manifest.n_labels == 0


def test_answers_come_back_with_annotator_time_and_guideline(
    argilla: Served, server: Argilla, name: str, tmp_path: Path
) -> None:
    put(server, name, tasks(4))
    ids, ada = argilla.ids(there(server, name)), argilla.person("ada")
    text = ODD
    start = text.index("𝒳")
    said = {"verdict": "fail", "failure_modes": ["invented", "incomplete"], "note": "see <b> & co"}
    shown = escaped(text).replace("&#13;", "\r")  # as the browser holds it
    utf16 = len(shown[: shown.index("𝒳")].encode("utf-16-le")) // 2
    said["unsupported"] = [{"start": utf16, "end": utf16 + 3, "label": "benign"}]
    ada.answer(ids["r000"], said)
    ada.answer(ids["r001"], {"verdict": "pass"}, "draft")
    ada.answer(ids["r002"], {"verdict": "pass"}, "discarded")
    pulled = pull(server, name, tmp_path)
    labels = {label.question: label for label in pulled.labels()}
    assert labels.keys() == said.keys()
    assert labels["unsupported"].value == (Span(start=start, end=start + 2, label="benign"),)
    assert labels["failure_modes"].value == ("invented", "incomplete")
    assert labels["note"].value == "see <b> & co"
    assert {(x.annotator, x.guideline, x.record_id) for x in labels.values()} == {
        ("ada", "rag_review/1+taxonomy/1", "r000")
    }
    m = pulled.manifest
    assert (m.n_submitted, m.n_drafts, m.n_discarded, m.n_labelled, m.annotators) == (1, 1, 1, 1, {"ada": 1})


def test_only_the_latest_answer_of_an_annotator_counts(
    argilla: Served, server: Argilla, name: str, tmp_path: Path
) -> None:
    put(server, name, tasks(1))
    ids = argilla.ids(there(server, name))
    for person, verdicts in (("ada", ["pass", "fail"]), ("bob", ["fail", "pass"])):
        for verdict in verdicts:
            argilla.person(person).answer(ids["r000"], {"verdict": verdict})
    assert {(x.annotator, x.value) for x in pull(server, name, tmp_path).labels()} == {("ada", "fail"), ("bob", "pass")}


@pytest.mark.parametrize("outputs", [2, 3, 4])
def test_preferences_name_the_outputs_and_not_their_places(
    outputs: int, argilla: Served, server: Argilla, name: str, tmp_path: Path
) -> None:
    made = tasks(8, outputs)
    put(server, name, made, "preference", outputs)
    dataset, ada = there(server, name), argilla.person("ada")
    orders = set()
    for record in server.page(dataset, 0).records:
        order = record.metadata["workbench"]["order"]
        orders.add(tuple(order))
        best = "abcd"[order.index(0)]  # the first output is always preferred, wherever it stands
        rest = [letter for letter in "abcd"[:outputs] if letter != best]
        ranking = [{"value": best, "rank": 1}, *({"value": letter, "rank": 2} for letter in rest)]
        ada.answer(record.server_id, {"preferred": best} if outputs == 2 else {"ranking": ranking})
    assert len(orders) > 1, "the order is shuffled"
    for label in pull(server, name, tmp_path).labels():
        if outputs == 2:
            assert label.value == "1"
        else:
            assert isinstance(label.value, tuple)
            assert {r.value: r.rank for r in label.value if isinstance(r, Ranked)}["1"] == 1


def test_pushing_again_adds_nothing_and_updates_what_nobody_answered(
    server: Argilla, name: str, tmp_path: Path
) -> None:
    made = tasks(3)
    hint = Suggestion(question="verdict", value="fail", agent="judge:1", score=0.5)
    first = made[0].model_copy(update={"suggestions": (hint,)})
    assert put(server, name, [first, *made[1:]]) == (3, 0, 0)
    assert put(server, name, [first, *made[1:], task(9)]) == (1, 0, 3)
    changed = made[1].model_copy(update={"outputs": ("Another answer.",)})
    assert put(server, name, [made[0], changed, *made[2:]]) == (0, 2, 1)
    pulled = {record.id: record for record in server.page(there(server, name), 0, suggested=True).records}
    assert len(pulled) == 4
    assert pulled["r001"].fields["answer"] == "Another answer."
    assert pulled["r000"].suggested == {}, "a suggestion that is switched off is gone"


def test_a_changed_record_that_somebody_answered_is_refused_and_nothing_is_written(
    argilla: Served, server: Argilla, name: str
) -> None:
    made = tasks(3)
    put(server, name, made)
    argilla.person("ada").answer(argilla.ids(there(server, name))["r001"], {"verdict": "pass"}, "draft")
    changed = [x.model_copy(update={"outputs": ("Another answer.",)}) for x in made]
    with pytest.raises(DataError, match=r"people have answered it \(got r001\)"):
        put(server, name, [*changed, task(8)])
    records = server.page(there(server, name), 0).records
    assert len(records) == 3 and all(record.fields["answer"] != "Another answer." for record in records)


def test_another_guideline_or_overlap_needs_another_dataset(server: Argilla, name: str) -> None:
    put(server, name, tasks(1))
    with pytest.raises(DataError, match="OTHER_GUIDELINE"):
        put(server, name, tasks(1), "open_coding")
    with pytest.raises(DataError, match="OTHER_OVERLAP"):
        push(server, name, about("rag_review", overlap=3), tasks(1), {}, no_watch)


def test_a_push_that_was_killed_goes_on_where_it_stopped(
    server: Argilla, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("workbench.labelling.pushing.BATCH", 3)
    made = tasks(10)

    def killed(done: int, total: int) -> None:
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(server, name, about("rag_review"), made, {}, killed)
    assert put(server, name, made) == (4, 0, 6)
    assert pull(server, name, tmp_path).tasks() == made


def test_a_dataset_that_was_left_half_made_is_made_anew(
    server: Argilla, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(server, "add_properties", killed)
        with pytest.raises(KeyboardInterrupt):
            put(server, name, tasks(2))
    assert put(server, name, tasks(2)) == (2, 0, 0)


def test_annotators_see_neither_model_nor_origin_nor_what_is_kept(argilla: Served, server: Argilla, name: str) -> None:
    put(server, name, tasks(2, 2), "preference", 2)
    path = f"/api/v1/me/datasets/{there(server, name).id}/records/search"
    told = argilla.person("ada").client.post(path, json={}).raise_for_status()
    assert {key for item in told.json()["items"] for key in item["record"]["metadata"]} == {"group", "language"}
    assert "tiny-1" not in told.text and "20260101" not in told.text and "order" not in told.text


def test_progress_counts_each_annotator(argilla: Served, server: Argilla, name: str) -> None:
    push(server, name, about("rag_review", overlap=2), tasks(3), {}, no_watch)
    ids = argilla.ids(there(server, name))
    for person, records in (("ada", ["r000", "r001"]), ("bob", ["r000"])):
        for record in records:
            argilla.person(person).answer(ids[record], {"verdict": "pass"})
    found = server.progress(there(server, name))
    assert (found.total, found.completed) == (3, 1)
    assert {p.name: p.submitted for p in found.annotators} == {"ada": 2, "bob": 1}


def test_a_snapshot_is_the_same_when_nothing_changed_and_another_when_something_did(
    argilla: Served, server: Argilla, name: str, tmp_path: Path
) -> None:
    put(server, name, tasks(3))
    first, again = pull(server, name, tmp_path), pull(server, name, tmp_path)
    assert first.path == again.path
    argilla.person("ada").answer(argilla.ids(there(server, name))["r001"], {"verdict": "pass"})
    later = pull(server, name, tmp_path)
    assert later.path != first.path and latest_snapshot(tmp_path / name).path == later.path
    assert read_snapshot(first.path).labels() == []
    (later.path / "labels.parquet").write_bytes((first.path / "labels.parquet").read_bytes())
    with pytest.raises(DataError, match="DATASET_DAMAGED"):
        read_snapshot(later.path)


# ---------------------------------------------------------------- while people label, delete, and cables are pulled


def truth(server: Argilla, name: str, folder: Path) -> set[tuple[str, str, str]]:
    return said(pull(server, name, folder).labels())


def said(labels: list[Label]) -> set[tuple[str, str, str]]:
    return {(x.record_id, x.annotator, str(x.value)) for x in labels}


def test_a_pull_while_people_label_holds_what_was_submitted_before_and_nothing_half_done(
    argilla: Served, server: Argilla, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.adapters.argilla_sdk.PAGE", 10)  # several pages, so that much happens in between
    put(server, name, tasks(30))
    ids, stop = argilla.ids(there(server, name)), threading.Event()
    acknowledged: list[tuple[str, str, str]] = []
    people = [argilla.person(f"live{i}") for i in range(3)]
    found: list[set[tuple[str, str, str]]] = []

    def label(person: Person, seed: int) -> None:
        draw = random.Random(seed)
        for record in draw.sample(sorted(ids), 30):
            if stop.is_set():
                return
            verdict = draw.choice(["pass", "fail", "unclear"])
            person.answer(ids[record], {"verdict": verdict}, "draft")
            person.answer(ids[record], {"verdict": verdict})
            acknowledged.append((record, person.name, verdict))

    threads = [threading.Thread(target=label, args=(person, i)) for i, person in enumerate(people)]
    for thread in threads:
        thread.start()
    try:
        for round in range(3):
            before = set(acknowledged)
            try:
                found.append(said(pull(server, name, tmp_path / str(round)).labels()))
            except LabellingError as exc:
                assert "leaves open" in str(exc)
                continue
            assert before <= found[-1]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert truth(server, name, tmp_path) == set(acknowledged)
    assert all(part <= set(acknowledged) for part in found), "nothing that nobody submitted"


def test_records_deleted_while_they_are_read_are_either_all_there_or_gone(
    argilla: Served, server: Argilla, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.adapters.argilla_sdk.PAGE", 10)
    put(server, name, tasks(40))
    dataset = there(server, name)
    ids, owner = argilla.ids(dataset), argilla.client(argilla.key)
    victims = iter(["r000", "r013"])
    page = server.page

    def deleting(dataset: RemoteDataset, offset: int, **options: bool) -> Any:
        found = page(dataset, offset, **options)
        if offset == 20 and (victim := next(victims, None)):
            owner.delete(f"/api/v1/records/{ids[victim]}").raise_for_status()
        return found

    monkeypatch.setattr(server, "page", deleting)
    left = [x.id for x in pull(server, name, tmp_path).tasks()]
    assert left == [x.id for x in tasks(40) if x.id not in ("r000", "r013")]


def test_a_dataset_that_keeps_changing_is_an_error(
    argilla: Served, server: Argilla, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "READINGS", 3)
    put(server, name, tasks(2))
    ids, ada = argilla.ids(there(server, name)), argilla.person("ada")
    page, verdicts = server.page, itertools.cycle(["pass", "fail"])

    def changing(dataset: RemoteDataset, offset: int, **options: bool) -> Any:
        ada.answer(ids["r000"], {"verdict": next(verdicts)})
        found = page(dataset, offset, **options)
        ada.answer(ids["r000"], {"verdict": next(verdicts)})
        ada.answer(ids["r001"], {"verdict": "pass"})
        return found

    monkeypatch.setattr(server, "page", changing)
    try:
        found = said(pull(server, name, tmp_path).labels())
    except LabellingError as exc:
        assert "leaves open" in str(exc)
    else:
        assert len(found) <= 2


class Dropping(httpx.BaseTransport):
    """Drops the connection before or after a request, by lot."""

    def __init__(self, inner: httpx.BaseTransport, draw: Callable[[], float]) -> None:
        self._inner, self._draw = inner, draw
        self.dropped = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        luck = self._draw()
        if luck < 0.25:
            self.dropped += 1
            raise httpx.ConnectError("dropped before", request=request)
        response = self._inner.handle_request(request)
        if luck < 0.5:
            response.read()
            self.dropped += 1
            raise httpx.ReadError("dropped after", request=request)
        return response


def test_with_twenty_dropped_connections_a_pull_is_equal_or_an_error(
    argilla: Served, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.adapters.argilla_sdk.PAGE", 5)
    monkeypatch.setattr("workbench.adapters.argilla_sdk.WAITS", (0.0, 0.0))
    server = argilla.connect()
    made = tasks(20)
    put(server, name, made)
    ids = argilla.ids(there(server, name))
    for record in ids:
        argilla.person("ada").answer(ids[record], {"verdict": "pass"})
    right = truth(server, name, tmp_path)
    lossy = Dropping(server._client._transport, random.Random(1).random)
    monkeypatch.setattr(server._client, "_transport", lossy)
    ended = {"equal": 0, "error": 0}
    for round in range(60):
        try:
            assert truth(server, name, tmp_path / str(round)) == right
            ended["equal"] += 1
        except LabellingError:
            ended["error"] += 1
        if lossy.dropped >= 20 and ended["error"]:
            break
    assert lossy.dropped >= 20 and ended["error"]


# ---------------------------------------------------------------- disagreements


def test_a_disagreement_is_queued_without_names_decided_and_kept_with_author_and_reason(
    argilla: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = project(argilla, tmp_path, monkeypatch)
    server, name = argilla.connect(), "served-conflict"
    made = tasks(3, 2)
    push(server, name, about("preference", 2, overlap=2), made, {}, no_watch)
    orders = {r.id: r.metadata["workbench"]["order"] for r in server.page(there(server, name), 0).records}
    ids = argilla.ids(there(server, name))
    for person, wanted in (("ada", [0, 0, 1]), ("bob", [1, 0, 1])):
        for task_, output in zip(made, wanted, strict=True):
            letter = "ab"[orders[task_.id].index(output)]
            argilla.person(person).answer(ids[task_.id], {"preferred": letter, "reason": f"I like {output}."})
    queue, done = queue_disagreements(bench, server, name, no_watch)
    assert (queue, done) == ("served-conflict-adjudication", (1, 0, 0))
    waiting = server.page(there(server, queue), 0).records
    assert [r.id for r in waiting] == ["r000"]
    shown = waiting[0].fields["answers"]
    assert "Person 1: " in shown and "they differ" in shown and "I like 0." in shown
    assert "ada" not in shown and "bob" not in shown
    assert waiting[0].metadata["workbench"]["order"] == orders["r000"], "A is who A was"
    letter = "ab"[orders["r000"].index(1)]
    argilla.person("cem").answer(waiting[0].server_id, {"preferred": letter, "adjudication_reason": "It is short."})
    assert queue_disagreements(bench, server, name, no_watch)[1].added == 0
    how = Resolution(policies=("adjudicated", "majority"))
    pulled = pull_dataset(bench, server, name, no_watch, how)
    found = {(r.record_id, r.question): r for r in pulled.resolved()}
    decided = found["r000", "preferred"]
    assert (decided.value, decided.by, decided.decided_by, decided.reason) == (
        "2",
        "adjudicated",
        "cem",
        "It is short.",
    )
    assert (found["r001", "preferred"].value, found["r001", "preferred"].by) == ("1", "majority")
    assert pulled.manifest.resolution == how and pulled.manifest.resolved["adjudicated"] == 1
    kept = latest_snapshot(bench.home.root / "records" / queue)
    assert pulled.manifest.queue == kept.manifest.fingerprint
    assert {label.annotator for label in kept.labels()} == {"cem"}


def project(argilla: Served, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Return a project whose labelling goes to the test server."""
    monkeypatch.setenv("LABELLING_KEY", argilla.key)
    labelling = f'{{url: "{argilla.url}", api_key_env: LABELLING_KEY}}'
    file = folder / "workbench.yaml"
    file.write_text(f"models: {{echo: {{kind: scripted}}}}\ncandidate: echo\nlabelling: {labelling}\n")
    return load_workbench(file)


def test_the_command_line_pushes_pulls_and_counts(
    argilla: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project(argilla, tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    rows = b"".join(x.json_bytes() + b"\n" for x in tasks(3))
    (tmp_path / "rows.jsonl").write_bytes(rows)

    def run(*words: str) -> Any:
        cli.main(["label", *words], standalone_mode=False)
        return capsys.readouterr().out

    assert "3 added" in run("push", "by-hand", "-t", "rag_review", "--from", "rows.jsonl")
    assert "3 were there already" in run("push", "by-hand", "-t", "rag_review", "--from", "rows.jsonl")
    assert "0 of 3 records" in run("progress", "by-hand")
    pulled = orjson.loads(run("pull", "by-hand", "--json", "--resolve", "majority"))
    assert pulled["n_records"] == 3 and pulled["resolution"]["policies"] == ["majority"]
    assert "by-hand" in run("ls")
    assert "rag_review/1+taxonomy/1" in run("templates")
    with pytest.raises(LabellingError, match="no dataset 'by-foot'"):
        run("pull", "by-foot")
    with pytest.raises(ConfigError, match="did you mean 'rag_review'"):
        run("push", "x", "-t", "rag_reviews", "--from", "rows.jsonl")
    with pytest.raises(ConfigError, match="--resolve takes"):
        run("pull", "by-hand", "--resolve", "loudest")


def test_what_people_and_a_model_said_come_back_and_become_pairs_by_the_command_line(
    argilla: Served,
    server: Argilla,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project(argilla, tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    said = Suggestion(question="preferred", value="2", agent="judge/1", score=0.9)
    made = [one.model_copy(update={"suggestions": (said,)}) for one in tasks(4, 2)]
    (tmp_path / "rows.jsonl").write_bytes(b"".join(one.json_bytes() + b"\n" for one in made))

    def run(*words: str) -> Any:
        cli.main(list(words), standalone_mode=False)
        return capsys.readouterr().out

    assert "4 added" in run("label", "push", "fed-back", "-t", "preference", "--from", "rows.jsonl")
    ada, records = argilla.person("ada"), server.page(there(server, "fed-back"), 0).records
    for record in records[:3]:
        best = "ab"[record.metadata["workbench"]["order"].index(0)]
        ada.answer(record.server_id, {"preferred": best})
    run("label", "pull", "fed-back")
    built = {
        source: orjson.loads(run("pairs", "build", source, f"--{source}", "fed-back", "--json"))["manifest"]
        for source in ("labels", "feedback")
    }
    assert (built["labels"]["n"], built["feedback"]["n"]) == (3, 4)
    rows = {source: list(find_dataset(tmp_path / ".workbench", source).iter_values()) for source in built}
    chosen = {source: {row.chosen.text() for row in found} for source, found in rows.items()}
    assert chosen["labels"] <= {one.outputs[0] for one in made}, "people preferred the first"
    assert chosen["feedback"] == {one.outputs[1] for one in made}, "the model the second"
    assert all(row.lineage.synthetic and row.rule == "feedback" for row in rows["feedback"])
