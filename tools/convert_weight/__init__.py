"""Converts a Hugging Face checkpoint to the weights of a library: tensor-cache.json and shards."""
