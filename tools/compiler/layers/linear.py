"""The two layers that hold a model's large weights, in whichever quantization it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from tvm import te, tirx
from tvm.relax.frontend import nn
from tvm.target import Target

from tools.compiler.layers.cpu_product import ONE_ROW_LANES, cpu_product, lanes_of_register
from tools.compiler.layers.elementwise import add, gelu
from tools.compiler.layers.epilogue import NOTHING, Epilogue
from tools.compiler.layers.integer_product import integer_product
from tools.compiler.layers.kernel import OPAQUE, OUT_EWISE_FUSABLE, call_kernel
from tools.compiler.layers.x86_integers import most_sums
from tools.compiler.quantization.base import Quantization


class _Weight(nn.Module):
    """A weight matrix; its parameters are attributes, named as the quantization says."""

    def __init__(self, quantization: Quantization, rows: int | str, columns: int) -> None:
        super().__init__()
        self.quantization = quantization
        self.columns = columns
        parameters = quantization.parameters(rows, columns)
        self.parameter_names = tuple(parameters)
        for name, parameter in parameters.items():
            setattr(self, name, parameter)

    def stored(self) -> list[nn.Parameter]:
        return [getattr(self, name) for name in self.parameter_names]

    def product(self, x: nn.Tensor, out_dtype: str) -> nn.Tensor:
        """Returns ``x @ weight.T``.

        Decoding and product are one TIR function, whose block ``NT_matmul``, or ``matmul`` where
        the weight is stored transposed, the schedules look for: no pass has to bring them
        together, and the decoded weight never exists in memory.

        Args:
            x: ``(tokens, columns)``.
            out_dtype: dtype of the result. float32 also makes the sum float32.

        Returns:
            ``(tokens, rows)``.
        """
        on_cpu = self.product_on_cpu(x, out_dtype)
        if on_cpu is not None:
            return on_cpu
        quantization = self.quantization
        dtype = "float32" if out_dtype == "float32" else quantization.compute_dtype
        transposed = quantization.layout == "KN"
        matmul = "matmul" if transposed else "NT_matmul"

        def compute(lhs: te.Tensor, *stored: te.Tensor) -> te.Tensor:
            rows = stored[0].shape[1 if transposed else 0]
            if dtype != lhs.dtype and dtype == quantization.compute_dtype:
                narrow = lhs
                lhs = te.compute(
                    narrow.shape, lambda i, k: narrow[i, k].astype(dtype), name="widen"
                )
            weight = lambda j, k: quantization.element(list(stored), j, k)  # noqa: E731
            if quantization.decodes or quantization.compute_dtype != quantization.model_dtype:
                weight = _decoded(weight, rows, self.columns, transposed)
            k = te.reduce_axis((0, self.columns), "k")
            product = te.compute(
                (lhs.shape[0], rows),
                lambda i, j: te.sum(lhs[i, k].astype(dtype) * weight(j, k).astype(dtype), axis=k),
                name=matmul,
            )
            if dtype == out_dtype:
                return product
            return te.compute(
                product.shape, lambda i, j: product[i, j].astype(out_dtype), name="cast"
            )

        name = f"fused_dequantize_{matmul}" if quantization.decodes else matmul
        return call_kernel(
            compute,
            name,
            [x, *self.stored()],
            key=(quantization.name, quantization.layout, self.columns, out_dtype),
            op_pattern=OUT_EWISE_FUSABLE,
        )

    def product_on_cpu(
        self,
        x: nn.Tensor,
        out_dtype: str,
        epilogue: Epilogue = NOTHING,
        bias: nn.Tensor | None = None,
    ) -> nn.Tensor | None:
        """Returns the same by kernels for CPUs; None where there is none for the weight.

        Args:
            x: ``(tokens, columns)``.
            out_dtype: dtype of the result.
            epilogue: What follows the product.
            bias: The epilogue's, where it has one.
        """
        target = Target.current()
        if target.kind.name != "llvm":
            return None
        order = self.quantization.integers(self.columns, most_sums(target))
        product = integer_product
        if order is None:
            is_one = isinstance(x.shape[0], tirx.IntImm | int)
            lanes = ONE_ROW_LANES if is_one else lanes_of_register(target)
            product, order = cpu_product, self.quantization.row_vectors(self.columns, lanes)
        if order is None:
            return None
        return call_kernel(
            lambda lhs, *stored: product(lhs, list(stored), order, out_dtype, epilogue),
            product.__name__,
            [x, *self.stored(), *([bias] if epilogue.bias else [])],
            key=(self.quantization.name, self.columns, out_dtype, epilogue),
            op_pattern=OPAQUE,
            is_scheduled=True,
        )


def _decoded(element: Callable, rows, columns, transposed: bool) -> Callable:
    """Returns `element` as a stage of its own, whose result lies in memory as the weight does."""
    if not transposed:
        return te.compute((rows, columns), element, name="dequantize")
    stage = te.compute((columns, rows), lambda k, j: element(j, k), name="dequantize")
    return lambda j, k: stage[k, j]


class Linear(_Weight):
    """``x @ weight.T (+ bias)``, from ``(tokens, in_features)`` to ``(tokens, out_features)``.

    Args:
        quantization: How the weight is stored.
        in_features: Length of a row of the input.
        out_features: Length of a row of the output; a string names a dynamic size.
        bias: Whether the layer has a parameter ``bias`` of shape ``(out_features,)``.
        out_dtype: dtype of the output; the model's where None.
    """

    def __init__(
        self,
        quantization: Quantization,
        in_features: int,
        out_features: int | str,
        *,
        bias: bool = False,
        out_dtype: str | None = None,
    ) -> None:
        super().__init__(quantization, out_features, in_features)
        self.out_dtype = out_dtype or quantization.model_dtype
        self.bias = nn.Parameter((out_features,), self.out_dtype) if bias else None

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        on_cpu = self.product_on_cpu(x, self.out_dtype, self._epilogue(), self.bias)
        return self._sum(x) if on_cpu is None else on_cpu

    def gelu(self, x: nn.Tensor, *, tanh: bool, out_dtype: str) -> nn.Tensor:
        """Returns the GELU of the layer's output.

        Args:
            x: ``(tokens, in_features)``.
            tanh: Whether it is approximated by a tanh.
            out_dtype: dtype of the result.
        """
        epilogue = self._epilogue("tanh" if tanh else "erf")
        on_cpu = self.product_on_cpu(x, out_dtype, epilogue, self.bias)
        return gelu(self._sum(x), tanh=tanh, out_dtype=out_dtype) if on_cpu is None else on_cpu

    def _epilogue(self, function: Literal["erf", "tanh"] | None = None) -> Epilogue:
        return Epilogue(bias=self.bias is not None, gelu=function)

    def _sum(self, x: nn.Tensor) -> nn.Tensor:
        out = self.product(x, self.out_dtype)
        return out if self.bias is None else add(out, self.bias)


class Embedding(_Weight):
    """``ids (n,) int32 -> (n, embedding_dim)`` of the model's dtype.

    Args:
        quantization: How the table is stored.
        num_embeddings: Number of entries; a string names a dynamic size.
        embedding_dim: Length of an entry.
    """

    def __init__(
        self, quantization: Quantization, num_embeddings: int | str, embedding_dim: int
    ) -> None:
        super().__init__(quantization.of_embedding(), num_embeddings, embedding_dim)

    def forward(self, ids: nn.Tensor) -> nn.Tensor:
        quantization = self.quantization

        def take(indices: te.Tensor, *stored: te.Tensor) -> te.Tensor:
            return te.compute(
                (indices.shape[0], self.columns),
                lambda i, j: quantization.element(list(stored), indices[i], j).astype(
                    quantization.model_dtype
                ),
                name="take",
            )

        name = "fused_dequantize_take" if quantization.decodes else "take"
        key = (quantization.name, self.columns)
        return call_kernel(take, name, [ids, *self.stored()], key=key)

    def lm_head_forward(self, x: nn.Tensor) -> nn.Tensor:
        """Returns the float32 logits ``x @ table.T``, where the output layer shares the table."""
        return self.product(x, "float32")
