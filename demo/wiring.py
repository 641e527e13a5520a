"""First weights of the demo models: attention that already looks back and copies, before any training.

Left to chance, the heads that copy from earlier text form only after many hundred steps, which on two cores is most of
the time there is. So they are sketched by hand (compare Olsson et al. 2022, "In-context learning and induction
heads", and Trockman and Kolter 2023, "Mimetic initialization"), and training does the rest. Half of the width holds
the token itself, the other half what stood before it:

- layer 1, head 0 looks at the token before; head 1 at about a dozen tokens before; both write to the second half;
- later layers, head 0 looks for places that follow the present token; head 1 for places with a like context; both
  copy the token found there into the first half, which the output matrix reads.
"""

from typing import Any

import torch


def wire(model: Any, seed: int) -> None:
    """Overwrite embedding and attention weights of a fresh two-headed Llama in place."""
    config = model.config
    width, half = config.hidden_size, config.hidden_size // 2
    if config.num_attention_heads != 2:
        raise ValueError(f"The wiring is drawn for 2 heads, not {config.num_attention_heads}.")
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        table = model.model.embed_tokens.weight
        table.zero_()
        table[:, : half - 1] = torch.randn(table.shape[0], half - 1, generator=random) * 0.25
        table[:, width - 1] = 1.0  # the same for every token: what a head sees that looks at distance alone
        mixed = torch.linalg.qr(torch.randn(half, half, generator=random)).Q
        for number, layer in enumerate(model.model.layers):
            attention = layer.self_attn
            for part in (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj):
                part.weight.normal_(0.0, 0.02, generator=random)
            if number == 0:
                _look_back(attention, half, mixed)
            else:
                _look_up(attention, half)


def _look_back(attention: Any, half: int, mixed: torch.Tensor) -> None:
    """Wire layer 1: by distance, from the token half to the context half."""
    one = torch.eye(half)
    attention.v_proj.weight[:half, :half] += one
    attention.v_proj.weight[half:, :half] += one
    attention.o_proj.weight[half : 2 * half - 1, :half] += one[:-1]
    attention.o_proj.weight[half : 2 * half - 1, half:] += mixed[:-1]
    pairs = half // 2
    rates = 10000.0 ** (-torch.arange(pairs) / pairs)
    for head, (count, strength, first) in enumerate(((12, 1.8, 0), (10, 0.4, 6))):
        chosen = torch.zeros(pairs)
        chosen[first : first + count] = strength
        rows = slice(head * half, (head + 1) * half)
        attention.q_proj.weight[rows, 2 * half - 1] += torch.cat([chosen, torch.zeros(pairs)])
        turned = torch.cat([chosen * torch.cos(rates), chosen * torch.sin(rates)])  # one position ahead
        attention.k_proj.weight[rows, 2 * half - 1] += turned


def _look_up(attention: Any, half: int) -> None:
    """Wire a later layer: match by content, and copy the token that is found."""
    one = torch.eye(half)
    attention.q_proj.weight[:half, :half] += 1.5 * one
    attention.k_proj.weight[:half, half:] += 1.5 * one
    attention.q_proj.weight[half:, half:] += 0.6 * one
    attention.k_proj.weight[half:, half:] += 0.6 * one
    for head in (0, 1):
        rows = slice(head * half, (head + 1) * half)
        attention.v_proj.weight[rows, :half] += one
        attention.o_proj.weight[:half, rows] += one
