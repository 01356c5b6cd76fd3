"""Provider: a verified set of model weights."""

MlcWeightInfo = provider(
    doc = "The weights, tokenizer and chat config of one model. Consumers read the manifest, never the weights.",
    fields = {
        "chat_config": "File: mlc-chat-config.json.",
        "directory": "File or None: the whole of `bundle/<model_id>/`, a tree artifact, in place of files.",
        "files": """list[struct(path = str, file = File)]: every file under its name inside `bundle/<model_id>/`; \
none where there is a directory.""",
        "manifest": "File: JSON; sha256 and size in bytes of every file, name, shape and dtype of every parameter.",
    },
)
