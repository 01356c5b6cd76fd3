"""The chat without a model: arguments, package lookup, text that appears byte by byte, sampling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from examples.quickstart import text
from examples.quickstart.chat import Speed, generate, parse_arguments
from examples.quickstart.package_models import find_model
from examples.quickstart.sampler import sample
from tools.cli import UserError

MODEL = Path(__file__).parents[3] / "examples" / "quickstart" / "model"
TEMPLATE = json.loads((MODEL / "mlc-chat-config.json").read_text("utf-8"))["conv_template"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """The shipped model's tokenizer."""
    return text.load_tokenizer(MODEL)


def make_package(folder: Path, device: str = "cpu", bundle: bool = True) -> Path:
    """A package of the models `one` and `two` with empty libraries."""
    models = [{"model_id": name, "model_lib": f"lib_{name}"} for name in ("one", "two")]
    libraries = [
        {"model_lib": model["model_lib"], "path": f"lib/{model['model_lib']}.so"}
        for model in models
    ]
    (folder / "lib").mkdir()
    (folder / "bundle").mkdir()
    for model in models:
        (folder / "lib" / f"{model['model_lib']}.so").touch()
        if bundle:
            (folder / "bundle" / model["model_id"]).mkdir()
            (folder / "bundle" / model["model_id"] / "mlc-chat-config.json").write_text("{}")
    manifest = {"device": device, "libraries": libraries, "models": models}
    (folder / "package-manifest.json").write_text(json.dumps(manifest))
    return folder


def test_find_model(tmp_path: Path) -> None:
    """The manifest names the library; the first model is the default."""
    package = make_package(tmp_path)
    assert find_model(package).model_id == "one"
    model = find_model(package, "two")
    assert model.library == tmp_path / "lib" / "lib_two.so"
    assert model.weights == tmp_path / "bundle" / "two"


def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """A typing mistake must be easy to mend."""
    with pytest.raises(UserError, match=r"--model-id three: .*known models: one, two"):
        find_model(make_package(tmp_path), "three")


def test_a_missing_package_names_the_build_command(tmp_path: Path) -> None:
    """Nothing was built yet."""
    with pytest.raises(UserError, match=r"--package .*nothing: .*bazelw build"):
        find_model(tmp_path / "nothing")


def test_a_package_for_another_device_is_refused(tmp_path: Path) -> None:
    """An Android archive cannot run here."""
    with pytest.raises(UserError, match="built for android"):
        find_model(make_package(tmp_path, device="android"))


def test_missing_weights_and_library_are_named(tmp_path: Path) -> None:
    """A package without bundled weights, or cut short, gives one line."""
    package = make_package(tmp_path, bundle=False)
    with pytest.raises(UserError, match="no weights of one"):
        find_model(package)
    (package / "lib" / "lib_one.so").unlink()
    with pytest.raises(UserError, match=r"lib_one\.so: missing"):
        find_model(package)


def test_broken_json_is_a_users_mistake(tmp_path: Path) -> None:
    """A damaged manifest gives one line."""
    (tmp_path / "package-manifest.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        find_model(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--package", "p"], "--prompt"),
        (["--package", "p", "--prompt", "x", "--max-tokens", "0"], "--max-tokens 0: too small"),
        (["--package", "p", "--prompt", "x", "--temperature", "-1"], "--temperature -1.0: out of"),
        (["--package", "p", "--prompt", "x", "--temperature", "nan"], "--temperature nan: out of"),
        (["--package", "p", "--prompt", "x", "--top-p", "0"], "--top-p 0.0: out of range"),
        (["--package", "p", "--prompt", "x", "--top-p", "much"], "argument --top-p: invalid"),
        (["--package", "p", "--prompt", "x", "--seed", "-1"], "--seed -1: negative"),
        (["--package", "p", "--prompt", "x", "--loud"], "unrecognized arguments: --loud"),
    ],
)
def test_wrong_arguments_give_one_line(arguments: list[str], message: str) -> None:
    """No usage text, no traceback."""
    with pytest.raises(UserError) as error:
        parse_arguments(arguments)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("message", ["", "  \n"])
def test_an_empty_prompt_is_refused(tokenizer: Tokenizer, message: str) -> None:
    """There is nothing to continue."""
    with pytest.raises(UserError, match="--prompt: empty"):
        text.prompt_tokens(tokenizer, TEMPLATE, message)


def test_a_prompt_that_is_not_utf8_is_refused(tokenizer: Tokenizer) -> None:
    """Bytes of another encoding arrive as lone surrogates."""
    with pytest.raises(UserError, match="not valid UTF-8"):
        text.prompt_tokens(tokenizer, TEMPLATE, b"caf\xe9".decode("utf-8", "surrogateescape"))


