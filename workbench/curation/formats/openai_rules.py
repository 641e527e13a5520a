"""OpenAI's rules for files of chat fine-tuning, checked before anything is uploaded.

From the guide and its data-preparation script: developers.openai.com/cookbook/examples/chat_finetuning_data_prep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.curation.formats.format import Fields
from workbench.errors import Problem

LEAST = 10
"""Rows that OpenAI asks for."""
ADVISED = 50
"""Rows from which on it expects to see a difference; 50 to 100 are its advice."""
MAX_TOKENS = 65_536
"""Tokens of the longest example; the models' present limit. What lies beyond is cut off in training."""
BYTES_PER_TOKEN = 4
"""Of English text, about; a length here is an estimate unless a tokenizer counts."""
TASKS = 5
"""Different system prompts from which on a set is taken for several tasks."""


@dataclass
class OpenAIRules:
    """What is seen while rows pass."""

    problems: list[Problem] = field(default_factory=list)
    systems: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    """Estimated tokens of each row."""

    def see(self, fields: Fields) -> None:
        """Look at one conversation."""
        turns, id = fields["messages"], fields["id"]
        self.systems[turns[0]["content"] if turns[0]["role"] == "system" else ""] += 1
        self.tools[fields["tools"]] += 1
        size = sum(len(t["content"].encode()) + sum(len(c["arguments"]) for c in t["tool_calls"]) for t in turns)
        self.lengths.append((size + len(fields["tools"])) // BYTES_PER_TOKEN + 4 * len(turns))
        if self.lengths[-1] > MAX_TOKENS:
            self._wrong(f"about {self.lengths[-1]:,} tokens; the limit is {MAX_TOKENS:,}", id, "shorten the row")
        if turns[-1]["role"] != "assistant":
            self._wrong(f"the last turn is the {turns[-1]['role']}'s, not the assistant's", id, "cut the last turn off")
        if any(t["role"] == "system" for t in turns[1:]):
            self._wrong("a system's turn that is not the first", id, "join it with the first")
        self._answered(turns, id)

    def _answered(self, turns: Sequence[Fields], id: str) -> None:
        """Check that every tool's turn answers a call that was made, by its id."""
        called = {c["id"] for t in turns for c in t["tool_calls"]}
        if any(c["id"] == "" for t in turns for c in t["tool_calls"]):
            self._wrong("a tool's call has no id", id, "give calls and their answers ids")
        elif any(t["role"] == "tool" and t["tool_call_id"] not in called for t in turns):
            self._wrong("a tool's turn answers no call", id, "name the call in `tool_call_id`")

    def _wrong(self, what: str, id: str, fix: str) -> None:
        self.problems.append(Problem("OPENAI_RULE", what, field="messages", got=id, fix=fix))

    def found(self) -> list[Problem]:
        """Return what OpenAI would refuse."""
        if len(self.lengths) < LEAST:
            what = f"{len(self.lengths)} rows; OpenAI asks for {LEAST} at least"
            return [
                Problem("OPENAI_RULE", what, fix=f"add rows; {ADVISED} to 100 good ones are its advice"),
                *self.problems,
            ]
        return self.problems

    def advice(self) -> list[str]:
        """Return what OpenAI advises against."""
        said = []
        if LEAST <= len(self.lengths) < ADVISED:
            said.append(f"{len(self.lengths)} rows: OpenAI advises {ADVISED} to 100 to begin with")
        if len(self.systems) > TASKS:
            said.append(f"{len(self.systems)} different system prompts: a set that teaches one task learns better")
        if len(self.tools) > TASKS:
            said.append(f"{len(self.tools)} different sets of tools: name the same ones that are there in use")
        if self.lengths:
            total, longest = sum(self.lengths), max(self.lengths)
            said.append(f"about {total:,} tokens an epoch, the longest row {longest:,} (4 bytes a token)")
        return said
