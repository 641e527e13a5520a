"""Models under test and judges: what a model is asked, what it answers, and how it is described in YAML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

from pydantic import Field, StringConstraints, model_validator

from workbench.nouns import Many, Noun, fingerprint
from workbench.records import Message, Passage

# ---------------------------------------------------------------- what goes in and what comes out


class Request(Noun):
    """One question to a model."""

    messages: Many[Message]
    """The whole prompt."""
    sample_id: str
    """The sample it belongs to; a recorded model looks its answer up by it."""
    repeat: int = Field(0, ge=0)
    """Which of several answers to the same prompt this is, from 0. It is part of the cache key."""
    json_schema: dict[str, Any] | None = None
    """JSON Schema that the answer should obey, for servers that can enforce one."""
    levels: bool = False
    """Whether the log-probabilities of whole numbers are asked for, of servers that give any."""


class Usage(Noun):
    """What a call consumed. Unknown is `None`, never 0."""

    input_tokens: int | None = Field(None, ge=0, lt=2**53)
    """Tokens of the prompt, as the server counted them."""
    output_tokens: int | None = Field(None, ge=0, lt=2**53)
    """Tokens of the answer, as the server counted them."""
    cost: float | None = Field(None, ge=0)
    """Money in the currency of the price table; `None` without a price. 0 when the answer came from the cache."""
    charged: float | None = Field(None, ge=0)
    """What the budget was charged: the cost, or the most it could be where the server counted no tokens."""
    latency: float | None = Field(None, ge=0)
    """Seconds from the first attempt's start to the answer's end, without waits between attempts. `None`: unknown."""
    attempts: int = Field(0, ge=0)
    """Requests that were sent; 0 when the answer came from the cache or from a file."""
    cached: bool = False
    """Whether the answer came from the response cache."""


class Output(Noun):
    """A model's answer to one request."""

    text: str
    """The answer."""
    contexts: Many[Passage] = ()
    """Passages the pipeline retrieved, where the model is a RAG pipeline."""
    finish_reason: str = "stop"
    """Why generation ended, in the server's word. `length` means the answer was cut."""
    model: str = ""
    """The model that answered, in the server's word."""
    levels: dict[str, float] = {}
    """Log-probabilities of the whole numbers that might have stood where the answer's last one stands, by number; empty
    unless they were asked for and given."""
    usage: Usage = Usage()
    """What it consumed."""


OutputFailureKind = Literal[
    "timeout",
    "connection",
    "rate_limited",
    "server_error",
    "rejected",
    "refusal",
    "truncated",
    "empty",
    "malformed",
    "wrong_model",
    "too_long",
    "missing",
]


class OutputFailure(Noun):
    """A request that has no usable answer. It is stored, counted in every number, and never becomes a 0."""

    kind: OutputFailureKind
    """`timeout` no answer in time · `connection` reset or unreachable · `rate_limited` 429 until the attempts ran out ·
    `server_error` 5xx until the attempts ran out · `rejected` 400, 404, 413, 422 · `refusal` the model declined ·
    `truncated` cut at the token limit · `empty` no text · `malformed` not an API answer · `wrong_model` another model
    answered · `too_long` prompt over the context window · `missing` no recorded output for this sample."""
    message: str
    """What happened, without secrets."""
    text: str = ""
    """What did arrive, such as the cut answer."""
    usage: Usage = Usage()
    """What it consumed all the same."""