def test_the_prompt_starts_with_the_templates_prefix(tokenizer: Tokenizer) -> None:
    """The model saw `<s>` before every story."""
    ids = text.prompt_tokens(tokenizer, TEMPLATE, "Once upon a time")
    assert ids[0] == 1 and tokenizer.decode(ids[1:]) == "Once upon a time"


def test_a_chat_template_frames_the_message() -> None:
    """Templates with roles work as MLC LLM builds their prompt."""
    template: dict[str, Any] = TEMPLATE | {
        "system_template": "<sys>{system_message}</sys>",
        "system_message": "Be kind.",
        "roles": {"user": "USER", "assistant": "BOT"},
        "seps": [" "],
        "role_content_sep": ": ",
        "role_empty_sep": ":",
    }
    assert text.templated(template, "Hi") == "<sys>Be kind.</sys>USER: Hi BOT:"
    template["add_role_after_system_message"] = False
    assert text.templated(template, "Hi") == "<sys>Be kind.</sys>Hi BOT:"


def test_stop_tokens_join_template_and_config() -> None:
    """`eos_token_id` is a number or a list."""
    template = {"stop_token_ids": [5]}
    assert text.stop_tokens({"eos_token_id": 2, "conv_template": template}) == {2, 5}
    assert text.stop_tokens({"eos_token_id": [2, 3], "conv_template": {}}) == {2, 3}


def test_the_stream_never_writes_half_a_character(tokenizer: Tokenizer) -> None:
    """A character of several tokens appears whole, with its last token."""
    sentence = "Ein Käfer 🐞 fliegt, 漢字!"
    stream = text.TextStream(tokenizer)
    ids = tokenizer.encode(sentence).ids
    pieces = [stream.push(token) for token in ids]
    assert len(ids) > len(sentence)
    assert "".join(pieces) == sentence and stream.finish() == ""
    assert "\ufffd" not in "".join(pieces) and "" in pieces


def test_the_stream_marks_a_character_that_was_never_finished(tokenizer: Tokenizer) -> None:
    """The end of the context may cut a character."""
    stream = text.TextStream(tokenizer)
    first = tokenizer.encode("🐞").ids[0]
    assert stream.push(first) == "" and stream.finish() == "\ufffd"


def test_the_stream_skips_special_tokens(tokenizer: Tokenizer) -> None:
    """`<s>` is no text, nor is an id without a token."""
    stream = text.TextStream(tokenizer)
    assert [stream.push(token) for token in (0, 1, 2, 10**6)] == ["", "", "", ""]


def test_sampling() -> None:
    """Greedy at 0, never outside the nucleus, all tokens at top_p 1, equal for equal seeds."""
    logits = np.log(np.array([0.1, 0.5, 0.15, 0.25], np.float32))
    assert sample(logits, 0, 1.0, np.random.default_rng(0)) == 1

    def draw(top_p: float, temperature: float = 1.0) -> list[int]:
        generator = np.random.default_rng(1)
        return [sample(logits, temperature, top_p, generator) for _ in range(2000)]

    assert set(draw(0.5)) == {1}
    assert set(draw(0.7)) == {1, 3}
    assert draw(1.0) == draw(1.0)
    counts = np.bincount(draw(1.0), minlength=4) / 2000
    assert np.abs(counts - [0.1, 0.5, 0.15, 0.25]).max() < 0.05
    assert draw(1.0, temperature=1e-4) == [1] * 2000


class CountingEngine:
    """Stands for the model: says that the token after n is n + 1, and notes what it was given."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []

    def prefill(self, tokens: list[int]) -> np.ndarray:
        """Logits after a prompt."""
        self.given.append(list(tokens))
        return np.eye(64)[tokens[-1] + 1]

    def decode(self, token: int) -> np.ndarray:
        """Logits after a token."""
        return self.prefill([token])


def test_generation_feeds_each_token_back() -> None:
    """The limit counts written tokens; the last one is not run through the model for nothing."""
    engine, speed = CountingEngine(), Speed()
    tokens = generate(engine, [7, 8, 9], 4, lambda logits: int(logits.argmax()), speed)
    assert list(tokens) == [10, 11, 12, 13]
    assert engine.given == [[7, 8, 9], [10], [11], [12]]
    assert (speed.prefill_tokens, speed.decode_tokens) == (3, 3)
    assert str(speed).startswith("prefill: 3 tokens, ")
