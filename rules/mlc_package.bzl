"""Public rule: a package, what `mlc_llm package` calls dist/."""

load("//rules/private:checks.bzl", "application_id_error", "device_error", "install_dir_error")
load("//rules/private:label.bzl", "label_of")
load("//rules/private:messages.bzl", "first_error")
load("//rules/private:package.bzl", _mlc_package = "mlc_package")
load("//rules/private:push.bzl", "mlc_push")

def mlc_package(
        name,
        device,
        models,
        runtime = None,
        compiler = None,
        application_id = "ai.mlc.mlcchat",
        install_dir = None,
        **kwargs):
    """Packages models for one device, laid out as upstream's apps expect dist/.

    `bazel build` writes, below `bazel-bin/<package>/<name>/`:

    - `lib/libmodel_android.a`, or `lib/libmodel_iphone.a` for iphone and macabi; for other devices one library for each
      mlc_model_lib, under the first model's id
    - `bundle/mlc-app-config.json`; for android also where the mlc4j project reads it
    - `bundle/<model_id>/...`: links to the files of each bundled model
    - `lib/...`: links to the files of the runtime, if there is one
    - `app/...`: for an app's sources; Swift constants, an xcconfig and a list of symbols, or Kotlin constants
    - `package-manifest.json`: every file with sha256 and size, the compiler's versions, each library's metadata

    `bazel run` installs that into `dist/` beside the BUILD file, into `install_dir`, or into `--output DIR`: only what
    changed, by hard links where possible, and removes only what an earlier install of this package put there.

    `bazel run NAME.push`, for android, puts the bundled models onto a device by adb, where the app looks for them: what is
    there already is not pushed again.

    `--output_groups=oci` writes `NAME.oci`, an OCI image layout with the package as a ModelPack artifact, one layer for
    each file. For rules_pkg see //rules:pkg.bzl.

    Two models may share a library. Two libraries of one name and different contents are an error, and so are weights
    whose parameters are not those of the library.

    Args:
      name: str: the target's name.
      device: str: one of the devices of docs/devices.md, such as `android`, `iphone` or `cpu`. Models are built for it,
        whatever the target platform is, so one build can hold packages for several devices.
      models: list[label]: mlc_model targets, at least one; no two of one `model_id`, letter case ignored.
      runtime: label: an mlc_runtime or mlc_runtime_from_source for the device, of the TVM that the libraries are compiled
        with; another TVM is an error. If not given, the package has no runtime.
      compiler: label: the toolchain of another compiler, such as `@mlc_upstream_compiler//:toolchain`, for the libraries of
        this package. If not given, the one that is registered: the embedded compiler.
      application_id: str: for android, the app whose files NAME.push puts the models into. If not given, upstream's app.
      install_dir: str: where `bazel run` installs, a directory relative to the workspace, such as `ios/dist`. If not given,
        `dist/` beside the BUILD file.
      **kwargs: Attributes common to all rules, such as `visibility` and `tags`.
    """
    where = label_of(name)
    first_error(
        device_error(where, device),
        application_id_error(where, application_id),
        install_dir_error(where, install_dir) if install_dir != None else None,
    )
    _mlc_package(
        name = name,
        compiler = str(native.package_relative_label(compiler)) if compiler else "",
        device = device,
        install_dir = install_dir or "",
        models = models,
        runtime = runtime,
        **kwargs
    )
    if device.partition(":")[0] == "android":
        mlc_push(
            name = name + ".push",
            application_id = application_id,
            package = ":" + name,
            tags = kwargs.get("tags"),
            testonly = kwargs.get("testonly"),
            visibility = kwargs.get("visibility"),
        )
