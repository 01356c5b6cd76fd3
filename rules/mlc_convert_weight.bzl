"""Public rule: a checkpoint's weights, quantized."""

load("//rules/private:checkpoint_labels.bzl", "checkpoint_labels")
load("//rules/private:convert_weight.bzl", _mlc_convert_weight = "mlc_convert_weight")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:models.bzl", "checkpoint_error")

def mlc_convert_weight(name, checkpoint, quantization, model_type = None, **kwargs):
    """Converts a Hugging Face checkpoint, as `mlc_llm convert_weight` does.

    `MlcParameters` finds what a library of the model takes; it reads config.json alone. `MlcConvertWeight` reads the
    weights, on several processors and in bounded memory, and writes the same bytes in every run. An edit of a tokenizer
    or of generation_config.json converts nothing.

    The default output is a directory: `tensor-cache.json` and `params_shard_*.bin`. Give it to an `mlc_weight_bundle`,
    with the target of an `mlc_chat_config`.

    Args:
      name: str: the target's name.
      checkpoint: label, or list[label]: the files: config.json and the weights beside it, in safetensors or else
        PyTorch's .bin (whose code is not run), in one file or several with their index; or a model of the Hugging Face
        Hub, such as `@phi2`. Files in other directories are left out.
      quantization: str: one of those of docs/models.md, such as `q4f16_1`, the same as the chat config's.
      model_type: str: the family, one of those of docs/models.md. If not given, the one that config.json names.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    first_error(checkpoint_error(label_of(name), quantization, model_type))
    _mlc_convert_weight(
        name = name,
        checkpoint = checkpoint_labels(name, checkpoint),
        model_type = model_type or "",
        quantization = quantization,
        **kwargs
    )
