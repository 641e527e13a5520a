"""Rows in tokens as TRL's KTO and ORPO take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def turning(padding: int) -> Any:
    """Return KTO's collator, which sets each answer of a batch behind the next row's prompt for the KL term.

    TRL pairs them when it reads the rows, in an order that must then never change; within the batch that is really
    learnt the pairs are the same, whatever the order, and so are they after a resume.
    """
    from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

    class Turning(DataCollatorForUnpairedPreference):  # type: ignore[misc]
        """TRL's collator over rows with turned answers."""

        def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
            answers = [example["completion_ids"] for example in examples]
            turned = zip(examples, [answers[-1], *answers[:-1]], strict=True)
            padded: dict[str, Any] = super().torch_call([{**one, "KL_completion_ids": other} for one, other in turned])
            return padded

    return Turning(pad_token_id=padding)


def as_orpo(pair: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Return a pair as ORPO's trainer makes it of text, without the tokens that it would add to the template's."""
    prompt = pair["prompt_ids"]
    found = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
    for side in ("chosen", "rejected"):
        answer = pair[f"{side}_ids"]
        found[f"{side}_input_ids"] = prompt + answer
        found[f"{side}_attention_mask"] = [1] * (len(prompt) + len(answer))
        found[f"{side}_labels"] = [-100] * len(prompt) + answer
    return found
