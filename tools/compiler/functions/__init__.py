"""Functions of a library beside the model's own, one module each."""
