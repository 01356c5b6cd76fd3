"""What users give as a checkpoint."""

load(":label.bzl", "label_of")

def checkpoint_labels(name, checkpoint):
    """The labels of a checkpoint.

    Args:
      name: The target's name.
      checkpoint: A label, or a list of labels.

    Returns:
      list of labels.
    """
    if type(checkpoint) != "list":
        return [checkpoint]
    if not checkpoint:
        fail("{}: attribute checkpoint: no files; give config.json and the weights".format(label_of(name)))
    return checkpoint