@runtime_checkable
class Model(Protocol):
    """Anything that answers: an endpoint, a RAG pipeline, a base model with an adapter, a file of recorded answers.

    `generate` raises only for trouble that concerns every sample (`ModelError`, `IncompleteRun`).
    """

    concurrency: int
    """Requests that may be under way at once."""

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer one request."""
        ...

    async def aclose(self) -> None:
        """Release connections and stop what was started."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A model whose answers all exist already, each for a sample; what the prompt was does not matter."""

    def recorded(self, wanted: Sequence[tuple[str, int]]) -> Sequence[bytes | OutputFailure]:
        """Return the answers to pairs of sample id and repeat, as JSON of an `Output`, in their order."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A model that knows the answers it gave before."""

    def kept(self, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return the answers that need no asking as JSON of an `Output`, in the requests' order; `None`: ask."""
        ...


def kept(model: Model, requests: Sequence[Request]) -> Sequence[bytes | None]:
    """Return the answers of a model that need no asking, as JSON of an `Output`; `None`: it must be asked."""
    return model.kept(requests) if isinstance(model, Remembers) else [None] * len(requests)


# ---------------------------------------------------------------- how a model is described (YAML)


class Sampling(Noun):
    """Decoding parameters, sent explicitly with every request so that a server's defaults cannot change a score."""

    temperature: float | None = Field(0.0, ge=0, le=2)
    """0 is greedy. `null` leaves it out, for models that refuse it."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Nucleus; left out when `null`."""
    max_tokens: int = Field(1024, ge=1)
    """Longest answer in tokens; a cut answer is a failure of kind `truncated`."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """The server's name for it: newer OpenAI models want `max_completion_tokens`."""
    seed: int | None = 0
    """Seed; repeat k is sent seed + k. `null` leaves it out."""


class Limits(Noun):
    """How hard a server may be pressed and how patiently it is asked again."""

    concurrency: int = Field(16, ge=1, le=1024)
    """Requests under way at once."""
    requests_per_minute: int | None = Field(None, ge=1)
    """Token bucket over requests; `null`: no limit."""
    tokens_per_minute: int | None = Field(None, ge=1)
    """Token bucket over prompt and answer tokens; `null`: no limit."""
    attempts: int = Field(6, ge=1, le=50)
    """Most requests that are sent for one answer."""
    timeout: float = Field(60.0, gt=0)
    """Seconds one attempt may take, from connecting to the last byte."""
    total_timeout: float = Field(600.0, gt=0)
    """Seconds for all attempts and the waits between them."""
    backoff: float = Field(0.5, gt=0)
    """Seconds of the first wait's ceiling; doubled each time, drawn uniformly below it (full jitter)."""
    max_backoff: float = Field(60.0, gt=0)
    """Highest ceiling of a wait that the server did not ask for."""


class Price(Noun):
    """Money for a million tokens, in any one currency."""

    input: float = Field(ge=0)
    """Price of a million prompt tokens."""
    output: float = Field(ge=0)
    """Price of a million answer tokens."""


class EndpointSpec(Noun):
    """A server that speaks the OpenAI chat protocol: a vendor, vLLM, SGLang, llama.cpp, Ollama, and so on."""

    kind: Literal["endpoint"]
    base_url: str
    """Address up to and including `/v1`."""
    model: str = Field(min_length=1)
    """The model's name at the server. Pin a dated version: an alias changes under you."""
    revision: str = ""
    """Anything that tells two models of one name apart, such as a commit or a date; part of the cache key."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; the key itself is never written anywhere."""
    system: str | None = None
    """System prompt put before every sample's messages that do not bring their own."""
    sampling: Sampling = Sampling()
    """Decoding parameters."""
    limits: Limits = Limits()
    """Pressure and patience."""
    price: Price | None = None
    """Price table; without one, cost is unknown rather than 0."""
    structured: Literal["json_schema", "json_object", "none"] = "none"
    """How the server is asked for JSON: it enforces a schema, promises JSON, or is only told so in the prompt."""
    check_model: bool = True
    """Whether an answer of another model than the one asked for is a failure of kind `wrong_model`."""
    cache: bool = True
    """Whether answers are kept and reused."""


class LocalSpec(Noun):
    """A model on this machine, served by `transformers serve` for as long as it is needed."""

    kind: Literal["local"]
    base: str = Field(min_length=1)
    """Folder of the model, relative to the config file, or a hub id."""
    revision: str | None = None
    """Commit of a hub id."""
    adapter: str | None = None
    """Folder of a LoRA adapter made on this base."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where it runs."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Precision of the weights."""
    system: str | None = None
    """System prompt put before every sample's messages that do not bring their own."""
    sampling: Sampling = Sampling(max_tokens=256)
    """Decoding parameters."""
    limits: Limits = Limits(concurrency=4, timeout=120.0)
    """Pressure and patience."""
    cache: bool = True
    """Whether answers are kept and reused, keyed by a hash of the weights."""
    startup_timeout: float = Field(180.0, gt=0)
    """Seconds the server may take until it answers."""


class RecordedSpec(Noun):
    """Answers that already exist, such as a production log. Nothing is generated."""

    kind: Literal["recorded"]
    path: str = Field(min_length=1)
    """JSONL or Parquet file, relative to the config file, one row a sample: `id`, `output`, and maybe `contexts`,
    `repeat`, `model`, `latency`, `input_tokens`, `output_tokens`, `cost`."""
    id_field: str = "id"
    """Field that holds the sample's id."""
    output_field: str = "output"
    """Field that holds the answer."""


class Fault(Noun):
    """A fault that the scripted model shows on demand."""

    kind: OutputFailureKind
    """The failure to return."""
    every: int = Field(1, ge=1)
    """Fail one request in n, chosen by a hash of sample and repeat, so that the order does not matter."""


class ScriptedSpec(Noun):
    """The shipped test double: it says what it is told to. For tests and first steps, never for a release."""

    kind: Literal["scripted"]
    replies: dict[str, str] = {}
    """Answers by sample id."""
    default: Literal["echo", "empty", "missing"] = "echo"
    """Answer to every other sample: `echo` repeats the last user message, `empty` says nothing, `missing` fails."""
    faults: Many[Fault] = ()
    """Faults, each at its own rhythm."""
    latency: float = Field(0.0, ge=0)
    """Seconds each answer takes."""
    concurrency: int = Field(64, ge=1)
    """Requests under way at once."""


RAG_SYSTEM = "Answer from the passages. If they do not hold the answer, reply: Not in the documents."
"""What a pipeline tells its generator, unless the spec says otherwise."""


class RagSpec(Noun):
    """A RAG pipeline: passages are searched in an index of workbench.yaml, and a model answers from them."""

    kind: Literal["rag"]
    index: Many[str] = Field(min_length=1)
    """Names under `rag` in workbench.yaml; of several, `route` says which are searched."""
    generator: str = Field(min_length=1)
    """Name of the model that answers."""
    search: Literal["vector", "keyword", "hybrid"] = "hybrid"
    """By embedding, by words (BM25), or by both, their ranks fused."""
    top_k: int = Field(4, ge=1, le=100)
    """Passages put before the model. Small models are confused by many."""
    order: Literal["score", "document"] = "score"
    """Whether passages stand by score, best first, or as they stand in their documents, which reads better."""
    where: dict[str, str] = {}
    """Only passages whose document has these tags."""
    rerank: str | None = Field(None, min_length=1)
    """Cross-encoder, by folder or hub id, that orders `rerank_from` passages anew; `null`: none."""
    rerank_from: int = Field(20, ge=1, le=1000)
    """Passages that are searched for the reranker."""
    route: Literal["all", "nearest"] = "all"
    """Of several indexes: search all and fuse the ranks, or only the one whose `about` is nearest to the question."""
    system: str = RAG_SYSTEM
    """System prompt; it replaces the sample's own."""
    prompt: str = "{passages}\n\n{question}"
    """The user's message: `{passages}` are numbered from [1], `{question}` is the sample's."""
    question_after: str = "Question:"
    """Only what follows this mark in the sample's last message is searched for; all of it, where the mark is absent."""

    @model_validator(mode="after")
    def _holds_both(self) -> RagSpec:
        if "{passages}" not in self.prompt or "{question}" not in self.prompt:
            raise ValueError("prompt must hold {passages} and {question}")
        return self


class FewShotSpec(Noun):
    """A model that is shown solved samples of an evalset's train side before each question."""

    kind: Literal["few_shot"]
    model: str = Field(min_length=1)
    """Name of the model that answers."""
    evalset: str = Field(min_length=1)
    """Evalset whose train side the shown samples come from; never another side."""
    shots: int = Field(3, ge=1, le=64)
    """Samples shown, each of another family. Each takes room in the model's window."""
    seed: int = Field(0, ge=0)
    """Decides which samples are shown."""


FieldPath = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$", max_length=200)]
"""A path of field names and list places, such as `data.chunks` or `choices.0.text`."""


class HttpSpec(Noun):
    """A user's own pipeline behind HTTP, which takes a question as JSON and returns an answer with its passages."""

    kind: Literal["http"]
    url: str = Field(min_length=1)
    """Address that is called, without a query."""
    method: Literal["POST", "GET"] = "POST"
    """`POST` sends JSON; `GET` puts the fields into the address."""
    question: FieldPath = "question"
    """Where in the request the question stands."""
    messages: FieldPath | None = None
    """Where in the request the whole conversation stands, as role and content; `null`: it is not sent."""
    repeat: FieldPath | None = None
    """Where in the request the number of the repeat stands, for pipelines that draw; `null`: it is not sent."""
    fixed: dict[str, Any] = {}
    """Further fields of every request."""
    answer: FieldPath = "answer"
    """Where in the reply the answer's text stands."""
    contexts: FieldPath | None = "contexts"
    """Where in the reply the list of passages stands, texts or objects; `null`: it brings none."""
    context_text: FieldPath = "text"
    """Where in a passage its text stands."""
    context_id: FieldPath = "id"
    """Where in a passage its name stands; one without is named by its place."""
    context_score: FieldPath = "score"
    """Where in a passage its score stands."""
    most_contexts: int = Field(1000, ge=1)
    """Passages of the longest list that is taken."""
    question_after: str = ""
    """Only what follows this mark in the sample's last message is the question; empty: all of it."""
    model_name: str = Field("pipeline", min_length=1)
    """What answers are said to come from."""
    revision: str = ""
    """Anything that tells two states of the pipeline apart, such as a commit or a date; part of the cache key."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key, sent as `Authorization: Bearer`."""
    limits: Limits = Limits()
    """Pressure and patience."""
    price: Price | None = None
    """Prices, for a pipeline that counts tokens in `usage` as the chat protocol does."""
    cache: bool = True
    """Whether answers are kept and reused."""


class CallableSpec(Noun):
    """A user's own pipeline as a Python function, run in processes of its own."""

    kind: Literal["callable"]
    function: Annotated[str, StringConstraints(pattern=r"^[^:]+\.py:[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """File inside the project's folder and function, such as `pipelines/mine.py:answer`. Give this or `entry_point`."""
    entry_point: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]+$")] | None = None
    """Entry point of the group `workbench.pipelines` in an installed package."""
    processes: int = Field(1, ge=1, le=64)
    """Processes, each of which answers one question at a time."""
    timeout: float = Field(60.0, gt=0)
    """Seconds for one answer; then its process is ended and another is started."""
    startup_timeout: float = Field(120.0, gt=0)
    """Seconds until the function is loaded."""
    question_after: str = ""
    """Only what follows this mark in the sample's last message is the question; empty: all of it."""
    revision: str = ""
    """Anything that tells two states of what the function reads apart, such as the date of an index."""

    @model_validator(mode="after")
    def _one_place(self) -> CallableSpec:
        if (self.function is None) == (self.entry_point is None):
            raise ValueError("give `function` or `entry_point`, one of them")
        return self

    @property
    def name(self) -> str:
        """The function's name, or the entry point's."""
        return self.entry_point or (self.function or "").rpartition(":")[2]


class EncoderSpec(Noun):
    """A small encoder that was trained on labels to pass or fail answers; only a judge, for a `rubric_judge`."""

    kind: Literal["encoder"]
    folder: str = Field(min_length=1)
    """Folder that `workbench judge train encoder` wrote, relative to the config file."""


ModelSpec = Annotated[
    EndpointSpec
    | LocalSpec
    | RecordedSpec
    | ScriptedSpec
    | RagSpec
    | FewShotSpec
    | HttpSpec
    | CallableSpec
    | EncoderSpec,
    Field(discriminator="kind"),
]
"""Every kind of model that `workbench.yaml` can name. Adding one means adding it here and in `adapters`."""

NOT_IDENTITY: frozenset[str] = frozenset({"limits", "price", "cache", "startup_timeout", "api_key_env"})
"""Fields of a spec that cannot change what a model answers."""


def spec_fingerprint(spec: ModelSpec, weights: str = "") -> str:
    """Return a hash of everything in a spec that can change an answer; `weights` is the hash of the files behind it."""
    return fingerprint({**spec.settings(NOT_IDENTITY), "weights": weights})


def searched_for(text: str, mark: str) -> str:
    """Return what a pipeline searches for: what follows its `question_after`, or the whole text."""
    return (text.rpartition(mark)[2].strip() if mark else "") or text
