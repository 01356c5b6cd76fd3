"""Provider: the Python environment that actions run in."""

MlcPythonInfo = provider(
    doc = "An interpreter and a directory of hash-locked packages.",
    fields = {
        "interpreter": "File: the interpreter's program.",
        "packages": "dict[str, str]: normalized distribution name -> installed version.",
        "site": "str: the name of the directory of installed packages, which lies beside the stamp.",
        "site_files": "depset[File]: what is in it, byte code included: an archive for each package, or as they were installed.",
        "stamp": "File: JSON that names the interpreter's version and platform and the lock; an input of every action.",
        "version": "str: the interpreter's version, such as 3.11.2.",
    },
)

def site_path(python, stamp_path):
    """The path of the directory of installed packages.

    Args:
      python: MlcPythonInfo.
      stamp_path: The path of its stamp, seen from where the other is wanted.

    Returns:
      str: the directory's path, seen from there.
    """
    return stamp_path.removesuffix(python.stamp.basename) + python.site
