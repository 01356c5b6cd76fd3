"""Protects the build from checkpoint to package: what is made, and which edits make what anew."""

from __future__ import annotations

import json
import os

from tests.integration.conftest import TINY_CONFIG

BUILD = """\
load("@rules_mlc//rules:defs.bzl", "mlc_chat_config", "mlc_convert_weight", "mlc_model")
load("@rules_mlc//rules:defs.bzl", "mlc_model_lib", "mlc_package", "mlc_weight_bundle")

CHECKPOINT = glob(["tiny/**"])
mlc_chat_config(
    name = "chat", checkpoint = CHECKPOINT, quantization = "q4f16_1", conv_template = "LM",
    prefill_chunk_size = 32, max_batch_size = 2)
mlc_convert_weight(name = "converted", checkpoint = CHECKPOINT, quantization = "q4f16_1")
mlc_model_lib(name = "lib", config = ":chat")
mlc_weight_bundle(name = "bundle", srcs = [":chat", ":converted"])
mlc_model(name = "tiny", lib = ":lib", weights = ":bundle")
mlc_package(name = "pkg", device = "android", models = [":tiny"])
mlc_weight_bundle(name = "raw", srcs = CHECKPOINT)
"""

UNKNOWN = """\
load("@rules_mlc//rules:defs.bzl", "mlc_convert_weight")
mlc_convert_weight(name = "unknown", checkpoint = ["config.json"], quantization = "q5f16_1")
"""

CONFIG = {
    **{k: v for k, v in TINY_CONFIG["model_config"].items() if k != "context_window_size"},
    "model_type": "llama",
    "max_position_embeddings": 64,
}
TOKENIZER = {"added_tokens": [], "model": {"vocab": {f"t{n}": n for n in range(500)}}}


def write_weights(workspace, last: int = 1) -> None:
    """Writes a checkpoint whose weights are 0, but for the last byte of the last one."""
    size, inner, groups = 128, 256, 64
    shapes = {"lm_head": [512, size], "model.embed_tokens": [512, size], "model.norm": [size]}
    for layer in range(2):
        prefix = f"model.layers.{layer}."
        rows = {"q_proj": size, "k_proj": groups, "v_proj": groups, "o_proj": size}
        shapes |= {f"{prefix}self_attn.{name}": [count, size] for name, count in rows.items()}
        shapes |= {f"{prefix}mlp.{name}_proj": [inner, size] for name in ("gate", "up")}
        shapes |= {f"{prefix}mlp.down_proj": [size, inner]}
        shapes |= {f"{prefix}{name}_layernorm": [size] for name in ("input", "post_attention")}
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[f"{name}.weight"] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    data = bytes(end - 1) + bytes([last])
    path = workspace.root / "tiny/model.safetensors"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_from_checkpoint_to_package(new_workspace):
    workspace = new_workspace()
    workspace.write("BUILD.bazel", BUILD)
    workspace.write("tiny/config.json", json.dumps(CONFIG))
    workspace.write("tiny/tokenizer.json", json.dumps(TOKENIZER))
    workspace.write("tiny/README.md", "of the model")
    write_weights(workspace)

    first = workspace.bazel("run", "//:pkg")
    assert (
        first.ran("MlcConvertWeight") == first.ran("MlcChatConfig") == first.ran("MlcBundle") == 1
    )
    bundle = workspace.root / "dist/bundle/tiny"
    names = ["mlc-chat-config.json", "params_shard_0.bin", "tensor-cache.json", "tokenizer.json"]
    assert sorted(path.name for path in bundle.iterdir()) == names
    chat_config = json.loads((bundle / "mlc-chat-config.json").read_text())
    assert (chat_config["active_vocab_size"], chat_config["prefill_chunk_size"]) == (500, 32)
    # The shard is one file, linked from the conversion to the app.
    assert os.stat(bundle / "params_shard_0.bin").st_nlink == 3
    assert workspace.bazel("build", "//:pkg").actions == []

    workspace.write("tiny/generation_config.json", json.dumps({"temperature": 0.3}))
    edited = workspace.bazel("build", "//:pkg")
    assert edited.ran("MlcChatConfig") == 1
    assert edited.ran("MlcConvertWeight") == edited.ran("MlcCompile") == 0

    write_weights(workspace, last=2)
    edited = workspace.bazel("build", "//:pkg")
    assert edited.ran("MlcConvertWeight") == 1
    assert (
        edited.ran("MlcChatConfig") == edited.ran("MlcCompile") == edited.ran("MlcParameters") == 0
    )

    workspace.write("tiny/README.md", "edited")
    assert workspace.bazel("build", "//:pkg").actions == []

    workspace.write("other/BUILD.bazel", UNKNOWN)
    failed = workspace.bazel("build", "//other:unknown", check=False)
    (error,) = failed.errors()
    assert '//other:unknown: attribute quantization: no quantization "q5f16_1"; did you' in error
    failed = workspace.bazel("build", "//:raw", check=False)
    (error,) = failed.errors()
    assert "//:raw: attribute srcs: expected one mlc-chat-config.json, got 0" in error

    workspace.write("tiny/config.json", json.dumps({**CONFIG, "num_hidden_layers": 3}))
    failed = workspace.bazel("build", "//:converted", check=False)
    (error,) = failed.errors()
    assert error.startswith("error: //:converted: lacks model.layers.2.input_layernorm.weight, ")
