"""mlc-chat-config.json is what upstream's gen_config makes of the same checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools import config
from tools.cli import UserError
from tools.gen_config.__main__ import main
from tools.gen_config.chat_config import conv_template, conv_templates
from tools.gen_config.tokenizer import tokenizer_info, vocab_size

CONFIG = {
    "model_type": "llama",
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 100,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-5,
    "bos_token_id": 5,
    "eos_token_id": 6,
    "rope_parameters": {"rope_theta": 500000.0, "rope_type": "default"},
}

TOKENIZER = {
    "added_tokens": [{"id": 2, "content": "<|end|>"}, {"id": 0, "content": "a"}],
    "normalizer": {
        "type": "Sequence",
        "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace"}],
    },
    "decoder": {
        "type": "Sequence",
        "decoders": [
            {"type": "ByteFallback"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    },
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}},
}


class Checkpoint:
    """Files of a checkpoint, and the command that reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Any] = {"tokenizer.json": TOKENIZER}
        self.config: Any = dict(CONFIG)

    def run(self, *arguments: str, template: str = "chatml") -> dict[str, Any]:
        """Writes the files, runs the command and returns the chat config."""
        (self.folder / "config.json").write_text(json.dumps(self.config))
        output = self.folder / "mlc-chat-config.json"
        command = ["--config", str(self.folder / "config.json"), "--quantization", "q4f16_1"]
        for name, value in self.files.items():
            (self.folder / name).write_text(json.dumps(value))
            command += ["--file", name, str(self.folder / name)]
        command += ["--conv-template", template, "--output", str(output), *arguments]
        main(command)
        return json.loads(output.read_text())


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path)


def test_fields_in_upstreams_order(checkpoint):
    """Sizes, defaults of generation, tokenizer and template, as upstream writes them."""
    found = checkpoint.run()
    model_config = found.pop("model_config")
    assert model_config["position_embedding_base"] == 500000
    assert model_config["max_batch_size"] == 128
    template = found.pop("conv_template")
    assert list(found.items()) == [
        ("version", "0.1.0"),
        ("model_type", "llama"),
        ("quantization", "q4f16_1"),
        ("vocab_size", 300),
        ("context_window_size", 4096),
        ("sliding_window_size", -1),
        ("prefill_chunk_size", 4096),
        ("attention_sink_size", -1),
        ("tensor_parallel_shards", 1),
        ("pipeline_parallel_stages", 1),
        ("active_vocab_size", 3),
        ("temperature", 1.0),
        ("presence_penalty", 0.0),
        ("frequency_penalty", 0.0),
        ("repetition_penalty", 1.0),
        ("top_p", 1.0),
        ("tokenizer_files", ["tokenizer.json"]),
        (
            "tokenizer_info",
            {
                "token_postproc_method": "byte_fallback",
                "prepend_space_in_encode": True,
                "strip_space_in_decode": True,
            },
        ),
        ("pad_token_id", 0),
        ("bos_token_id", 5),
        ("eos_token_id", 6),
        ("model_task", "chat"),
        ("embedding_metadata", None),
    ]
    assert template["roles"] == {"user": "<|im_start|>user", "assistant": "<|im_start|>assistant"}
    assert template["system_prefix_token_ids"] is None


def test_the_result_compiles_to_the_same_key(checkpoint):
    """A library of the chat config is one of the checkpoint, whichever device it is for."""
    chat_config = checkpoint.run("--overrides", '{"context_window_size": 512}')
    key = config.build_key(chat_config, "android")
    assert key.model_config == {
        **chat_config["model_config"],
        "active_vocab_size": 3,
        **_nulls(key),
    }
    assert key.model_config["context_window_size"] == 512
    assert key.notes == ()


def _nulls(key) -> dict[str, None]:
    return {name: None for name, value in key.model_config.items() if value is None}


def test_generation_config_comes_before_config(checkpoint):
    """Values of either are taken, null is none."""
    checkpoint.config |= {"top_p": 0.5, "temperature": 0.4}
    checkpoint.files["generation_config.json"] = {
        "eos_token_id": [6, 7],
        "temperature": 0.6,
        "top_p": None,
        "do_sample": True,
    }
    found = checkpoint.run()
    assert (found["eos_token_id"], found["bos_token_id"]) == ([6, 7], 5)
    assert (found["temperature"], found["top_p"]) == (0.6, 0.5)
    assert "do_sample" not in found


