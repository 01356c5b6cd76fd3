"""``sampler_verify_draft_tokens``: which of the tokens that a draft model proposed are kept."""

from __future__ import annotations

from tvm import relax, tirx
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.functions.threads import ThreadLoops

LEAST_SUM = 1e-7
"""Where the model's probabilities exceed the draft's by less than this, they are the same."""


def add_verify_draft_tokens(builder: relax.BlockBuilder, loops: ThreadLoops) -> None:
    """Adds ``sampler_verify_draft_tokens``, which walks the tree of proposals of each sequence.

    Its arguments, with a row or an element for each of ``num_nodes`` nodes but the last:

    - ``draft_probs`` float32 ``(num_nodes, vocab_size)``: what the node's token was drawn from;
    - ``draft_tokens`` int32: the node's token;
    - ``model_probs`` float32 ``(num_nodes, vocab_size)``: the model's, for the node's children;
    - ``token_tree_first_child``, ``token_tree_next_sibling`` int32: nodes, or -1;
    - ``uniform_samples`` float32: the number from [0, 1) that decides on the node;
    - ``token_tree_parent_ptr`` int32 ``(nbatch,)``: of each tree the root.

    From the root on, a child whose token the model finds likely enough becomes the current node.
    Otherwise what its draft proposed is taken out of the current node's ``model_probs``, and
    the next sibling is tried. ``token_tree_parent_ptr`` is left at the last node that was kept.
    Both of these tensors are written in place, and returned.

    Args:
        builder: Where the function and its kernel go.
        loops: Of the kernel: a block for each tree.
    """
    nodes, trees, vocab_size = (
        tirx.Var(name, "int64") for name in ("num_nodes", "nbatch", "vocab_size")
    )
    types = {
        "draft_probs": ((nodes, vocab_size), "float32"),
        "draft_tokens": ((nodes,), "int32"),
        "model_probs": ((nodes, vocab_size), "float32"),
        "token_tree_first_child": ((nodes,), "int32"),
        "token_tree_next_sibling": ((nodes,), "int32"),
        "uniform_samples": ((nodes,), "float32"),
        "token_tree_parent_ptr": ((trees,), "int32"),
    }
    arguments = [relax.Var(name, relax.TensorType(*type_)) for name, type_ in types.items()]
    written = [list(types).index(name) for name in ("model_probs", "token_tree_parent_ptr")]
    kernel = _verify(loops).with_attr("tirx.is_scheduled", True)
    with builder.function("sampler_verify_draft_tokens", arguments):
        with builder.dataflow():
            call = relax.op.call_tir_inplace(
                builder.add_func(kernel, "verify_draft_tokens"),
                arguments,
                written,
                [arguments[index].ty for index in written],
            )
            result = builder.emit_output(call)
        builder.emit_func_output(result)


def _verify(loops: ThreadLoops) -> tirx.PrimFunc:
    """All threads of a block walk the tree together, each with a share of the vocabulary."""
    count, barrier = loops.count, loops.barrier

    @T.prim_func(private=True, s_tir=True)
    def verify(
        draft_probs_handle: T.handle,
        draft_tokens_handle: T.handle,
        model_probs_handle: T.handle,
        first_child_handle: T.handle,
        next_sibling_handle: T.handle,
        uniform_handle: T.handle,
        current_handle: T.handle,
    ):
        T.func_attr({"tirx.noalias": True})
        num_nodes, vocab_size, nbatch = T.int32(), T.int32(), T.int32()
        draft_probs = T.match_buffer(draft_probs_handle, (num_nodes, vocab_size), "float32")
        draft_tokens = T.match_buffer(draft_tokens_handle, (num_nodes,), "int32")
        model_probs = T.match_buffer(model_probs_handle, (num_nodes, vocab_size), "float32")
        first_child = T.match_buffer(first_child_handle, (num_nodes,), "int32")
        next_sibling = T.match_buffer(next_sibling_handle, (num_nodes,), "int32")
        uniform = T.match_buffer(uniform_handle, (num_nodes,), "float32")
        current = T.match_buffer(current_handle, (nbatch,), "int32")
        with T.sblock("root"):
            partial = T.sblock_alloc_buffer((count,), "float32", scope=loops.shared)
            node = T.sblock_alloc_buffer((1,), "int32", scope="local")
            child = T.sblock_alloc_buffer((1,), "int32", scope="local")
            keeps = T.sblock_alloc_buffer((1,), "int32", scope="local")
            rest = T.sblock_alloc_buffer((1,), "float32", scope="local")
            for block in loops.blocks(nbatch):
                for thread in loops.threads(count):
                    with T.sblock("walk"):
                        tree = T.axis.spatial(nbatch, block)
                        lane = T.axis.spatial(count, thread)
                        node[0] = current[tree]
                        child[0] = first_child[node[0]]
                        while child[0] >= 0:
                            # Who wrote it reads it: barriers are for what is shared alone.
                            if draft_tokens[child[0]] % count == lane:
                                partial[0] = model_probs[node[0], draft_tokens[child[0]]]
                            barrier()
                            keeps[0] = T.Cast(
                                "int32",
                                partial[0]
                                >= uniform[child[0]]
                                * draft_probs[child[0], draft_tokens[child[0]]],
                            )
                            barrier()
                            if keeps[0] == 0:
                                partial[lane] = T.float32(0)
                                for i in T.serial((vocab_size + (count - 1)) // count):
                                    if i * count + lane < vocab_size:
                                        partial[lane] = partial[lane] + T.max(
                                            model_probs[node[0], i * count + lane]
                                            - draft_probs[child[0], i * count + lane],
                                            T.float32(0),
                                        )
                                barrier()
                                rest[0] = T.float32(0)
                                for i in T.serial(count):
                                    rest[0] = rest[0] + partial[i]
                                barrier()
                                keeps[0] = T.Cast("int32", rest[0] < T.float32(LEAST_SUM))
                                if keeps[0] == 0:
                                    for i in T.serial((vocab_size + (count - 1)) // count):
                                        if i * count + lane < vocab_size:
                                            model_probs[node[0], i * count + lane] = (
                                                T.max(
                                                    model_probs[node[0], i * count + lane]
                                                    - draft_probs[child[0], i * count + lane],
                                                    T.float32(0),
                                                )
                                                / rest[0]
                                            )
                                    child[0] = next_sibling[child[0]]
                            if keeps[0] != 0:
                                node[0] = child[0]
                                child[0] = first_child[child[0]]
                        if lane == 0:
                            current[tree] = node[0]

    return verify
