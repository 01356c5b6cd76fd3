"""Provider: the files of a converted model, wherever they come from."""

MlcFilesInfo = provider(
    doc = "Files that need not lie in one directory, each with its place in the model's directory.",
    fields = {
        "files": """list[struct(path = str, file = File, digest = File or None)]: path is relative to the model's \
directory; digest is JSON with nbytes and sha256 where they are known already.""",
    },
)
