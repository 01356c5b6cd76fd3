"""Rule: a package, what `mlc_llm package` calls dist/."""

load("@bazel_skylib//lib:shell.bzl", "shell")
load("//rules/private/providers:model_info.bzl", "MlcModelInfo")
load("//rules/private/providers:package_info.bzl", "MlcPackageInfo")
load("//rules/private/providers:runtime_info.bzl", "MlcRuntimeInfo")
load("//rules/private/providers:tool_info.bzl", "MlcToolInfo")
load(":label.bzl", "apparent_repository", "label_text")
load(":messages.bzl", "first_error")
load(":package_app_files.bzl", "app_files")
load(":package_checks.bzl", "models_error")
load(":package_oci.bzl", "oci_layout")
load(":package_runtime.bzl", "check_linked", "runtime_of")
load(":python_tool.bzl", "runfiles_path", "write_launcher")
load(":run_tool.bzl", "PYTHON_TOOLCHAIN", "python_of", "run_tool", "tool_arguments")
load(":transitions.bzl", "device_transition")
load(":versions.bzl", "compiler_of")

_APP_CONFIG = "bundle/mlc-app-config.json"
_MANIFEST = "package-manifest.json"

# The archive that each app links, whatever the variant of the device; others get one library for each model.
_ARCHIVES = {
    "android": "lib/libmodel_android.a",
    "iphone": "lib/libmodel_iphone.a",
    "macabi": "lib/libmodel_iphone.a",
}

# Where the Android library project reads it.
_MLC4J_APP_CONFIG = "lib/mlc4j/src/main/assets/mlc-app-config.json"

def _declare(ctx, path):
    return ctx.actions.declare_file("{}/{}".format(ctx.label.name, path))

def _link(ctx, path, file):
    output = _declare(ctx, path)
    ctx.actions.symlink(
        output = output,
        target_file = file,
        progress_message = "Linking {} of %{{label}}".format(path),
    )
    return struct(path = path, file = output)

def _link_weights(ctx, path, weights):
    """list[struct]: links to a model's files, or one to its directory."""
    if not weights.directory:
        return [_link(ctx, "{}/{}".format(path, f.path), f.file) for f in weights.files]
    output = ctx.actions.declare_directory("{}/{}".format(ctx.label.name, path))
    ctx.actions.symlink(
        output = output,
        target_file = weights.directory,
        progress_message = "Linking {} of %{{label}}".format(path),
    )
    return [struct(path = path, file = output)]

def _check(ctx, models):
    """The validation that reads entries and compile keys alone, and so speaks before any compile ends."""
    stamp = ctx.actions.declare_file(ctx.label.name + ".checked")
    args = tool_arguments(ctx)
    args.add("check")
    for model in models:
        args.add_all("--model", [model.entry, model.lib.compile_key])
    args.add("--output", stamp)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [f for model in models for f in [model.entry, model.lib.compile_key]],
        outputs = [stamp],
        mnemonic = "MlcCheck",
        progress_message = "Checking the models of %{label}",
    )
    return stamp

def _share_libraries(models):
    """The models; those whose libraries are declared alike share the first, so that it is built once."""
    first = {}
    return [
        struct(
            bundle_weight = model.bundle_weight,
            entry = model.entry,
            lib = first.setdefault((model.lib.config, model.lib.options, model.lib.model_lib), model.lib),
            model_id = model.model_id,
            weights = model.weights,
        )
        for model in models
    ]

def _libraries_of(models):
    """list[MlcModelLibInfo]: each library once, in the order of the models."""
    return {model.lib.library: model.lib for model in models}.values()

def _kind(device):
    """str: the device without its variant, such as android of android:adreno."""
    return device.name.partition(":")[0]

