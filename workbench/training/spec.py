"""What a training recipe says (YAML): base, data, method, adapter, how hard. Defaults are those of good practice."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from workbench.nouns import Many, Noun

PINNED = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,90}@[0-9a-f]{6,32}$"
DatasetRef = Annotated[str, StringConstraints(pattern=PINNED)]
Tracker = Literal["tensorboard", "wandb", "mlflow"]
Device = Literal["auto", "cpu", "cuda", "mps"]

# ---------------------------------------------------------------- method


class Sft(Noun):
    """Supervised tuning: the learnt assistant turns of conversations become likelier."""

    kind: Literal["sft"]
    packing: bool = False
    """Fill rows up with others. Pays only with a kernel for sequences of many lengths, that is, on a GPU."""


class Dpo(Noun):
    """Direct preference optimisation (Rafailov and others 2023): the chosen answer over the rejected one."""

    kind: Literal["dpo"]
    beta: float = Field(0.1, gt=0, le=10)
    """How strongly the tuned model is held to its reference."""
    precompute: bool = True
    """Compute the reference's log-probabilities once, before training, and keep them for other runs on the same base
    and rows. Off: in every step again."""
    nll: float = Field(0.0, ge=0, le=10)
    """Weight of the chosen answers' mean loss a token beside the preference loss (Pang and others 2024), which keeps
    chosen answers from becoming unlikely, too; 0: none."""


class Kto(Noun):
    """Kahneman-Tversky optimisation (Ethayarajh and others 2024): learns from single thumbs instead of pairs."""

    kind: Literal["kto"]
    beta: float = Field(0.1, gt=0, le=10)
    """How strongly the tuned model is held to its reference."""


class Orpo(Noun):
    """Odds-ratio preference optimisation (Hong and others 2024): pairs without a reference."""

    kind: Literal["orpo"]
    beta: float = Field(0.1, gt=0, le=10)
    """Weight of the odds ratio beside the likelihood."""


Method = Annotated[Sft | Dpo | Kto | Orpo, Field(discriminator="kind")]

# ---------------------------------------------------------------- adapter


class Lora(Noun):
    """Low-rank factors beside frozen weights (Hu and others 2021)."""

    kind: Literal["lora"]
    rank: int = Field(16, ge=1, le=1024)
    """Rank of the factors."""
    alpha: int | None = Field(None, ge=1)
    """Scale of what the factors add, as alpha / rank; left out, twice the rank."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout before the factors; each module then keeps an input of its own in memory."""
    targets: Literal["all-linear"] | Many[str] = "all-linear"
    """Modules that get factors, by the end of their name; `all-linear` is every linear layer but the output head."""

    def scale(self) -> int:
        """Return alpha."""
        return 2 * self.rank if self.alpha is None else self.alpha


class Qlora(Lora):
    """LoRA on a base in 4 bits (Dettmers and others 2023). Needs bitsandbytes and a GPU."""

    kind: Literal["qlora"]  # type: ignore[assignment]


class Full(Noun):
    """No adapter: every weight is trained."""

    kind: Literal["none"]


AnyAdapter = Annotated[Lora | Qlora | Full, Field(discriminator="kind")]

# ---------------------------------------------------------------- when to stop early


class EarlyStop(Noun):
    """Signs on the dev set after which more training only harms."""

    patience: int = Field(3, ge=1)
    """Evaluations in a row that must show the sign."""
    rising_loss: bool = True
    """Stop when the dev loss does not fall below its best."""
    collapse: float | None = Field(10.0, gt=0)
    """DPO: stop when the chosen answers' mean reward lies this far below 0, which means that they, too, become
    unlikely. `null`: never."""


# ---------------------------------------------------------------- the recipe


