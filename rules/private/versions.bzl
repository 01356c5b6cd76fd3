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

def runtime_error(label, runtime_label, runtime, device, compiler):
    """What is wrong with the runtime of a package.

    Args:
      label: str, the package.
      runtime_label: str, the runtime.
      runtime: MlcRuntimeInfo.
      device: MlcDeviceInfo of the package's libraries.
      compiler: MlcCompilerInfo of them, see compiler_of.

    Returns:
      str or None: a message.
    """
    android = runtime.device == "android" and device.name.startswith("android:")
    if not android and runtime.device not in (device.name, device.variant):
        return "{}: attribute runtime: {} is for {}, and this package is for {}; give the runtime of that device".format(
            label,
            runtime_label,
            runtime.device,
            device.variant,
        )
    if compiler.tvm and not same_tvm(compiler.tvm, runtime.version):
        return "{}: attribute runtime: {} is of TVM {}, and the libraries are compiled by {}; a library runs only on the TVM that compiled it: give a runtime of TVM {}, or compile with the TVM of the runtime".format(
            label,
            runtime_label,
            runtime.version,
            _version_text(compiler),
            _release(compiler.tvm),
        )
    return None
