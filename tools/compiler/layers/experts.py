"""The weights of a layer's experts, and their products with the tokens that are sent to them."""

from __future__ import annotations

from tvm import te, tirx
from tvm.relax.frontend import nn
from tvm.target import Target

from tools.compiler.layers.grouped_product import block_ends, grouped_product
from tools.compiler.layers.kernel import OPAQUE, call_kernel
from tools.compiler.quantization.base import Quantization


class Experts(nn.Module):
    """A matrix of each expert, in tensors that have the experts as first axis.

    Args:
        quantization: How a matrix is stored; its layout is ``NK``.
        num_experts: Number of matrices.
        in_features: Length of a row of the input.
        out_features: Length of a row of the output.
    """

    def __init__(
        self, quantization: Quantization, num_experts: int, in_features: int, out_features: int
    ) -> None:
        super().__init__()
        self.quantization = quantization
        self.in_features = in_features
        self.out_features = out_features
        matrix = quantization.parameters(out_features, in_features)
        self.parameter_names = tuple(matrix)
        for name, parameter in matrix.items():
            stacked = nn.Parameter((num_experts, *parameter.shape), parameter.dtype)
            stacked.attrs = parameter.attrs
            setattr(self, name, stacked)

    def of_one_token(self, x: nn.Tensor, experts: nn.Tensor) -> nn.Tensor:
        """Returns the products of the experts that one token is sent to.

        Args:
            x: ``(1, in_features)``, the same for all of them, or ``(chosen, in_features)``.
            experts: ``(1, chosen) int32``.

        Returns:
            ``(chosen, out_features)``.
        """

        def compute(lhs: te.Tensor, chosen: te.Tensor, *stored: te.Tensor) -> te.Tensor:
            dtype = self.quantization.compute_dtype
            shared = lhs.shape[0] == 1
            k = te.reduce_axis((0, self.in_features), "k")
            product = te.compute(
                (chosen.shape[1], self.out_features),
                lambda i, j: te.sum(
                    (
                        lhs[0 if shared else i, k].astype(dtype)
                        * self.element(stored, chosen[0, i], j, k)
                    ).astype("float32"),
                    axis=k,
                ),
                name="expert_product",
            )
            return te.compute(
                product.shape, lambda i, j: product[i, j].astype(lhs.dtype), name="cast"
            )

        return self._call(compute, "expert_product", [x, experts])

    def of_groups(self, x: nn.Tensor, plan: list[nn.Tensor]) -> nn.Tensor:
        """Returns the products of rows that are sorted by expert.

        Args:
            x: ``(tokens, chosen, in_features)``, whose first two axes are one: the row.
            plan: Which rows are which expert's: the result of `plan_groups`.

        Returns:
            ``(tokens, chosen, out_features)``.
        """

        def compute(lhs: te.Tensor, *others: te.Tensor) -> te.Tensor:
            return grouped_product(
                lhs,
                list(others[: len(plan)]),
                list(others[len(plan) :]),
                self.element,
                self.out_features,
                self.quantization.compute_dtype,
            )

        return self._call(compute, "grouped_product", [x, *plan], is_scheduled=True)

    def element(self, stored, expert: tirx.Expr, row: tirx.Expr, column: tirx.Expr) -> tirx.Expr:
        """Returns an element of an expert's matrix, in the quantization's ``compute_dtype``.

        Args:
            stored: The parameters, as tensors or as buffers.
            expert: Index of the expert.
            row: Index into the outputs.
            column: Index into the inputs.
        """
        matrix = [_Matrix(tensor, expert) for tensor in stored]
        return self.quantization.element(matrix, row, column)

    def _call(self, compute, name: str, arguments: list[nn.Tensor], **options) -> nn.Tensor:
        stored = [getattr(self, parameter) for parameter in self.parameter_names]
        key = (self.quantization.name, self.in_features, self.out_features)
        arguments = [*arguments, *stored]
        return call_kernel(compute, name, arguments, key=key, op_pattern=OPAQUE, **options)


def plan_groups(first_rows: nn.Tensor) -> list[nn.Tensor]:
    """Returns what the kernels of `Experts.of_groups` need to find the rows of an expert.

    Args:
        first_rows: ``(num_experts + 1,) int32``: expert ``e`` has the rows from ``first_rows[e]``
            up to ``first_rows[e + 1]``.
    """
    if Target.current().kind.name == "llvm":
        return [first_rows]
    return [first_rows, call_kernel(block_ends, "route_block_ends", [first_rows])]


class _Matrix:
    """One expert's part of a tensor: an index into it is one into a matrix."""

    def __init__(self, tensor, expert: tirx.Expr) -> None:
        self.tensor = tensor
        self.expert = expert

    def __getitem__(self, indices: tuple) -> tirx.Expr:
        return self.tensor[(self.expert, *indices)]