class TrainSpec(Noun):
    """A training recipe."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")
    """Name of what is made."""
    base: str = Field(min_length=1)
    """Folder of the base model, relative to workbench.yaml, or a hub id."""
    revision: str | None = None
    """Commit of a hub id. A hub id without one is refused: it changes under you."""
    start: str | None = None
    """An adapter on this base to go on from, as a folder or the id of a training run; DPO's reference is then base and
    adapter."""
    chat_template: str | None = None
    """A Jinja file with the base's own template and `{% generation %}` marks put in; left out, the base's is used."""
    dataset: DatasetRef
    """What is learnt from, as `name@fingerprint`; its use must be `train`."""
    dev: DatasetRef | None = None
    """What is looked at meanwhile, as `name@fingerprint`; its use must be `dev`."""
    # Said this way because pydantic drops a docstring beside a reference.
    method: Method = Field(description="How is learnt.")
    """How is learnt."""
    adapter: AnyAdapter = Field(Lora(kind="lora"), description="What is trained.")
    """What is trained."""
    epochs: float = Field(1.0, gt=0, le=100)
    """Passes over the rows. Several over a small set make it worse at what is not in it."""
    max_steps: int | None = Field(None, ge=1)
    """Optimizer steps after which it ends, whatever `epochs` says."""
    batch: int = Field(8, ge=1, le=4096)
    """Rows a device takes at once."""
    accumulate: int = Field(1, ge=1, le=4096)
    """Batches whose gradients make one step."""
    batching: Literal["by_length", "shuffled"] = "by_length"
    """Rows of like length in one batch, which spares padding, or any."""
    max_length: int | None = Field(None, ge=8)
    """Longest row in tokens; left out, the model's context window."""
    long_rows: Literal["refuse", "drop"] = "refuse"
    """What becomes of a longer row. It is never cut: a cut answer teaches to stop in mid-sentence."""
    learning_rate: float | None = Field(None, gt=0, le=1)
    """Peak rate; left out, 2e-4 for LoRA by SFT, gentle 1e-5 by preferences, and a tenth of it for all weights."""
    warmup: float = Field(0.05, ge=0, lt=1)
    """Share of the steps in which the rate rises from 0."""
    schedule: Literal["linear", "cosine", "constant"] = "cosine"
    """How the rate falls afterwards."""
    weight_decay: float = Field(0.0, ge=0, le=1)
    """AdamW's weight decay."""
    clip: float = Field(1.0, gt=0)
    """Gradient norm above which gradients are scaled down."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of weights and activations; `auto` is bfloat16 on a GPU, else float32."""
    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them: about a third slower, far less memory."""
    device: Device = "auto"
    """Where it runs."""
    threads: int | None = Field(None, ge=1)
    """Threads of torch on a CPU; left out, torch decides. Sums, and so the last digits, depend on it."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the factors' start, the rows' order and dropout."""
    log_every: int = Field(1, ge=1)
    """Steps between two rows of losses."""
    evaluate_every: int | None = Field(None, ge=1)
    """Steps between two looks at the dev set; left out, ten times in the whole run."""
    save_every: int | None = Field(None, ge=1)
    """Steps between two checkpoints; left out, ten times in the whole run."""
    keep: int = Field(2, ge=1, le=100)
    """Complete checkpoints that are kept."""
    early_stop: EarlyStop | None = Field(EarlyStop(), description="When to stop early; `null`: never.")
    """When to stop early; needs `dev`. `null`: never."""
    report_to: Many[Tracker] = ()
    """Where curves go besides losses.parquet."""

    @model_validator(mode="after")
    def _consistent(self) -> TrainSpec:
        if self.start is not None and self.adapter.kind == "none":
            raise ValueError("`start` names an adapter, but `adapter: {kind: none}` trains none; merge it first")
        if isinstance(self.method, Sft) and self.method.packing and self.max_length is None:
            raise ValueError("packing fills rows up to `max_length`: give one")
        return self

    def rate(self) -> float:
        """Return the peak learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        gentle = 2e-4 if isinstance(self.method, Sft) else 1e-5
        return gentle / 10 if self.adapter.kind == "none" else gentle

    def rows_a_step(self, processes: int = 1) -> int:
        """Return the rows behind one optimizer step."""
        return self.batch * self.accumulate * processes

    def steps(self, n: int, processes: int = 1) -> int:
        """Return the optimizer steps over `n` rows."""
        batches = -(-n // (self.batch * processes))
        whole = -(-batches // self.accumulate)
        asked = max(1, -int(-self.epochs * whole // 1))
        return asked if self.max_steps is None else self.max_steps


PREFERENCES: frozenset[str] = frozenset({"dpo", "orpo"})
"""Methods that learn from pairs; the others learn from conversations."""
