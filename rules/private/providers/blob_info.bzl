"""Provider: a file of the Hugging Face Hub that an action fetches."""

MlcBlobInfo = provider(
    doc = "Bytes that are known by their sha256 before they are there.",
    fields = {
        "digest": "File: JSON with nbytes and sha256.",
        "file": "File: the bytes.",
    },
)