def _archive(ctx, models, device):
    """The action that puts every library into one static archive."""
    libs = _libraries_of(models)
    path = _ARCHIVES[_kind(device)]
    output = _declare(ctx, path)
    args = tool_arguments(ctx)
    args.add("--object", device.object)
    args.add("--symbol-suffix", libs[0].compiler.symbol_suffix)
    args.add("--output", output)
    for lib in libs:
        args.add_all("--library", [lib.compile_key, lib.library])
    run_tool(
        ctx,
        tool = ctx.attr._archive_tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = [f for lib in libs for f in [lib.compile_key, lib.library]],
        outputs = [output],
        mnemonic = "MlcArchive",
        progress_message = "Archiving the libraries of %{label}",
    )
    return struct(path = path, file = output)

def _place_libraries(ctx, models, device):
    """dict: compiled library -> where it is in the package; one archive, or links named after the first model."""
    if _kind(device) in _ARCHIVES:
        archive = _archive(ctx, models, device)
        return {lib.library: archive for lib in _libraries_of(models)}
    places = {}
    for model in models:
        library = model.lib.library
        if library not in places:
            places[library] = _link(ctx, "lib/{}.{}".format(model.model_id, library.extension), library)
    return places

def _distinct(places):
    """list: each place once."""
    return {place.path: place for place in places.values()}.values()

def _app_config_paths(device):
    return [_APP_CONFIG] + ([_MLC4J_APP_CONFIG] if _kind(device) == "android" else [])

def _assemble(ctx, models, device, places, runtime, listings):
    """The action that writes the app config and the manifest, and checks weights against libraries."""
    app_config = _declare(ctx, _APP_CONFIG)
    manifest = _declare(ctx, _MANIFEST)
    compiler = compiler_of(models)
    inputs = []
    args = tool_arguments(ctx)
    args.add("assemble")
    args.add(label_text(ctx.label), format = "--where=%s")
    args.add("--device", device.name)
    for name in ["compiler", "symbol_suffix", "tvm", "tvm_ffi"]:
        if getattr(compiler, name):
            args.add("--version", "{}={}".format(name, getattr(compiler, name)))
    for model in models:
        args.add_all("--model", [model.entry, model.lib.compile_key, model.lib.metadata])
        args.add(model.weights.manifest if model.bundle_weight else "-")
        inputs += [model.entry, model.lib.compile_key, model.lib.metadata]
        if model.bundle_weight:
            inputs.append(model.weights.manifest)
    for place in _distinct(places):
        args.add("--file", place.path)
        args.add(place.file)
        inputs.append(place.file)
    for lib in _libraries_of(models):
        args.add("--library", lib.compile_key)
        args.add(places[lib.library].path)
        args.add(lib.library)
        inputs += [lib.compile_key, lib.library]
    if runtime:
        args.add("--version", "runtime_tvm=" + runtime.version)
    args.add_all(listings, before_each = "--listing")
    inputs += listings
    args.add_all(_app_config_paths(device), before_each = "--app-config-path")
    args.add("--app-config", app_config)
    args.add("--manifest", manifest)
    run_tool(
        ctx,
        tool = ctx.attr._tool[MlcToolInfo],
        python = python_of(ctx),
        arguments = [args],
        inputs = inputs,
        outputs = [app_config, manifest],
        mnemonic = "MlcPackage",
        progress_message = "Packaging %{label} for " + device.name,
    )
    return app_config, manifest

def _install_dir(ctx):
    return ctx.attr.install_dir or "/".join([p for p in [ctx.label.package, "dist"] if p])

def _installer(ctx, files, manifest):
    """The program behind `bazel run`: installs the package into the source tree."""
    script = ctx.actions.declare_file(ctx.label.name + ".install.sh")
    tool = ctx.attr._tool[MlcToolInfo]
    name = [apparent_repository(ctx.label)] + ctx.label.package.split("/") + [ctx.label.name]
    root = runfiles_path(ctx, manifest)[:-len(_MANIFEST) - 1]
    runfiles = write_launcher(
        ctx,
        script,
        tool,
        python_of(ctx),
        export = "cd \"${BUILD_WORKING_DIRECTORY:-.}\"\n",
        arguments = " ".join([
            "install",
            "--manifest \"$runfiles\"/" + shell.quote("{}/{}".format(root, _MANIFEST)),
            "--root \"$runfiles\"/" + shell.quote(root),
            "--name " + shell.quote(".".join([p for p in name if p])),
            "--output \"${BUILD_WORKSPACE_DIRECTORY:-.}\"/" + shell.quote(_install_dir(ctx)),
        ]),
    )
    return script, runfiles.merge(ctx.runfiles(files = [f.file for f in files]))

