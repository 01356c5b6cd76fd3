"""Provider: the Python environment that actions run in."""

MlcPythonInfo = provider(
    doc = "An interpreter and a directory of hash-locked packages.",
    fields = {
        "interpreter": "File: the interpreter's program.",
        "packages": "dict[str, str]: normalized distribution name -> installed version.",
        "site": "File: the directory of installed packages, byte code included; with an archive for each, or as they were installed.",
        "stamp": "File: JSON that names the interpreter's version and platform and the lock; an input of every action.",
        "version": "str: the interpreter's version, such as 3.11.2.",
    },
)
