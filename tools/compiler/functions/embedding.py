"""``alloc_embedding_tensor``: where the runtime gathers the embeddings of a prefill chunk."""

from __future__ import annotations

from tvm import relax


def add_alloc_embedding_tensor(
    builder: relax.BlockBuilder, prefill_chunk_size: int, hidden_size: int, dtype: str
) -> None:
    """Adds ``alloc_embedding_tensor() -> (prefill_chunk_size, hidden_size)``, uninitialised.

    Args:
        builder: Where the function goes.
        prefill_chunk_size: Tokens in a chunk.
        hidden_size: Length of a token's vector.
        dtype: dtype of the embeddings.
    """
    with builder.function("alloc_embedding_tensor", []):
        shape = relax.ShapeExpr([prefill_chunk_size, hidden_size])
        tensor = relax.op.builtin.alloc_tensor(shape, dtype, runtime_device_index=0)
        builder.emit_func_output(builder.emit(tensor))
