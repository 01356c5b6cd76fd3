"""The families and quantizations that the compiler has; what each is is in tools/config."""

load(":messages.bzl", "nearest")

# A test keeps these equal to what tools/config has.
FAMILIES = [
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3_text",
    "gpt2",
    "gpt_bigcode",
    "gpt_neox",
    "internlm2",
    "llama",
    "mistral",
    "mixtral",
    "olmo2",
    "phi",
    "phi-msft",
    "phi3",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "qwen3_moe",
    "stablelm",
    "starcoder2",
]

QUANTIZATIONS = [
    "q0bf16",
    "q0f16",
    "q0f32",
    "q3f16_0",
    "q3f16_1",
    "q4bf16_1",
    "q4f16_0",
    "q4f16_1",
    "q4f32_1",
]

# Quantizations that families have no packing for.
LACKING = {
    "mixtral": ["q3f16_0", "q4f16_0"],
    "qwen2_moe": ["q3f16_0", "q4f16_0"],
    "qwen3_moe": ["q3f16_0", "q4f16_0"],
}

def checkpoint_error(where, quantization, model_type):
    """What is wrong with what a checkpoint is to be converted to.

    A select() is not known while a BUILD file loads; the tools check what it chooses.

    Args:
      where: str, the target.
      quantization: str.
      model_type: str, or None where config.json names the family.

    Returns:
      str or None: a message.
    """
    if model_type and type(model_type) == "string" and model_type not in FAMILIES:
        return '{}: attribute model_type: no family "{}"{}'.format(where, model_type, nearest(model_type, FAMILIES))
    if type(quantization) != "string":
        return None
    if quantization not in QUANTIZATIONS:
        return '{}: attribute quantization: no quantization "{}"{}'.format(where, quantization, nearest(quantization, QUANTIZATIONS))
    lacking = LACKING.get(model_type, []) if type(model_type) == "string" else []
    if quantization in lacking:
        return "{}: attribute quantization: {} has no {}; expected one of {}".format(
            where,
            model_type,
            quantization,
            ", ".join([name for name in QUANTIZATIONS if name not in lacking]),
        )
    return None
