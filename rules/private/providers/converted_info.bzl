"""Provider: weights that the build itself converts."""

MlcConvertedInfo = provider(
    doc = "Shards and their tensor-cache.json. How many there are is known when they are made, so they are one directory.",
    fields = {
        "digests": "File: JSON; nbytes, md5 and sha256 of each file of the directory, by its name.",
        "directory": "File: the directory, a tree artifact.",
        "tensor_cache": "File: a copy of tensor-cache.json, for those that need no weights.",
    },
)
