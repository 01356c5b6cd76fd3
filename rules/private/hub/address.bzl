"""What of a user's variables may be given to Bazel's downloader, which prints what it cannot use."""

# Printable ASCII without the space.
_PLAIN = [c for c in "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~".elems()]

def is_header(text):
    """Whether a text can be the value of an HTTP header.

    Args:
      text: str.

    Returns:
      bool.
    """
    return not [c for c in text.elems() if c not in _PLAIN]

def is_address(endpoint):
    """Whether an endpoint is an http(s) address without user, password, query and fragment.

    Args:
      endpoint: str, without a slash at its end.

    Returns:
      bool.
    """
    scheme, separator, rest = endpoint.partition("://")
    if scheme not in ["http", "https"] or not separator or not is_header(rest):
        return False
    if [c for c in rest.elems() if c in "@?#"]:
        return False
    host = rest.partition("/")[0]
    name, colon, port = host.rpartition(":")
    if host.startswith("["):
        return host.count("]") == 1 and (host.endswith("]") or (name.endswith("]") and port.isdigit()))
    return bool(name) and port.isdigit() if colon else bool(host) and "[" not in host
