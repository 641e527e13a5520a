"""The table of flaws: every kind that `pairs lint` looks for, how grave it is, and what to do about it."""

from __future__ import annotations

from workbench.curation.pairs import order_flaws, other_prompts, skew_flaws, text_flaws
from workbench.curation.pairs.flaw import Flaw
from workbench.datasets import Kind

BOTH: tuple[Kind, ...] = ("pairs", "conversations")
THUMBS: tuple[Kind, ...] = ("conversations",)

FLAWS: tuple[Flaw, ...] = (
    Flaw("leak", "rows that a gate set knows", "blocks", text_flaws.leaked,
         "drop them: what a release is decided on must not be learnt from", BOTH),
    Flaw("empty", "an answer without any text", "blocks", text_flaws.empty,
         "drop them, or find out where the text was lost", BOTH),
    Flaw("identical_sides", "both sides are the same, case and spacing aside", "blocks", text_flaws.identical,
         "drop them: there is nothing to prefer"),
    Flaw("contradiction", "one pair says A over B and another B over A", "blocks", order_flaws.contradicted,
         "let an adjudicator decide, or drop both"),
    Flaw("circle", "pairs of one prompt prefer in a circle: A > B > C > A", "blocks", order_flaws.circular,
         "let an adjudicator rank the answers, or drop the circle"),
    Flaw("prompt_inside", "a side holds the prompt or another speaker's turn", "blocks", text_flaws.prompt_inside,
         "cut it from the side: the trainer puts the prompt before both", BOTH),
    Flaw("other_prompt", "a side that answers another row's prompt", "blocks", other_prompts.answers_of_others,
         "look whether rows slipped against each other where the set was joined", BOTH),
    Flaw("prompt_end", "a prompt that does not end with a question", "blocks", text_flaws.prompt_end,
         "end the prompt with the user's turn; an earlier answer belongs into it, the last one into the sides", BOTH),
    Flaw("template_tokens", "marks of a chat template inside a text", "blocks", text_flaws.template_tokens,
         "cut or escape them: to the tokenizer they begin and end turns", BOTH),
    Flaw("near_identical_sides", "both sides are nearly the same", "warns", text_flaws.near_identical,
         "keep them only where the small difference is what you want to teach"),
    Flaw("duplicate", "rows that say what another row says", "warns", order_flaws.duplicated,
         "keep one: workbench data dedupe", BOTH),
    Flaw("refusal_chosen", "the chosen answer declines", "warns", text_flaws.refused,
         "read them: keep those that should be declined, drop the others, else the model learns to decline", BOTH),
    Flaw("truncated_chosen", "the chosen answer stops in the middle", "warns", text_flaws.truncated,
         "generate them again with room to end, or drop them: the model learns where to stop", BOTH),
    Flaw("looping_chosen", "the chosen answer says the same over and over", "warns", text_flaws.looping,
         "drop them", BOTH),
    Flaw("copied_prompt", "the chosen answer repeats the question", "warns", text_flaws.copied,
         "drop them", BOTH),
    Flaw("other_language", "the chosen answer is in another language than the question", "warns",
         text_flaws.other_language, "drop them unless the task is to change the language", BOTH),
    Flaw("garbled", "characters that were lost or decoded wrongly", "warns", text_flaws.garbled,
         "read the source again with its own encoding", BOTH),
    Flaw("too_long", "prompt and answer exceed the token limit", "warns", text_flaws.too_long,
         "raise the trainer's limit or drop them: they would be cut without a word", BOTH),
    Flaw("length_skew", "length tells which side was chosen; share where it is the longer one", "warns",
         skew_flaws.longer_chosen, "workbench pairs balance NAME, or collect pairs of like length"),
    Flaw("markup_skew", "Markdown tells which side was chosen; difference of the shares", "warns", skew_flaws.layout,
         "compare answers of one layout, or strip it from both sides"),
    Flaw("single_model", "who wrote it tells which side was chosen; share guessed right", "warns",
         skew_flaws.one_model, "add pairs in which that model loses, or whose sides are by one model"),
    Flaw("position_bias", "the place on the page tells which side was chosen; share where it came first", "warns",
         skew_flaws.first_place, "shuffle the order for each annotator; judge each pair in both orders"),
    Flaw("rater_conflict", "pairs that fewer than two thirds voted for; their share", "warns", skew_flaws.contested,
         "adjudicate them, or build again with --conflicts unanimous"),
    Flaw("label_noise", "votes that are wrong, estimated from overlap; chance of one vote", "warns", skew_flaws.noisy,
         "mend the guideline; see workbench label agreement"),
    Flaw("prompt_dominance", "one prompt family outweighs the others", "warns", order_flaws.dominated,
         "build again with a smaller --per-prompt, or sample the family down", BOTH),
    Flaw("one_answer", "one answer is chosen for many different prompts", "warns", order_flaws.one_answer,
         "keep a few: the model learns the answer by heart", BOTH),
    Flaw("one_class", "all thumbs point one way; share up", "warns", order_flaws.one_class,
         "add the other kind: KTO learns from the difference", THUMBS),
    Flaw("source_imbalance", "nearly all rows are from one source or annotator; its share", "notes",
         order_flaws.one_source, "weigh the sources, or say that the set stands for this one", BOTH),
)  # fmt: skip
"""All kinds, the gravest first."""
