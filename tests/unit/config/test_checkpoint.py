"""config.json means the same in whichever version of transformers it was written."""

from __future__ import annotations

import pytest

from tools import config
from tools.cli import UserError

CLASSIC = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 100,
    "max_position_embeddings": 4096,
    "num_attention_heads": 4,
    "num_hidden_layers": 1,
    "rms_norm_eps": 1e-5,
    "vocab_size": 300,
}
SCALING = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def key(fields: dict, **options):
    return config.checkpoint_key(fields, "q4f16_1", **options)


@pytest.mark.parametrize(
    ("classic", "new"),
    [
        ({"rope_theta": 5e5}, {"rope_theta": 5e5, "rope_type": "default"}),
        (
            {"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", **SCALING}},
            {"rope_theta": 5e5, "rope_type": "llama3", **SCALING},
        ),
    ],
)
def test_rope_parameters(classic, new):
    """One object in place of three fields, since transformers 5."""
    assert key({**CLASSIC, "rope_parameters": new}) == key({**CLASSIC, **classic})


def test_long_rope_parameters():
    """phi3's share of rotated dimensions, original length and factors are in the object, too."""
    fields = {**CLASSIC, "model_type": "phi3", "num_key_value_heads": 2}
    scaling = {"long_factor": [1.0] * 4, "short_factor": [2.0] * 4}
    beside = {"partial_rotary_factor": 0.5, "original_max_position_embeddings": 64}
    new = {"rope_theta": 1e4, "rope_type": "longrope", **scaling, **beside}
    classic = {"rope_theta": 1e4, "rope_scaling": {"type": "longrope", **scaling}, **beside}
    assert key({**fields, "rope_parameters": new}) == key({**fields, **classic})


def test_model_types():
    """Phi 1's own name, and one that is given in place of the config's."""
    phi = {"vocab_size": 300, "n_embd": 64, "n_layer": 1, "n_head": 4, "rotary_dim": 8}
    assert key({**phi, "model_type": "mixformer-sequential"}).model_type == "phi-msft"
    assert key(CLASSIC, model_type="mistral").model_type == "mistral"


def test_errors_name_fields_where_they_stand():
    """At the top level, where mlc-chat-config.json has them in model_config."""
    with pytest.raises(UserError, match=r"^config\.json: \$\.hidden_size: expected a positive"):
        key({**CLASSIC, "hidden_size": "64"})
    with pytest.raises(UserError, match=r"^config\.json: \$\.model_type: unknown model_type"):
        key({**CLASSIC, "model_type": "lama"})
    with pytest.raises(UserError, match=r"^config\.json: \$: expected an object"):
        key([])
