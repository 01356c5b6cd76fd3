"""Provider: a package, what `mlc_llm package` calls dist/."""

MlcPackageInfo = provider(
    doc = "The files of a package, laid out as apps expect them.",
    fields = {
        "app_config": "File: mlc-app-config.json.",
        "device": "str: the device, such as android.",
        "files": """list[struct(path = str, file = File)]: every file under its path below dist/; \
a `bundle/<model_id>` may be one tree artifact.""",
        "install_dir": "str: where `bazel run` installs, a directory relative to the workspace, such as app/dist.",
        "libraries": "depset[File]: the archive, or the shared libraries.",
        "manifest": "File: package-manifest.json; every file with sha256 and size, versions, libraries, models.",
    },
)
