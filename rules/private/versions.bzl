"""Versions of TVM: a library runs only on the runtime of the TVM that compiled it, and an app has one runtime."""

# The compiler's name of libraries that were compiled elsewhere.
PREBUILT = "prebuilt"

def same_tvm(first, second):
    """Whether two versions of TVM are one as far as libraries can tell.

    Args:
      first: str, such as 0.27.0.post1.
      second: str; post releases and what follows `+` do not count.

    Returns:
      bool.
    """
    return _release(first) == _release(second)

def _release(version):
    return version.removeprefix("v").partition("+")[0].partition(".post")[0]

def compiler_of(models):
    """The compiler whose versions stand for all libraries of a package.

    Args:
      models: list[MlcModelInfo], of which compilers_error found nothing wrong.

    Returns:
      MlcCompilerInfo: the first whose TVM is known, if there is one.
    """
    compilers = [model.lib.compiler for model in models]
    return ([c for c in compilers if c.tvm and c.compiler != PREBUILT] + [c for c in compilers if c.tvm] + compilers)[0]

def _version_text(compiler):
    return "{} (tvm {}, tvm_ffi {}, symbol {})".format(
        compiler.compiler,
        compiler.tvm or "unknown",
        compiler.tvm_ffi or "unknown",
        compiler.symbol_suffix,
    )

def _exclude_each_other(first, second):
    if first.symbol_suffix != second.symbol_suffix:
        return True
    if PREBUILT in [first.compiler, second.compiler]:
        return bool(first.tvm and second.tvm) and not same_tvm(first.tvm, second.tvm)
    return (first.compiler, first.tvm, first.tvm_ffi) != (second.compiler, second.tvm, second.tvm_ffi)

def compilers_error(label, models):
    """What is wrong with libraries of several compilers in one package.

    Args:
      label: str, the package.
      models: list[MlcModelInfo].

    Returns:
      str or None: a message.
    """
    first = compiler_of(models)
    for model in models:
        if _exclude_each_other(first, model.lib.compiler):
            return "{}: attribute models: an app has one runtime, and the libraries are of two compilers: {} and {}; build all with one".format(
                label,
                _version_text(first),
                _version_text(model.lib.compiler),
            )
    return None
