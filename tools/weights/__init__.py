"""Model weights: hashing files, and checking a converted model against its tensor-cache.json."""
