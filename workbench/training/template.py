"""The chat template: the base's, known by its hash, and whether it tells which tokens the assistant wrote."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from workbench.errors import ConfigError, Problem
from workbench.nouns import Noun

GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")
SPACE = re.compile(r"\s+")


class Tokenizer(Protocol):
    """What is needed of a tokenizer of transformers."""

    chat_template: Any
    eos_token_id: int | None

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Return `input_ids`, and `assistant_masks` where asked for."""
        ...


class Template(Noun):
    """A chat template that rows are rendered with."""

    text: str
    """The Jinja source."""
    sha256: str
    """Hash of the base's template, as 64 hex digits."""
    marked: bool
    """Whether `{% generation %}` marks tell what the assistant wrote; else it is told from what each turn adds."""


def check_template(tokenizer: Tokenizer, given: Path | None, base: str) -> Template:
    """Return the template to train with. Raises `ConfigError` where the base has none, or `given` is another one.

    What is trained will be asked through the base's template, so a given one may add `{% generation %}` marks only.
    """
    own = tokenizer.chat_template
    own = own.get("default") if isinstance(own, dict) else own
    if not isinstance(own, str) or not own.strip():
        fix = "take a chat model, or put its chat_template.jinja into its folder"
        raise ConfigError(Problem("TEMPLATE_MISSING", "the base has no chat template", base, fix=fix))
    text = own if given is None else _read(given)
    if _bare(text) != _bare(own):
        what = "this chat template differs from the base's in more than its generation marks"
        fix = "the model would be asked otherwise than it learnt: start from the base's template"
        raise ConfigError(Problem("TEMPLATE_DIFFERS", what, str(given), got=hash_of(text)[:12], fix=fix))
    return Template(text=text, sha256=hash_of(own), marked=bool(GENERATION.search(text)))


def hash_of(text: str) -> str:
    """Return a template's hash as 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _bare(text: str) -> str:
    """Return a template without its marks and white space, which Jinja's `-` moves about."""
    return SPACE.sub("", GENERATION.sub("", text))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        fix = "check `chat_template` in the recipe"
        raise ConfigError(Problem("FILE_UNREADABLE", f"no readable chat template: {exc}", str(path), fix=fix)) from exc


# ---------------------------------------------------------------- rendering


def render(
    tokenizer: Tokenizer,
    template: Template,
    messages: Sequence[dict[str, Any]],
    tools: Any = None,
    *,
    masks: bool = False,
    prompt: bool = False,
) -> tuple[list[int], list[int]]:
    """Return a chat's tokens and, with `masks`, for each of them 1 where the template marks it as the assistant's."""
    found = tokenizer.apply_chat_template(
        list(messages), chat_template=template.text, tools=tools, tokenize=True, return_dict=True,
        add_generation_prompt=prompt, return_assistant_tokens_mask=masks,
    )  # fmt: skip
    ids = list(found["input_ids"])
    return ids, list(found["assistant_masks"]) if masks else [0] * len(ids)
