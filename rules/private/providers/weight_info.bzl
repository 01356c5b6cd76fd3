"""Provider: a verified set of model weights."""

MlcWeightInfo = provider(
    doc = "The weights, tokenizer and chat config of one model. Consumers read the manifest, never the weights.",
    fields = {
        "chat_config": "File: mlc-chat-config.json.",
        "files": "list[struct(path = str, file = File)]: every file under its name inside bundle/<model_id>/.",
        "manifest": "File: JSON; sha256 and size in bytes of every file, name, shape and dtype of every parameter.",
    },
)
