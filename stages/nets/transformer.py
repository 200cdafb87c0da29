"""A bidirectional transformer over a set of positions, some of which are hidden from the others.

Axes: B rows, N positions, M wanted positions, D channels, J heads. Pre-normalised blocks as in minGPT.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.attention import attend, visible_or_self


class Block(nn.Module):
    """Attention and a feed-forward of four times the width, each added to what came in."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q, self.to_kv, self.to_out = (
            nn.Linear(width, width),
            nn.Linear(width, 2 * width),
            nn.Linear(width, width),
        )
        self.expand, self.contract = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x_BND: Tensor, seen_B1MN: Tensor, wanted_BMD: Tensor | None = None) -> Tensor:
        """All positions, or only those whose index is given (M times, repeated over D), looking at all."""
        normed_BND = self.norm1(x_BND)
        queries_BMD = normed_BND
        if wanted_BMD is not None:
            x_BND, queries_BMD = x_BND.gather(1, wanted_BMD), normed_BND.gather(1, wanted_BMD)
        x_BND = x_BND + self._drop(self.to_out(self._attend(queries_BMD, normed_BND, seen_B1MN)))
        return x_BND + self._drop(self.contract(F.gelu(self.expand(self.norm2(x_BND)))))

    def _attend(self, queries_BMD: Tensor, x_BND: Tensor, seen_B1MN: Tensor) -> Tensor:
        q_BJMd = self._split(self.to_q(queries_BMD))
        k_BJNd, v_BJNd = (self._split(part) for part in self.to_kv(x_BND).chunk(2, dim=-1))
        dropout = self.dropout if self.training else 0.0
        y_BJMd = attend(q_BJMd, k_BJNd, v_BJNd, seen_B1MN, dropout)
        return y_BJMd.transpose(1, 2).flatten(2)

    def _split(self, x_BND: Tensor) -> Tensor:
        return x_BND.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _drop(self, x_BND: Tensor) -> Tensor:
        return F.dropout(x_BND, self.dropout, self.training)


class Transformer(nn.Module):
    """Positions that are not visible are seen by nobody but themselves."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, x_BND: Tensor, visible_BN: Tensor, wanted_BM: Tensor | None = None) -> Tensor:
        """Features of all positions (B, N, D), or of the wanted ones (B, M, D).

        Only the wanted positions go through the last block's queries and feed-forward: the same numbers for less.
        """
        seen_B1NN = visible_or_self(visible_BN)
        for block in self.blocks[:-1]:
            x_BND = block(x_BND, seen_B1NN)
        if wanted_BM is None:
            return self.norm(self.blocks[-1](x_BND, seen_B1NN))
        seen_B1MN = seen_B1NN.gather(2, wanted_BM[:, None, :, None].expand(-1, 1, -1, x_BND.shape[1]))
        wanted_BMD = wanted_BM[:, :, None].expand(-1, -1, x_BND.shape[2])
        return self.norm(self.blocks[-1](x_BND, seen_B1MN, wanted_BMD))


def initialise(module: nn.Module) -> None:
    """minGPT's start: weights of linear layers and embeddings from N(0, 0.02^2), biases 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Embedding):
            nn.init.normal_(layer.weight, std=0.02)
        if isinstance(layer, nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)


def decayed(module: nn.Module, decay: float) -> list[dict[str, object]]:
    """Parameter groups for AdamW: weights of linear layers decay, all else does not."""
    weights = [layer.weight for layer in module.modules() if isinstance(layer, nn.Linear)]
    chosen = {id(weight) for weight in weights}
    others = [p for p in module.parameters() if id(p) not in chosen]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
