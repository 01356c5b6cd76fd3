"""Kernels that change logits in place before sampling: bias, penalties, grammar masks.

In all of them ``logits`` is float32 ``(batch_size, vocab_size)`` and a *token* is an entry of the
arrays of length ``num_token``: the sequence it belongs to and its id in the vocabulary.

They come scheduled, because TVM's rules do not take a block that reads what it writes: work is cut
into blocks of threads, which are plain loops on a CPU.
"""

from __future__ import annotations

from tvm import relax, tirx
from tvm.script import tirx as T  # noqa: N812
from tvm.target import Target

from tools.compiler.functions.threads import ThreadLoops, thread_loops


def add_logit_processors(builder: relax.BlockBuilder, target: Target) -> None:
    """Adds ``apply_logit_bias_inplace``, ``apply_penalty_inplace``, ``apply_bitmask_inplace``.

    Args:
        builder: Where the kernels go.
        target: Where they run.
    """
    loops = thread_loops(target)
    for name, kernel in (
        ("apply_logit_bias_inplace", _logit_bias),
        ("apply_penalty_inplace", _penalty),
        ("apply_bitmask_inplace", _bitmask),
    ):
        attributes = {"global_symbol": name, "tirx.is_scheduled": True}
        builder.add_func(kernel(loops).with_attrs(attributes), name)


def _logit_bias(loops: ThreadLoops) -> tirx.PrimFunc:
    """``(logits, pos2seq_id, token_ids, logit_bias)``: adds a bias to each token's logit."""
    threads = loops.count

    @T.prim_func(private=True, s_tir=True)
    def apply_logit_bias(
        logits_handle: T.handle,
        pos2seq_id_handle: T.handle,
        token_ids_handle: T.handle,
        logit_bias_handle: T.handle,
    ):
        T.func_attr({"tirx.noalias": True})
        batch_size, vocab_size, num_token = T.int64(), T.int64(), T.int64()
        logits = T.match_buffer(logits_handle, (batch_size, vocab_size), "float32")
        pos2seq_id = T.match_buffer(pos2seq_id_handle, (num_token,), "int32")
        token_ids = T.match_buffer(token_ids_handle, (num_token,), "int32")
        logit_bias = T.match_buffer(logit_bias_handle, (num_token,), "float32")
        for block in loops.blocks((num_token + (threads - 1)) // threads):
            for thread in loops.threads(threads):
                with T.sblock("logit_bias"):
                    v = T.axis.spatial(num_token, block * threads + thread)
                    T.where(block * threads + thread < num_token)
                    logits[pos2seq_id[v], token_ids[v]] = (
                        logits[pos2seq_id[v], token_ids[v]] + logit_bias[v]
                    )

    return apply_logit_bias


def _penalty(loops: ThreadLoops) -> tirx.PrimFunc:
    """``(logits, seq_ids, pos2seq_id, token_ids, token_cnt, penalties)``.

    ``penalties`` is float32 ``(num_seq, 3)``: presence, frequency and repetition penalty. A
    token's logit loses presence + count * frequency, and is then divided by the repetition
    penalty if positive, multiplied by it if negative. ``pos2seq_id`` maps a token to a row of
    ``penalties``, ``seq_ids`` that to a row of ``logits``.
    """
    threads = loops.count

    @T.prim_func(private=True, s_tir=True)
    def apply_penalty(
        logits_handle: T.handle,
        seq_ids_handle: T.handle,
        pos2seq_id_handle: T.handle,
        token_ids_handle: T.handle,
        token_cnt_handle: T.handle,
        penalties_handle: T.handle,
    ):
        T.func_attr({"tirx.noalias": True})
        batch_size, vocab_size = T.int64(), T.int64()
        num_token, num_seq = T.int64(), T.int64()
        logits = T.match_buffer(logits_handle, (batch_size, vocab_size), "float32")
        seq_ids = T.match_buffer(seq_ids_handle, (num_seq,), "int32")
        pos2seq_id = T.match_buffer(pos2seq_id_handle, (num_token,), "int32")
        token_ids = T.match_buffer(token_ids_handle, (num_token,), "int32")
        token_cnt = T.match_buffer(token_cnt_handle, (num_token,), "int32")
        penalties = T.match_buffer(penalties_handle, (num_seq, 3), "float32")
        for block in loops.blocks((num_token + (threads - 1)) // threads):
            for thread in loops.threads(threads):
                with T.sblock("penalty"):
                    v = T.axis.spatial(num_token, block * threads + thread)
                    T.where(block * threads + thread < num_token)
                    logits[seq_ids[pos2seq_id[v]], token_ids[v]] = (
                        logits[seq_ids[pos2seq_id[v]], token_ids[v]]
                        - penalties[pos2seq_id[v], 0]
                        - T.Cast("float32", token_cnt[v]) * penalties[pos2seq_id[v], 1]
                    )
                    logits[seq_ids[pos2seq_id[v]], token_ids[v]] = T.if_then_else(
                        logits[seq_ids[pos2seq_id[v]], token_ids[v]] < T.float32(0),
                        logits[seq_ids[pos2seq_id[v]], token_ids[v]] * penalties[pos2seq_id[v], 2],
                        logits[seq_ids[pos2seq_id[v]], token_ids[v]] / penalties[pos2seq_id[v], 2],
                    )

    return apply_penalty


def _bitmask(loops: ThreadLoops) -> tirx.PrimFunc:
    """``(logits, seq_ids, bitmask)``: gives tokens whose bit is 0 the lowest float.

    ``bitmask`` is int32 ``(batch_size, ceil(vocab_size / 32))``, the lowest bit first.
    """
    threads = loops.count

    @T.prim_func(private=True, s_tir=True)
    def apply_bitmask(logits_handle: T.handle, seq_ids_handle: T.handle, bitmask_handle: T.handle):
        T.func_attr({"tirx.noalias": True})
        batch_size, vocab_size, num_seq = T.int64(), T.int64(), T.int64()
        logits = T.match_buffer(logits_handle, (batch_size, vocab_size), "float32")
        seq_ids = T.match_buffer(seq_ids_handle, (num_seq,), "int32")
        bitmask = T.match_buffer(bitmask_handle, (batch_size, (vocab_size + 31) // 32), "int32")
        for block in loops.blocks((num_seq * vocab_size + (threads - 1)) // threads):
            for thread in loops.threads(threads):
                with T.sblock("bitmask"):
                    vs = T.axis.spatial(num_seq, (block * threads + thread) // vocab_size)
                    vt = T.axis.spatial(vocab_size, (block * threads + thread) % vocab_size)
                    T.where(block * threads + thread < num_seq * vocab_size)
                    logits[seq_ids[vs], vt] = T.if_then_else(
                        T.bitwise_and(
                            T.shift_right(bitmask[seq_ids[vs], vt // 32], T.Cast("int32", vt % 32)),
                            1,
                        )
                        == 1,
                        logits[seq_ids[vs], vt],
                        T.min_value("float32"),
                    )

    return apply_bitmask
