"""RAG over real questions, through the commands: what is found, whether it abstains, and what tells lies from answers.

The generator is the plainest there is: a function of ours, in a process of its own, that gives the sentence with the
most words of the question, and abstains below a share of them. No model of language is here; the retrieval is real.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.real, pytest.mark.long]

READER = '''
import re

STOP = set("a an the of in on at to for by and or is are was were be did do does what which who whom whose when where "
           "why how many much it its that this with from as has have had".split())

def answer(asked):
    """Return the sentence of the passages that holds most of the question's words."""
    passages, _, question = asked["question"].rpartition("\\n\\n")
    words = set(re.findall(r"[a-z0-9]+", question.lower())) - STOP
    sentences = re.split(r"(?<=[.!?])\\s+", re.sub(r"^\\[\\d+\\] ", "", passages, flags=re.M))
    shares = [len(words & set(re.findall(r"[a-z0-9]+", one.lower()))) / max(1, len(words)) for one in sentences]
    best = max(range(len(sentences)), key=lambda at: shares[at])
    return sentences[best] if shares[best] >= 0.6 else "Not in the documents."
'''
SCORERS = [
    {"kind": "retrieval", "measure": "recall", "k": 5},
    {"kind": "retrieval", "measure": "recall", "k": 1},
    {"kind": "retrieval", "measure": "mrr", "k": 5, "name": "mrr"},
    {"kind": "abstention"},
    {"kind": "rag_cause", "right_from": 0.2},
]
Rows = Iterable[dict[str, Any]]


def command(*words: str) -> str:
    """Run the workbench here; return what it says."""
    done = subprocess.run([sys.executable, "-m", "workbench", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def lines(path: Path, rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def evalset(name: str, rows: Rows, scorers: list[dict[str, Any]]) -> None:
    lines(Path("evalsets") / name / "samples.jsonl", rows)
    told = {"name": name, "version": "1", "use": "dev", "scorers": scorers}
    (Path("evalsets") / name / "evalset.yaml").write_text(yaml.safe_dump(told))


def asked(row: dict[str, Any], gold: list[str], references: list[str]) -> dict[str, Any]:
    messages = [{"role": "user", "content": row["question"]}]
    tags = {"answerable": "yes" if row.get("answerable", True) else "no"}
    told = {"id": row["id"], "group": row.get("article", ""), "messages": messages, "tags": tags}
    return {**told, "references": references, "gold_contexts": gold}


def pipelines(searches: tuple[str, ...], **models: Any) -> None:
    """Write a workbench with a pipeline for each way of searching over `documents`."""
    Path("reader.py").write_text(READER)
    bots = {
        how: {"kind": "rag", "index": ["docs"], "generator": "reader", "search": how, "top_k": 5} for how in searches
    }
    reader = {"kind": "callable", "function": "reader.py:answer", "processes": 1}
    config = {
        "models": {"reader": reader, **bots, **models},
        "candidate": next(iter([*searches, *models])),
        "rag": {"docs": {"documents": "documents", "split": {"by": "passages"}}},
    }
    Path("workbench.yaml").write_text(yaml.safe_dump(config))


def run(name: str, model: str, *more: str) -> dict[str, dict[str, Any]]:
    """Evaluate; return the metrics of the whole run and of its slices by scorer and slice."""
    found = json.loads(command("eval", "run", name, "--model", model, "--json", "-q", *more))
    (only,) = found if isinstance(found, list) else [found]
    return {f"{m['scorer']} {m['slice']}".strip(): m for m in only["metrics"]}


def told(metric: dict[str, Any]) -> str:
    low, high = metric["interval"]["low"], metric["interval"]["high"]
    return f"{metric['value']:.3f} [{low:.3f}, {high:.3f}]"


def ranks(metrics: dict[str, dict[str, Any]]) -> str:
    yes, no = (metrics[f"abstention answerable={one}"]["value"] for one in ("yes", "no"))
    return (
        f"recall@1 {told(metrics['recall_at_1'])}, recall@5 {told(metrics['recall_at_5'])}, "
        f"MRR {told(metrics['mrr'])}; "
        f"answers {yes:.2f} of the answerable, abstains from {no:.2f} of the rest"
    )


def test_squad_is_found_and_half_of_what_it_cannot_answer_is_not_told_from_the_rest(
    rows: Callable[[str], list[dict[str, Any]]], figure: Callable[[str], None], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    articles: dict[str, list[str]] = {}
    for row in rows("squad_v2_docs"):
        articles.setdefault(row["article"], []).append(f"<!-- passage: {row['id']} -->\n{row['text']}\n")
    Path("documents").mkdir()
    for name, passages in articles.items():
        (Path("documents") / f"{name}.md").write_text("\n".join(passages))
    questions = rows("squad_v2_qa")
    evalset("squad", [asked(r, [r["doc_id"]], [a["text"] for a in r["answers"]]) for r in questions], SCORERS)
    pipelines(("vector", "keyword", "hybrid"))
    command("rag", "index", "-q")
    found = {how: run("squad", how, "--limit", "250") for how in ("keyword", "vector", "hybrid")}
    for how, metrics in found.items():
        figure(f"SQuAD, {how}, 250 questions over {sum(map(len, articles.values()))} paragraphs: {ranks(metrics)}")
        assert metrics["recall_at_5"]["n"] == 250 and metrics["recall_at_5"]["value"] > 0.75
        assert metrics["recall_at_1"]["value"] <= metrics["mrr"]["value"] <= metrics["recall_at_5"]["value"]
    assert found["hybrid"]["recall_at_5"]["value"] > found["vector"]["recall_at_5"]["value"] - 0.02


def test_clapnq_is_found_and_peoples_answers_stand_in_their_passages(
    rows: Callable[[str], list[dict[str, Any]]], figure: Callable[[str], None], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    questions = rows("clapnq")
    Path("documents").mkdir()
    for row in questions:
        text = f"<!-- passage: {row['id']} -->\n# {row['passages'][0]['title']}\n\n" + "\n\n".join(
            f"<!-- passage: {row['id']}#{n} -->\n" + passage["text"].replace("\n", " ")
            for n, passage in enumerate(row["passages"])
        )
        (Path("documents") / f"{row['id']}.md").write_text(text)
    answers = {row["id"]: [a["answer"] for a in row["answers"] if a.get("answer")] for row in questions}
    samples = [asked(r, [f"{r['id']}#{n}" for n in range(len(r["passages"]))], answers[r["id"]][:1]) for r in questions]
    evalset("clapnq", samples, SCORERS)
    said = [row for row in questions if answers[row["id"]]]
    lines(Path("people.jsonl"), [
        {"id": row["id"], "output": answers[row["id"]][0],
         "contexts": [{"id": f"{row['id']}#{n}", "text": p["text"]} for n, p in enumerate(row["passages"])]}
        for row in said
    ])  # fmt: skip
    grounded = [s for s in samples if answers[s["id"]]]
    evalset("clapnq-people", grounded, [{"kind": "overlap_groundedness"}, {"kind": "abstention"}])
    pipelines(("hybrid",), people={"kind": "recorded", "path": "people.jsonl"})
    command("rag", "index", "-q")
    metrics = run("clapnq", "hybrid")
    people = run("clapnq-people", "people")
    figure(f"CLAP-NQ, hybrid, {len(questions)} questions: {ranks(metrics)}")
    figure(
        f"CLAP-NQ, people's answers: {told(people['overlap_groundedness'])} of their sentences stand in the passages, "
        f"n={people['overlap_groundedness']['n']}"
    )
    assert metrics["recall_at_5"]["value"] > 0.8
    assert people["overlap_groundedness"]["value"] > 0.75, "people wrote from the passages"


def test_halueval_pairs_are_told_apart_by_words_and_not_by_nearness(
    rows: Callable[[str], list[dict[str, Any]]], figure: Callable[[str], None], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    pairs = rows("halueval_hotpot_pairs")
    samples = [
        {**asked(r, [], [r["right_answer"]]), "contexts": [{"id": "k", "text": r["knowledge"]}]} for r in pairs
    ]  # fmt: skip
    scorers = [
        {"kind": "overlap_groundedness"},
        {"kind": "embedding_similarity", "against": "contexts"},
        {"kind": "token_f1"},
    ]
    evalset("halueval", samples, scorers)
    lines(Path("right.jsonl"), [{"id": r["id"], "output": r["right_answer"]} for r in pairs])
    lines(Path("invented.jsonl"), [{"id": r["id"], "output": r["hallucinated_answers"]["one_turn"]} for r in pairs])
    pipelines(
        (), right={"kind": "recorded", "path": "right.jsonl"}, invented={"kind": "recorded", "path": "invented.jsonl"}
    )
    found = {name: run("halueval", name) for name in ("right", "invented")}
    for scorer in ("overlap_groundedness", "embedding_similarity", "token_f1"):
        right, invented = found["right"][scorer], found["invented"][scorer]
        figure(f"HaluEval pairs, {scorer}: right {told(right)}, invented {told(invented)}, n={right['n']}")
    assert found["right"]["token_f1"]["value"] == 1.0 and found["invented"]["token_f1"]["value"] < 0.6
    # An invented answer repeats the question's words, and is nearer to the passages than the bare right name.
    near = {name: metrics["embedding_similarity"]["value"] for name, metrics in found.items()}
    assert near["invented"] > near["right"], "nearness is no groundedness: docs/scorers.md says so"
