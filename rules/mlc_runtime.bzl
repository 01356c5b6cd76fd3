"""Public rule: a runtime that was built elsewhere."""

load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:runtime.bzl", _mlc_runtime = "mlc_runtime")
load("//rules/private:runtime_checks.bzl", "runtime_device_error", "version_error")

def mlc_runtime(name, device, version, libs = [], mlc4j = None, **kwargs):
    """Takes a runtime that was built elsewhere into packages: mlc_package(..., runtime = ":name").

    A library runs only on the runtime of the TVM that compiled it: a package of another TVM is refused when it is
    analysed. One action, `MlcRuntime`, refuses libraries for another machine or platform, such as a simulator.

    The default output is a JSON list of the files with sha256 and size. Files are linked into packages, never copied.

    Args:
      name: str: the target's name.
      device: str: `iphone` or `macabi`, which take `libs`, or `android`, which takes `mlc4j`.
      version: str: the version of TVM that the runtime was built from, such as `0.27.0`.
      libs: list[label]: the static libraries (.a) that the Xcode project links besides libmodel_iphone.a; which they are
        differs between versions of upstream. They become `lib/*.a`; a libmodel_iphone.a among them is left out.
      mlc4j: list[label], or str: all files of the Gradle project mlc4j as upstream builds it, or the project's directory
        in this package. They become `lib/mlc4j/`, with the package's mlc-app-config.json in place of theirs. The
        package's libraries must have been linked into its libtvm4j_runtime_packed.so, which is checked.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    where = label_of(name)
    first_error(
        runtime_device_error(where, device, libs, mlc4j),
        version_error(where, version),
    )
    if type(mlc4j) == "string":
        directory = mlc4j.rstrip("/")
        mlc4j = native.glob([directory + "/**"], exclude = [directory + "/**/.*"], allow_empty = True)
        if not mlc4j:
            fail('{}: attribute mlc4j: "{}" has no files in this package'.format(where, directory))
    _mlc_runtime(
        name = name,
        device = device,
        libs = libs,
        mlc4j = mlc4j,
        version = version,
        **kwargs
    )
