"""Is everybody there? Endpoints, and Argilla where it is configured."""

from __future__ import annotations

import orjson

from workbench.adapters.openai_endpoint import OpenAIEndpoint
from workbench.adapters.reaching import Reached, reach
from workbench.calling.addresses import api_key, check_endpoint, request_headers
from workbench.calling.secrets import one_line, redact
from workbench.config.workbench_yaml import Workbench
from workbench.errors import WorkbenchError
from workbench.jobs.doctor.check import Check
from workbench.jobs.labelling import address
from workbench.models import EndpointSpec, OutputFailure, Request
from workbench.records import Message

PATIENCE = 10.0
"""Seconds in which a server must have answered."""
UNLISTED = frozenset({404, 405, 501})
"""Statuses of servers that answer chats but list no models."""


async def endpoint(name: str, spec: EndpointSpec) -> list[Check]:
    """Check an endpoint's key, then whether it answers: a list of models, or one token where it lists none."""
    title = f"endpoint {name}"
    try:
        check_endpoint(spec, None)
        key = api_key(spec)
    except WorkbenchError as exc:
        return [Check(name=f"key {name}", state="fault", found=str(exc), fix="see docs/configuration.md")]
    held = [] if not spec.api_key_env else [Check(name=f"key {name}", state="ok", found=f"${spec.api_key_env} is set")]
    reached = await reach(f"{spec.base_url.rstrip('/')}/models", request_headers(key), PATIENCE)
    if isinstance(reached, str):
        fix = "is the server running, and is base_url its address?"
        return [*held, _fault(title, f"{spec.base_url}: {one_line(redact(reached, key))}", fix)]
    if reached.status in UNLISTED:
        return [*held, await _asked(title, spec)]
    return [*held, _listed(title, spec, reached, key)]


def _listed(title: str, spec: EndpointSpec, reached: Reached, key: str) -> Check:
    """Return what a list of models says of the one that is wanted."""
    if reached.status in (401, 403):
        fix = f"check the key in ${spec.api_key_env}" if spec.api_key_env else "name the key's variable in api_key_env"
        return _fault(title, f"{spec.base_url} refuses us: status {reached.status}", fix)
    names = _names(reached.body) if reached.status == 200 else None
    if names is None:
        said = one_line(redact(reached.body[:200].decode("utf-8", "replace"), key), 100)
        return _fault(title, f"{spec.base_url}/models: status {reached.status}: {said}", "does base_url end in /v1?")
    took = f"answers in {reached.seconds * 1000:.0f} ms"
    if spec.model in names:
        return Check(name=title, state="ok", found=f"{spec.base_url} {took} and has {spec.model}")
    shown = one_line(", ".join(sorted(names)), 120) or "none"
    fix = f"it lists: {shown}; ask it: workbench model ask {title.split()[-1]} Hello"
    return Check(name=title, state="note", found=f"{spec.base_url} {took} but does not list {spec.model}", fix=fix)


def _names(body: bytes) -> set[str] | None:
    """Return the names in a list of models, `None` where the body is none."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        return None
    return {row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}


async def _asked(title: str, spec: EndpointSpec) -> Check:
    """Ask for one token, once, of a server that lists no models."""
    limits = spec.limits.model_copy(update={"attempts": 1, "timeout": PATIENCE, "total_timeout": PATIENCE})
    tiny = spec.model_copy(update={"limits": limits, "sampling": spec.sampling.model_copy(update={"max_tokens": 1})})
    model = OpenAIEndpoint(tiny, None, None, "")
    try:
        outcome = await model.generate(Request(messages=(Message(role="user", content="Hello"),), sample_id="doctor"))
    except WorkbenchError as exc:
        return _fault(title, str(exc), "mend what it says")
    finally:
        await model.aclose()
    if isinstance(outcome, OutputFailure) and outcome.kind not in ("truncated", "empty", "refusal"):
        return _fault(title, f"{spec.base_url}: {outcome.kind}: {outcome.message}", "mend what it says")
    took = f"answers a request for one token in {(outcome.usage.latency or 0) * 1000:.0f} ms"
    return Check(name=title, state="ok", found=f"{spec.base_url} {took}; it lists no models")


async def argilla(bench: Workbench) -> Check:
    """Ask Argilla for its version: the team's server, or the embedded one once it was started."""
    embedded = bench.config.labelling.url is None
    if embedded and not (bench.home.root / bench.config.labelling.argilla / "settings.json").exists():
        found = "not configured: no labelling.url, and `workbench argilla up` was never called"
        return Check(name="argilla", state="skipped", found=found)
    try:
        url, key = address(bench)
    except WorkbenchError as exc:
        return _fault("argilla", str(exc), "mend what it says")
    reached = await reach(f"{url.rstrip('/')}/api/v1/version", {}, PATIENCE)
    if isinstance(reached, str):
        fix = "workbench argilla up" if embedded else "is it running, and is labelling.url its address?"
        found = f"{url}: {one_line(redact(reached, key))}"
        # Our own server is down whenever nobody labels: that is no fault.
        return Check(name="argilla", state="note" if embedded else "fault", found=found, fix=fix)
    if reached.status != 200:
        return _fault("argilla", f"{url}/api/v1/version: status {reached.status}", "check labelling.url")
    said = one_line(redact(reached.body.decode("utf-8", "replace"), key), 80)
    return Check(name="argilla", state="ok", found=f"{url} answers in {reached.seconds * 1000:.0f} ms: {said}")


def _fault(name: str, found: str, fix: str) -> Check:
    return Check(name=name, state="fault", found=found, fix=fix)
