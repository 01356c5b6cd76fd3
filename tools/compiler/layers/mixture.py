"""Feed-forward layers made of experts, of which each token is sent to a few."""

from __future__ import annotations

from tvm import te, tirx
from tvm.relax.frontend import nn

from tools.compiler.layers.experts import Experts, plan_groups
from tools.compiler.layers.kernel import call_kernel
from tools.compiler.layers.linear import Linear
from tools.compiler.layers.mlp import GatedMLP, gated
from tools.compiler.layers.routing import (
    best_experts,
    combine,
    expert_weights,
    send,
    sort_by_expert,
)
from tools.compiler.layers.shape import reshape
from tools.compiler.quantization.base import Quantization


class MixtureOfExperts(nn.Module):
    """``sum of weight(e) * down(e)(silu(gate(e)(x)) * up(e)(x))`` over each token's experts.

    Args:
        quantization: How the weights are stored.
        hidden_size: Length of a row of input and output.
        intermediate_size: Length of a row between an expert's two products.
        num_experts: Number of experts.
        experts_per_token: How many of them a token is sent to, those that ``gate`` rates best.
        renormalise: Whether the weights of a token's experts are made to sum to 1.
        names: Attribute names of the experts' two weights.
        shared_size: ``intermediate_size`` of an expert that every token is sent to besides, with
            a weight of its own; None where there is none.
    """

    def __init__(
        self,
        quantization: Quantization,
        hidden_size: int,
        intermediate_size: int,
        num_experts: int,
        experts_per_token: int,
        *,
        renormalise: bool,
        names: tuple[str, str],
        shared_size: int | None = None,
    ) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.experts_per_token = experts_per_token
        self.renormalise = renormalise
        self.names = names
        self.shared_expert = None
        if shared_size is not None:
            self.shared_expert = GatedMLP(quantization, hidden_size, shared_size)
            self.shared_expert_gate = Linear(
                quantization.of_router(1), hidden_size, 1, out_dtype="float32"
            )
        router = quantization.of_router(num_experts)
        self.gate = Linear(router, hidden_size, num_experts, out_dtype="float32")
        sizes = (hidden_size, 2 * intermediate_size), (intermediate_size, hidden_size)
        for name, (columns, rows) in zip(names, sizes, strict=True):
            setattr(self, name, Experts(quantization, num_experts, columns, rows))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """``(tokens, hidden_size) -> (tokens, hidden_size)``."""
        mixed = self._mixed(x)
        if self.shared_expert is None:
            return mixed
        arguments = [mixed, self.shared_expert(x), self.shared_expert_gate(x)]
        return call_kernel(_add_weighted, "add_weighted", arguments)

    def _mixed(self, x: nn.Tensor) -> nn.Tensor:
        """Returns the weighted sum over the experts that a token is sent to."""
        up, down = (getattr(self, name) for name in self.names)
        logits = self.gate(x)
        experts = best_experts(logits, self.experts_per_token)
        weights = expert_weights(logits, experts, renormalise=self.renormalise)
        if x.shape[0] == 1:
            states = gated(up.of_one_token(x, experts), "silu")
            states = down.of_one_token(states, experts)
            return combine(reshape(states, 1, *states.shape), weights, None)
        rows, first_rows = sort_by_expert(experts, self.num_experts)
        plan = plan_groups(first_rows)
        states = gated(up.of_groups(send(x, rows), plan), "silu")
        return combine(down.of_groups(states, plan), weights, rows)


def _add_weighted(a: te.Tensor, b: te.Tensor, logits: te.Tensor) -> te.Tensor:
    """``a + sigmoid(logits) * b``, where a row of `logits` has one number."""

    def element(i: tirx.Var, j: tirx.Var) -> tirx.Expr:
        weight = tirx.sigmoid(logits[i, 0])
        return (a[i, j].astype("float32") + weight * b[i, j].astype("float32")).astype(a.dtype)

    return te.compute(a.shape, element, name="add_weighted")
