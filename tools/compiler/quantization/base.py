"""What a quantization is to the rest of the compiler: a way to store a matrix."""

from __future__ import annotations

import abc

from tvm import te, tirx
from tvm.relax.frontend import nn

from tools.compiler.quantization.integers import PackedIntegers
from tools.compiler.quantization.vectors import RowVectors


class Quantization(abc.ABC):
    """Says which tensors hold a weight matrix, and how an element is read from them.

    The layers (`tools.compiler.layers`) are written on these two methods alone, so any family
    works with any quantization. Norms and biases are not quantized.

    Attributes:
        name: As in ``mlc-chat-config.json``, for example ``q4f16_1``.
        model_dtype: dtype of activations, of scales and of weights that are not quantized.
        compute_dtype: dtype in which elements are decoded, multiplied and summed.
        layout: ``NK`` where the tensors have a row for each of the weight's rows (outputs), ``KN``
            where they have one for each of its columns or several of those (inputs).
    """

    def __init__(self, name: str, model_dtype: str, compute_dtype: str, layout: str = "NK") -> None:
        self.name = name
        self.model_dtype = model_dtype
        self.compute_dtype = compute_dtype
        self.layout = layout

    def of_embedding(self) -> Quantization:
        """Returns how an embedding's table is stored, whose entries are always rows."""
        return self

    def of_router(self, experts: int) -> Quantization:
        """Returns how the weight is stored that rates `experts` experts."""
        return self

    def row_vectors(self, columns: int, most_lanes: int) -> RowVectors | None:
        """Returns how a CPU reads a row as vectors; None where it can only read elements.

        Args:
            columns: Length of a row.
            most_lanes: Elements of a vector, where the row has as many or a multiple.
        """
        return None

    def integers(self, columns: int, most_lanes: int) -> PackedIntegers | None:
        """Returns how a CPU reads a row as integers; None where too much would be lost, or none is.

        Args:
            columns: Length of a row.
            most_lanes: Words that are read at once, where the row has as many or a multiple.
        """
        return None

    @property
    @abc.abstractmethod
    def decodes(self) -> bool:
        """Whether reading an element takes arithmetic, so that it deserves a stage of its own."""

    @abc.abstractmethod
    def parameters(self, rows: int | str, columns: int) -> dict[str, nn.Parameter]:
        """Returns the tensors of a ``(rows, columns)`` weight by attribute name, in order.

        Args:
            rows: Number of outputs (of a linear layer) or entries (of an embedding); a string
                names a dynamic size.
            columns: Number of inputs, or the length of an entry.
        """

    @abc.abstractmethod
    def element(self, stored: list[te.Tensor], row: tirx.Expr, column: tirx.Expr) -> tirx.Expr:
        """Returns the weight's element at ``(row, column)``, in `compute_dtype`.

        Args:
            stored: The tensors of `parameters`, in that order.
            row: Index into the weight's rows, in either layout.
            column: Index into the weight's columns.
        """
