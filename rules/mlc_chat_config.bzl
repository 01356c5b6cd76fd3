"""Public rule: the chat config of a checkpoint, with its tokenizer."""

load("//rules/private:checkpoint_labels.bzl", "checkpoint_labels")
load("//rules/private:checks.bzl", "overrides_error")
load("//rules/private:gen_config.bzl", _mlc_chat_config = "mlc_chat_config")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:models.bzl", "checkpoint_error")

def mlc_chat_config(
        name,
        checkpoint,
        quantization,
        conv_template,
        model_type = None,
        context_window_size = None,
        sliding_window_size = None,
        prefill_chunk_size = None,
        attention_sink_size = None,
        max_batch_size = None,
        tensor_parallel_shards = None,
        pipeline_parallel_stages = None,
        **kwargs):
    """Makes mlc-chat-config.json of a Hugging Face checkpoint, as `mlc_llm gen_config` does.

    Fields come from config.json, generation_config.json and tokenizer.json; the weights are not read. The default
    output is mlc-chat-config.json and links to the tokenizer's files. It is what attribute `config` of mlc_model_lib
    takes, and with the target of an mlc_convert_weight what `srcs` of mlc_weight_bundle takes.

    There must be a tokenizer.json. Upstream makes one of tokenizer.model or *.tiktoken by the package transformers;
    here that is left to you.

    Args:
      name: str: the target's name; the files are in a directory of this name.
      checkpoint: label, or list[label]: the files, as in mlc_convert_weight.
      quantization: str: one of those of docs/models.md, such as `q4f16_1`.
      conv_template: str: the conversation template, such as `llama-3`, `chatml` or `LM` (text without roles); an
        unknown one is an error that names the nearest.
      model_type: str: the family, one of those of docs/models.md. If not given, the one that config.json names.
      context_window_size: int: tokens, 1 or more. If not given, config.json's.
      sliding_window_size: int: tokens, 1 or more. If not given, config.json's, if it has one.
      prefill_chunk_size: int: tokens, 1 or more. If not given, what upstream derives from the window or the context.
      attention_sink_size: int: tokens that stay visible in front of a sliding window, 0 or more.
      max_batch_size: int: sequences at a time, 1 or more. If not given, 128, as upstream has it.
      tensor_parallel_shards: int: devices that share a layer, 1 or more.
      pipeline_parallel_stages: int: devices that share the layers, 1 or more.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    given = {
        "attention_sink_size": attention_sink_size,
        "context_window_size": context_window_size,
        "max_batch_size": max_batch_size,
        "pipeline_parallel_stages": pipeline_parallel_stages,
        "prefill_chunk_size": prefill_chunk_size,
        "sliding_window_size": sliding_window_size,
        "tensor_parallel_shards": tensor_parallel_shards,
    }
    overrides = {field: value for field, value in given.items() if value != None}
    where = label_of(name)
    first_error(
        checkpoint_error(where, quantization, model_type),
        overrides_error(where, overrides),
    )
    _mlc_chat_config(
        name = name,
        checkpoint = checkpoint_labels(name, checkpoint),
        conv_template = conv_template,
        model_type = model_type or "",
        overrides = json.encode(overrides),
        quantization = quantization,
        **kwargs
    )
