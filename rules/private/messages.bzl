"""What messages about attributes share."""

def edit_distance(a, b):
    """Levenshtein distance of two strings.

    Args:
      a: str.
      b: str.

    Returns:
      int: the least number of insertions, deletions and substitutions.
    """
    row = list(range(len(b) + 1))
    for i in range(len(a)):
        last, row = row, [i + 1]
        for j in range(len(b)):
            row.append(min(last[j] + (0 if a[i] == b[j] else 1), last[j + 1] + 1, row[j] + 1))
    return row[-1]

def nearest(name, known):
    """A suggestion for a misspelt name.

    Args:
      name: What the user wrote.
      known: list[str] of what exists.

    Returns:
      str: "; did you mean X?" where something is near, then all that is known.
    """
    near = sorted([(edit_distance(str(name), k), k) for k in known])[:1]
    hint = "; did you mean {}?".format(near[0][1]) if near and near[0][0] <= max(2, len(str(name)) // 3) else ""
    return "{} (known: {})".format(hint, ", ".join(known))

def first_error(*errors):
    """Fails with the first error there is.

    Args:
      *errors: What functions that check an attribute return: a message, or None.
    """
    for error in errors:
        if error:
            fail(error)

def string_error(where, attribute, value, example):
    """What is wrong with the type of a value.

    Args:
      where: str, the target.
      attribute: str.
      value: What the user wrote.
      example: str that would do.

    Returns:
      str or None: a message where the value is no string.
    """
    if type(value) == "string":
        return None
    return "{}: attribute {}: expected a string such as {}, got {}".format(where, attribute, repr(example), repr(value))
