"""Any OpenAI-compatible server, asked as the `openai` package asks it, over aiohttp (decision 0002).

Retries, pace, cost and reading the answer are ours, so that nothing is asked again, waited for or paid for that
`Limits` do not allow. `tests/adapters/test_as_openai.py` holds each request against the package's own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.calling.addresses import api_key, check_endpoint, proxy_for, request_headers
from workbench.calling.budget import Budget, Spent
from workbench.calling.chat import Answer, Chat, Dialect, Reply, Sent, Trouble, counted_tokens, parse
from workbench.calling.clock import Clock, RealClock
from workbench.calling.rate_limits import Pace, Shared
from workbench.calling.retry import asked_wait, wait_before
from workbench.calling.secrets import one_line, redact
from workbench.errors import ModelError
from workbench.models import EndpointSpec, Output, OutputFailure, Request
from workbench.nouns import fingerprint
from workbench.store.cache import ResponseCache, answer_key, keep_answer, kept_answers, kept_json, unpaid

if TYPE_CHECKING:
    import aiohttp

PROBES = 3
"""Attempts after which a server that never answered, but shows a web page or cannot be reached, is a wrong address."""
MANY = 16
"""Requests under way from which answers wait a moment for others, to be kept together."""
LARGEST_BODY = 32 * 2**20
"""Bytes of an answer that are read; more is no chat answer but an attack on memory."""


class OpenAIEndpoint:
    """A model behind an OpenAI-compatible server; a `Model`."""

    def __init__(
        self,
        spec: EndpointSpec,
        cache: ResponseCache | None,
        budget: Budget | None,
        identity: str,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        shared: Shared | None = None,
        dialect: Dialect | None = None,
    ) -> None:
        """`identity` is the fingerprint of everything that can change an answer, `spec_fingerprint(spec, weights)`.
        `dialect` is what is spoken; left out, it is the chat protocol.

        Raises `ConfigError` for an address that is not plain http or https, and for a budget without prices.
        """
        check_endpoint(spec, budget)
        self.concurrency = spec.limits.concurrency
        self._spec = spec
        self._dialect: Dialect = dialect or Chat(spec)
        self._cache = cache if spec.cache else None
        self._budget = budget or Budget(None)
        self._identity = identity
        self._clock = clock or RealClock()
        self._rng = rng or random.Random()
        self._slots = asyncio.Semaphore(self.concurrency)
        self._asked: dict[bytes, asyncio.Future[Output | OutputFailure | None]] = {}
        """What is being asked right now, by the key of its answer."""
        self._pace = Pace(spec.limits, spec.sampling.max_tokens, self._clock, shared)
        self._wire: Wire | None = None
        self._answered = False
        """Whether this server has ever answered: afterwards, a web page is an accident and not a wrong address."""

    async def generate(self, request: Request) -> Output | OutputFailure:
        """Answer one request, from the cache or the server.

        Raises `ModelError` when the server refuses everybody, `ConfigError` when the key is not set, and
        `IncompleteRun` when the budget is spent or the cache's disk is full.
        """
        return await self.ask(request, self._dialect)

    async def ask(self, request: Request, dialect: Dialect) -> Output | OutputFailure:
        """Answer one request that is put in another dialect, within the same limits, cache and budget."""
        if self._cache is None:
            async with self._slots:
                return await self._ask(request, dialect)
        key = self._key(request, dialect)
        if (kept := kept_answers(self._cache, [key])[0]) is not None:
            return kept
        while (asked := self._asked.get(key)) is not None:
            # `None` when the one who asked was stopped: whoever comes first asks again.
            if (outcome := await asyncio.shield(asked)) is not None:
                usage = unpaid(outcome.usage.input_tokens, outcome.usage.output_tokens)
                return outcome.model_copy(update={"usage": usage})
        return await self._ask_for_all(request, dialect, key, self._cache)

    def kept(self, requests: Sequence[Request]) -> Sequence[bytes | None]:
        """Return the answers that are in the cache."""
        if self._cache is None:
            return [None] * len(requests)
        return kept_json(self._cache, [self._key(request, self._dialect) for request in requests])

    async def aclose(self) -> None:
        """Close the connections."""
        if self._wire is not None:
            await self._wire.session.close()
            self._wire = None

    def _key(self, request: Request, dialect: Dialect) -> bytes:
        marked = fingerprint([self._identity, dialect.marks]) if dialect.marks else self._identity
        return answer_key(marked, request)

    async def _ask_for_all(
        self, request: Request, dialect: Dialect, key: bytes, cache: ResponseCache
    ) -> Output | OutputFailure:
        """Answer also whoever asks the same in the meantime, and keep the answer for those who ask later."""
        asked = self._asked[key] = asyncio.get_running_loop().create_future()
        outcome = None
        try:
            async with self._slots:
                outcome = await self._ask(request, dialect)
                few = len(self._asked) < MANY
                if few and isinstance(outcome, Output):
                    await keep_answer(cache, key, outcome)
            if not few and isinstance(outcome, Output):
                # The slot serves the next one meanwhile: a kill repeats what is under way, and the answers of 4 ms.
                await keep_answer(cache, key, outcome, together=True)
            return outcome
        finally:
            del self._asked[key]
            asked.set_result(outcome)

    # ------------------------------------------------------------ asking until there is an answer, or no time left

    async def _ask(self, request: Request, dialect: Dialect) -> Output | OutputFailure:
        limits = self._spec.limits
        sent = dialect.sent(request)
        spent = Spent(self._spec.price, sent.size, dialect.max_tokens)
        deadline = self._clock.now() + limits.total_timeout
        while True:
            deadline += await self._admitted(spent, sent)
            left = deadline - self._clock.now()
            reply = await self._attempt(sent, min(limits.timeout, left), spent)
            outcome = self._understood(reply, spent, dialect)
            if isinstance(outcome, Answer):
                self._answered = True
                return Output(**vars(outcome), usage=spent.usage())
            if outcome.hint and not self._answered and spent.attempts >= min(PROBES, limits.attempts):
                raise ModelError(f"{self._spec.base_url}: {outcome.message}; {outcome.hint}")
            if not outcome.again or spent.attempts >= limits.attempts:
                return self._failed(outcome, spent)
            asked = asked_wait(reply.status, reply.headers, self._clock.date()) if isinstance(reply, Reply) else 0.0
            left = deadline - self._clock.now()
            wait = wait_before(spent.attempts, asked, limits, self._rng)
            if wait >= left:
                return self._failed(_too_late(outcome, asked, left, limits.total_timeout), spent)
            if asked and outcome.kind == "rate_limited":
                self._pace.close(asked)
            await self._clock.sleep(wait)

    async def _admitted(self, spent: Spent, sent: Sent) -> float:
        """Wait for budget and pace. Returns the seconds waited, which the server is not to blame for."""
        self._budget.check()
        began = self._clock.now()
        spent.reserved = await self._pace.admit(sent.size)
        # Others may have spent the rest of the budget in the meantime.
        self._budget.check()
        return self._clock.now() - began

    async def _attempt(self, sent: Sent, seconds: float, spent: Spent) -> Reply | Trouble:
        """Send once and read to the end, within `seconds`."""
        wire = self._wire = self._wire or _open(self._spec)
        spent.attempts += 1
        began = self._clock.now()
        try:
            # One limit over the whole attempt: a server that drips a byte a second passes every limit on a single read.
            async with asyncio.timeout(seconds):
                return await wire.send(sent)
        except TimeoutError:
            return Trouble("timeout", f"no complete answer within {seconds:.3g} s", again=True)
        finally:
            spent.latency += self._clock.now() - began

    def _understood(self, reply: Reply | Trouble, spent: Spent, dialect: Dialect) -> Answer | Trouble:
        if isinstance(reply, Trouble):
            return reply
        payload = parse(reply.body)
        tokens = counted_tokens(payload)
        spent.add(*tokens)
        if reply.status == 200 or None not in tokens:
            self._budget.charge(spent.charge(*tokens))
        self._pace.settle(spent.reserved, *tokens)
        return dialect.read(reply, payload)

    def _failed(self, trouble: Trouble, spent: Spent) -> OutputFailure:
        tries = f" ({spent.attempts} attempts)" if trouble.again else ""
        return OutputFailure(kind=trouble.kind, message=trouble.message + tries, text=trouble.text, usage=spent.usage())


def _too_late(trouble: Trouble, asked: float, left: float, total: float) -> Trouble:
    """Return the trouble of a request whose next attempt would come after its time is over."""
    wish = f"the server asks to wait {asked:.6g} s" if asked else "the next attempt is due later"
    return replace(
        trouble,
        message=f"{trouble.message}; gave up: {wish}, {left:.3g} s are left of limits.total_timeout {total:g} s",
    )


# ---------------------------------------------------------------- the wire: aiohttp


@dataclass(frozen=True, repr=False)
class Wire:
    """Open connections to a server, and the key that they use."""

    session: aiohttp.ClientSession
    key: str
    """Empty when the server wants none."""

    async def send(self, sent: Sent) -> Reply | Trouble:
        """Send a request and read the reply to its end."""
        import aiohttp

        try:
            body = sent.body or None
            async with self.session.request(sent.method, sent.url, data=body, allow_redirects=False) as response:
                return Reply(response.status, response.headers, await _read_body(response), self.key)
        except (aiohttp.ClientError, OSError, OverflowError) as exc:
            return self._no_reply(exc, sent.url)

    def _no_reply(self, cause: Exception, url: str) -> Trouble:
        import aiohttp

        said = one_line(redact(f"{type(cause).__name__}: {cause}", self.key))
        if isinstance(cause, aiohttp.ClientSSLError):
            fix = "install the server's certificate authority (SSL_CERT_FILE names it); certificates are always checked"
            raise ModelError(f"{url}: no trusted TLS connection ({said}); {fix}") from None
        if isinstance(cause, aiohttp.ClientConnectorError):
            return Trouble("connection", said, again=True, hint="is the server running, and is base_url its address?")
        return Trouble("connection", said, again=True)


def _open(spec: EndpointSpec) -> Wire:
    import aiohttp

    key = api_key(spec)
    session = aiohttp.ClientSession(
        headers=request_headers(key),
        connector=aiohttp.TCPConnector(limit=spec.limits.concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        proxy=proxy_for(spec.base_url),
    )
    return Wire(session, key)


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Read a response to its end, or to the largest body an answer may have."""
    chunks, size = [], 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise OverflowError(f"an answer of more than {LARGEST_BODY} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
