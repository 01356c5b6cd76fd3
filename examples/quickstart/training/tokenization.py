"""The byte-level BPE tokenizer of the model, trained on the stories."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
PAD_ID, BOS_ID, EOS_ID = 0, 1, 2


def train(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Trains a tokenizer.

    Args:
        texts: what to learn the merges from.
        vocab_size: tokens in all, the three special ones and 256 bytes included.

    Returns:
        A tokenizer whose ids 0, 1 and 2 are `<pad>`, `<s>` and `</s>`; it adds none by itself.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def settings(context_window_size: int) -> dict[str, object]:
    """The contents of tokenizer_config.json."""
    return {
        "add_bos_token": False,
        "add_eos_token": False,
        "add_prefix_space": False,
        "bos_token": BOS,
        "clean_up_tokenization_spaces": False,
        "eos_token": EOS,
        "model_max_length": context_window_size,
        "pad_token": PAD,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def save(tokenizer: Tokenizer, path: Path) -> None:
    """Writes tokenizer.json."""
    path.write_text(tokenizer.to_str(pretty=True) + "\n", encoding="utf-8")