def _mlc_package_impl(ctx):
    models = [model[MlcModelInfo] for model in ctx.attr.models]
    first_error(models_error(label_text(ctx.label), ctx.attr.device, models))
    device = models[0].lib.device
    runtime = runtime_of(ctx, models)
    models = _share_libraries(models)
    places = _place_libraries(ctx, models, device)
    libraries = _distinct(places)
    app = app_files(
        ctx,
        models,
        _kind(device),
        libraries[0].file if _kind(device) in _ARCHIVES else None,
        runtime,
        lambda path: _declare(ctx, path),
    )
    listings = ([runtime.manifest] if runtime else []) + ([app.listing] if app.listing else [])
    app_config, manifest = _assemble(ctx, models, device, places, runtime, listings)

    files = libraries + app.files + [
        struct(path = _APP_CONFIG, file = app_config),
        struct(path = _MANIFEST, file = manifest),
    ]
    for path in _app_config_paths(device)[1:]:
        files.append(_link(ctx, path, app_config))
    for model in models:
        if model.bundle_weight:
            files += _link_weights(ctx, "bundle/" + model.model_id, model.weights)

    if runtime:
        files += [_link(ctx, f.path, f.file) for f in runtime.files]

    script, runfiles = _installer(ctx, files, manifest)
    return [
        DefaultInfo(
            executable = script,
            files = depset([f.file for f in files]),
            runfiles = runfiles,
        ),
        OutputGroupInfo(
            _validation = depset([_check(ctx, models)] + check_linked(ctx, runtime, _libraries_of(models))),
            app_config = depset([app_config]),
            app_files = depset([f.file for f in app.files]),
            libraries = depset([library.file for library in libraries]),
            logs = depset([model.lib.log for model in models]),
            manifest = depset([manifest]),
            oci = depset([oci_layout(ctx, files, manifest)]),
        ),
        MlcPackageInfo(
            app_config = app_config,
            device = device.name,
            files = files,
            install_dir = _install_dir(ctx),
            libraries = depset([library.file for library in libraries]),
            manifest = manifest,
        ),
    ]

mlc_package = rule(
    doc = "See //rules:mlc_package.bzl.",
    implementation = _mlc_package_impl,
    attrs = {
        "compiler": attr.string(doc = "The toolchain of the compiler; empty for the one that is registered."),
        "device": attr.string(doc = "The device.", mandatory = True),
        "install_dir": attr.string(doc = "Where `bazel run` installs, if not in dist/ beside the BUILD file."),
        "models": attr.label_list(
            doc = "The models.",
            allow_empty = False,
            cfg = device_transition,
            mandatory = True,
            providers = [MlcModelInfo],
        ),
        "runtime": attr.label(doc = "The runtime.", providers = [MlcRuntimeInfo]),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
        "_app_tool": attr.label(default = "//tools/app", cfg = "exec", providers = [MlcToolInfo]),
        "_archive_tool": attr.label(default = "//tools/archive", cfg = "exec", providers = [MlcToolInfo]),
        "_library_tool": attr.label(default = "//tools/library", cfg = "exec", providers = [MlcToolInfo]),
        "_oci_tool": attr.label(default = "//tools/oci", cfg = "exec", providers = [MlcToolInfo]),
        "_tool": attr.label(default = "//tools/package", cfg = "exec", providers = [MlcToolInfo]),
    },
    executable = True,
    provides = [MlcPackageInfo],
    toolchains = [PYTHON_TOOLCHAIN],
)