def test_files_of_a_tokenizer(checkpoint):
    """All that an app may need, in upstream's order; no file of another kind."""
    names = ["tokenizer_config.json", "tokenizer.model", "generation_config.json"]
    checkpoint.files |= {name: {} for name in names}
    expected = ["tokenizer.model", "tokenizer.json", "tokenizer_config.json"]
    assert checkpoint.run()["tokenizer_files"] == expected


@pytest.mark.parametrize(
    ("decoder", "method"),
    [
        ({"type": "ByteLevel"}, "byte_level"),
        (None, "byte_fallback"),
        ({"type": "X"}, "byte_fallback"),
    ],
)
def test_other_decoders(checkpoint, decoder, method):
    """A decoder that is no sequence, an unknown one, and none."""
    checkpoint.files["tokenizer.json"] = {**TOKENIZER, "decoder": decoder, "normalizer": None}
    assert checkpoint.run()["tokenizer_info"] == {
        "token_postproc_method": method,
        "prepend_space_in_encode": False,
        "strip_space_in_decode": False,
    }


@pytest.mark.parametrize("name", conv_templates())
def test_templates(name):
    """Each has roles, one or two separators, and text that a prompt can be made of."""
    template = conv_template(name, "x")
    assert template["name"] == name
    assert {"user", "assistant"} <= set(template["roles"])
    assert len(template["seps"]) in (1, 2)
    assert "{user_message}" in template["role_templates"]["user"]
    assert all(isinstance(token, int) for token in template["stop_token_ids"])


@pytest.mark.parametrize("tokens", [7, [7], [{}], [{"content": []}]])
def test_added_tokens_that_are_none(tokens):
    with pytest.raises(UserError, match=r"t\.json: \$\.added_tokens: expected a list of objects"):
        vocab_size({**TOKENIZER, "added_tokens": tokens}, "t.json")


@pytest.mark.parametrize("wrong", [None, 7, [], {}, ["x"], [{"type": []}]])
def test_parts_of_a_tokenizer_that_are_none(wrong):
    """What it decodes with is then unknown, as it is of a tokenizer without these parts."""
    without = tokenizer_info({})
    for part, steps in (("decoder", "decoders"), ("normalizer", "normalizers")):
        assert tokenizer_info({part: wrong}) == without
        assert tokenizer_info({part: {"type": "Sequence", steps: wrong}}) == without


def test_errors(checkpoint):
    """Each is one line that says where, and how to mend it."""
    with pytest.raises(UserError, match=r"//a:b conv_template: unknown .* \"chatm\"; .*chatml"):
        checkpoint.run("--where", "//a:b", template="chatm")
    with pytest.raises(UserError, match=r"//a:b overrides\.context_window_size: expected"):
        checkpoint.run("--where", "//a:b", "--overrides", '{"context_window_size": 0}')
    added = {"added_tokens": TOKENIZER["added_tokens"] * 2}
    checkpoint.files["tokenizer.json"] = {**TOKENIZER, **added}
    with pytest.raises(UserError, match=r"tokenizer\.json: \$\.added_tokens: '<\|end\|>' appears"):
        checkpoint.run()
    checkpoint.files = {"tokenizer.model": {}}
    with pytest.raises(UserError, match=r"//a:b: has no tokenizer\.json; make one with"):
        checkpoint.run("--where", "//a:b")
    del checkpoint.config["hidden_size"]
    with pytest.raises(UserError, match=r"config\.json: \$\.hidden_size: missing; expected"):
        checkpoint.run()
    checkpoint.config["quantization_config"] = {"quant_method": "gptq"}
    with pytest.raises(UserError, match=r"config\.json: \$\.quantization_config: .* \(gptq\)"):
        checkpoint.run()
    del checkpoint.config["quantization_config"], checkpoint.config["model_type"]
    with pytest.raises(UserError, match=r"config\.json: \$\.model_type: missing; expected"):
        checkpoint.run()
