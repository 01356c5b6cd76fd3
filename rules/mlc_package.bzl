"""Public rule: a package, what `mlc_llm package` calls dist/."""

load("//rules/private:checks.bzl", "device_error", "first_error")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:package.bzl", _mlc_package = "mlc_package")

def mlc_package(name, device, models, runtime = None, **kwargs):
    """Packages models for one device, laid out as upstream's apps expect dist/.

    `bazel build` writes, below `bazel-bin/<package>/<name>/`:

    - `lib/libmodel_android.a`, or `lib/libmodel_iphone.a` for iphone and macabi; for other devices one library for each
      mlc_model_lib, under the first model's id
    - `bundle/mlc-app-config.json`; for android also where the mlc4j project reads it
    - `bundle/<model_id>/...`: links to the files of each bundled model
    - `lib/...`: links to the files of the runtime, if there is one
    - `package-manifest.json`: every file with sha256 and size, the compiler's versions, each library's metadata

    `bazel run` installs that into `dist/` beside the BUILD file, or into `--output DIR`: only what changed, by hard
    links where possible, and removes only what an earlier install of this package put there.

    Two models may share a library. Two libraries of one name and different contents are an error, and so are weights
    whose parameters are not those of the library.

    Args:
      name: The target's name.
      device: One of the devices of docs/devices.md, such as `android`, `iphone` or `cpu`. Models are built for it,
        whatever the target platform is, so one build can hold packages for several devices.
      models: Labels of mlc_model targets, at least one.
      runtime: Label of an mlc_runtime for the device, of the TVM that the libraries are compiled with.
      **kwargs: Attributes common to all rules.
    """
    first_error(device_error(label_of(name), device))
    _mlc_package(
        name = name,
        device = device,
        models = models,
        runtime = runtime,
        **kwargs
    )
