"""Layers of experts compute what they are defined to compute, whichever experts tokens choose."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import relax
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn import spec

from tests.numeric.numpy_layers import mixture_of_experts
from tests.numeric.weights import quantized
from tools import config
from tools.compiler.layers.kernel import kernel_cache
from tools.compiler.layers.mixture import MixtureOfExperts
from tools.compiler.pipeline import relax_pipeline
from tools.compiler.quantization import create_quantization

HIDDEN, INTERMEDIATE, MOST_TOKENS = 64, 80, 300
TOLERANCE = {"float32": 1e-5, "float16": 5e-3}


class Layer(nn.Module):
    """A layer of experts as a model with two functions."""

    def __init__(self, quantization, experts: int, chosen: int, renormalise: bool) -> None:
        super().__init__()
        self.moe = MixtureOfExperts(
            quantization,
            HIDDEN,
            INTERMEDIATE,
            experts,
            chosen,
            renormalise=renormalise,
            names=("up", "down"),
        )

    def one(self, x: nn.Tensor) -> nn.Tensor:
        return self.moe(x)

    def many(self, x: nn.Tensor) -> nn.Tensor:
        return self.moe(x)


class Case:
    """A compiled layer with random weights, and the same layer in numpy.

    Args:
        device: That of this machine.
        name: Of the quantization.
        experts: Number of experts.
        chosen: How many of them a token is sent to.
        renormalise: Whether a token's weights are made to sum to 1.
    """

    def __init__(self, device: str, name: str, experts: int, chosen: int, renormalise: bool):
        target = tvm.target.Target(config.device(device).target)
        self.quantization = create_quantization(name, target)
        self.dtype = self.quantization.model_dtype
        self.chosen, self.renormalise = chosen, renormalise
        layer = Layer(self.quantization, experts, chosen, renormalise)
        options = {"param_mode": "packed", "effect_mode": "none"}
        functions = {
            function: {"x": spec.Tensor([tokens, HIDDEN], self.dtype), "$": options}
            for function, tokens in (("one", 1), ("many", "tokens"))
        }
        with target, kernel_cache():
            mod, parameters = layer.export_tvm(spec.ModuleSpec.from_raw(functions, layer))
            mod = relax_pipeline(target, {"tokens": MOST_TOKENS}, {})(mod)
        self.machine = relax.VirtualMachine(
            relax.build(mod, target, relax_pipeline=None), tvm.cpu()
        )
        self.random = np.random.default_rng(0)
        shapes = {
            "gate": [experts, HIDDEN],
            "up": [experts, 2 * INTERMEDIATE, HIDDEN],
            "down": [experts, HIDDEN, INTERMEDIATE],
        }
        arrays, self.values = {}, {}
        for part, shape in shapes.items():
            if f"moe.{part}.weight" in dict(parameters):
                array = (self.random.standard_normal(shape) / 8).astype(self.dtype)
                arrays[f"moe.{part}.weight"] = array
                self.values[part] = array.astype(np.float64)
            else:
                stored, self.values[part] = quantized(self.random, shape, config.quantization(name))
                arrays[f"moe.{part}.q_weight"], arrays[f"moe.{part}.q_scale"] = stored
        self.arrays = {parameter: arrays[parameter] for parameter, _ in parameters}

    def run(self, function: str, x: np.ndarray) -> np.ndarray:
        weights = [tvm.runtime.tensor(array) for array in self.arrays.values()]
        return self.machine[function](tvm.runtime.tensor(x), weights).numpy()

    def tokens(self, number: int) -> np.ndarray:
        return self.random.standard_normal((number, HIDDEN)).astype(self.dtype)

    def expected(self, x: np.ndarray) -> np.ndarray:
        weights = (self.values[part] for part in ("gate", "up", "down"))
        x = x.astype(np.float64)
        return mixture_of_experts(x, *weights, self.chosen, renormalise=self.renormalise)

    def check(self, function: str, x: np.ndarray) -> None:
        result = self.run(function, x)
        assert np.abs(result - self.expected(x)).max() <= TOLERANCE[self.dtype]


CASES = [
    ("q0f32", 8, 2, True),
    ("q0f16", 16, 4, False),
    ("q3f16_1", 8, 2, True),
    ("q4f16_1", 60, 8, False),
    ("q4f32_1", 5, 1, True),
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(map(str, case)))
def case(request, cpu_device) -> Case:
    """A layer of each size and quantization."""
    return Case(cpu_device, *request.param)


def test_one_token(case):
    """Decoding, which reads only the weights of the chosen experts."""
    case.check("one", case.tokens(1))


@pytest.mark.parametrize("tokens", [1, 13, MOST_TOKENS])
def test_many_tokens(case, tokens):
    """Prefill, with more assignments than are counted together, and experts without a token."""
    case.check("many", case.tokens(tokens))


def test_all_tokens_to_the_same_experts(case):
    """Some experts have every row, the others none."""
    case.check("many", np.repeat(case.tokens(1), 37, 0))


def test_equal_logits(case, monkeypatch):
    """The first experts are chosen, as many as there are to be."""
    gate = np.zeros_like(case.arrays["moe.gate.weight"])
    monkeypatch.setitem(case.arrays, "moe.gate.weight", gate)
    monkeypatch.setitem(case.values, "gate", gate.astype(np.float64))
    case.check("many", case.tokens(5))


def test_tokens_that_are_not_numbers(case):
    """They choose some experts that exist, and leave other tokens alone."""
    x = case.tokens(6)
    x[2] = np.nan
    result = case.run("many", x)
    others = [0, 1, 3, 4, 5]
    assert np.abs(result[others] - case.expected(x[others])).max() <= TOLERANCE[case.dtype]
    assert np.isnan(result[2]).all()
