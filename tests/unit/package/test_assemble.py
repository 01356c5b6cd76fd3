"""The app config is upstream's, the manifest is complete, and unfit models are refused."""

from __future__ import annotations

import json

import pytest

from tools.package.__main__ import main

GiB = 1 << 30


class Package:
    """The arguments of ``assemble`` for one or more models, to be changed by a test."""

    def __init__(self, workshop) -> None:
        self.workshop = workshop
        self.device = "android"
        self.arguments: list[str] = []
        self.models = 0

    def entry(self, **fields):
        """Fields of an ENTRY.json."""
        model_id = fields.get("model_id", "tiny")
        return {
            "label": f"//app:{model_id}",
            "model_id": "tiny",
            "url": "https://huggingface.co/org/tiny",
            "estimated_vram_bytes": None,
            "bundle_weight": False,
            **fields,
        }

    @staticmethod
    def metadata(model_lib="lib_a", **fields):
        """What the compiler says of a library."""
        return {
            "model_lib": model_lib,
            "device": "android",
            "library": {"format": "tar", "object": "elf", "symbol": f"{model_lib}___tvm_ffi"},
            "metadata": {
                "params": [
                    {"name": "embed", "shape": ["vocab_size", 8], "dtype": "uint32"},
                    {"name": "norm", "shape": [64], "dtype": "float16"},
                ]
            },
            "memory": {
                "parameter_bytes": 100,
                "temporary_bytes": 20,
                "kv_cache_bytes": 3,
                "total_bytes": 123,
            },
            **fields,
        }

    @staticmethod
    def weights(**fields):
        """A weights manifest that fits `metadata`."""
        return {
            "chat_config": {"model_type": "llama", "quantization": "q4f16_1"},
            "files": [{"path": "params_shard_0.bin", "nbytes": 5, "sha256": "ab"}],
            "parameter_bytes": 100,
            "params": {
                "embed": {"shape": [512, 8], "dtype": "uint32"},
                "norm": {"shape": [64], "dtype": "float16"},
            },
            **fields,
        }

    def add(
        self,
        weights=None,
        model_lib="lib_a",
        metadata=None,
        key_device=None,
        context=512,
        **fields,
    ):
        """Adds a model; returns self."""
        self.models += 1
        write, index = self.workshop.write, self.models
        self.arguments += [
            "--model",
            write(f"{index}.entry.json", self.entry(**fields)),
            self.workshop.key(model_lib, key_device or self.device, f"{index}", context),
            write(f"{index}.metadata.json", metadata or self.metadata(model_lib)),
            "-" if weights is None else write(f"{index}.weights.json", weights),
        ]
        return self

    def argv(self, *more):
        """All arguments."""
        argv = ["assemble", "--where", "//app:pkg", "--device", self.device.partition(":")[0]]
        return [*argv, *self.arguments, "--app-config", "a.json", "--manifest", "m.json", *more]

    def assemble(self, *more):
        """Returns the app config's entries and the manifest."""
        main(self.argv(*more))
        with open("a.json", encoding="utf-8") as app, open("m.json", encoding="utf-8") as manifest:
            return json.load(app)["model_list"], json.load(manifest)

    def error(self, *more):
        """Returns the error of an assembly that must fail."""
        return self.workshop.error_of(*self.argv(*more))


@pytest.fixture
def package(workshop):
    """A package for Android without models."""
    return Package(workshop)


def test_app_config_is_written_as_upstream_does(package):
    package.add(estimated_vram_bytes=2 * GiB).assemble()
    with open("a.json", encoding="utf-8") as file:
        assert file.read() == (
            '{\n  "model_list": [\n    {\n'
            '      "model_id": "tiny",\n'
            '      "model_lib": "lib_a",\n'
            '      "model_url": "https://huggingface.co/org/tiny",\n'
            '      "estimated_vram_bytes": 2147483648\n'
            "    }\n  ]\n}\n"
        )


@pytest.mark.parametrize(
    ("device", "bundled", "field"),
    [
        ("android", False, "model_url"),
        ("android", True, "model_url"),
        ("iphone", False, "model_url"),
        ("iphone", True, "model_path"),
        ("cpu:x86_64-linux", True, "model_path"),
    ],
)
def test_where_the_app_finds_the_weights(package, device, bundled, field):
    package.device = device
    weights = package.weights() if bundled else None
    app, manifest = package.add(weights, bundle_weight=bundled).assemble()
    expected = {"model_url": "https://huggingface.co/org/tiny", "model_path": "tiny"}
    assert {name: app[0].get(name) for name in expected} == {
        name: value if name == field else None for name, value in expected.items()
    }
    assert manifest["models"][0]["bundled"] is bundled


def test_order_of_the_models_is_kept(package):
    package.add(model_id="z").add(model_id="a", model_lib="lib_b")
    app, manifest = package.assemble()
    assert [entry["model_id"] for entry in app] == ["z", "a"]
    assert [entry["model_id"] for entry in manifest["models"]] == ["z", "a"]


def test_missing_vram_figure_is_computed(package, capsys):
    app, manifest = package.add().assemble()
    assert app[0]["estimated_vram_bytes"] == 123
    assert manifest["models"][0]["estimated_vram_bytes"] == 123
    assert capsys.readouterr().err == ""


def test_vram_figure_that_is_too_small_is_kept_with_a_warning(package, capsys):
    app, _ = package.add(estimated_vram_bytes=122).assemble()
    assert app[0]["estimated_vram_bytes"] == 122
    assert capsys.readouterr().err == (
        "warning: //app:tiny: estimated_vram_bytes 122 is less than the 123 bytes that the model "
        "takes (100 parameters, 20 temporary, 3 KV cache); raise it, or leave it out\n"
    )


def test_manifest_lists_every_file_of_the_package(package, workshop, sha256):
    package.add(package.weights(), bundle_weight=True)
    library = workshop.write("x.a", b"archive")
    arguments = ["--file", "lib/libmodel_android.a", library, "--version", "tvm=0.27"]
    arguments += ["--app-config-path", "bundle/mlc-app-config.json"]
    arguments += ["--app-config-path", "lib/mlc4j/src/main/assets/mlc-app-config.json"]
    tar = workshop.write("x.tar", b"tar")
    arguments += ["--library", "1.key.json", "lib/libmodel_android.a", tar]
    _, manifest = package.assemble(*arguments)
    with open("a.json", "rb") as file:
        app_config = file.read()
    app_entry = {"nbytes": len(app_config), "sha256": sha256(app_config)}
    assert manifest["files"] == [
        {"path": "bundle/mlc-app-config.json", **app_entry},
        {"path": "bundle/tiny/params_shard_0.bin", "nbytes": 5, "sha256": "ab"},
        {"path": "lib/libmodel_android.a", "nbytes": 7, "sha256": sha256(b"archive")},
        {"path": "lib/mlc4j/src/main/assets/mlc-app-config.json", **app_entry},
    ]
    assert manifest["device"] == "android"
    assert manifest["versions"] == {"tvm": "0.27"}
    metadata = package.metadata()
    assert manifest["libraries"] == [
        {
            "library": metadata["library"],
            "memory": metadata["memory"],
            "metadata": metadata["metadata"],
            "model_lib": "lib_a",
            "path": "lib/libmodel_android.a",
            "sha256": sha256(b"tar"),
            "symbol": "lib_a___tvm_ffi",
        }
    ]


def test_weights_that_are_not_bundled_are_checked_but_not_listed(package):
    _, manifest = package.add(package.weights()).assemble()
    assert [file["path"] for file in manifest["files"]] == ["bundle/mlc-app-config.json"]


def test_models_may_share_a_library(package):
    package.add(model_id="a").add(model_id="b")
    _, manifest = package.assemble()
    assert len(manifest["libraries"]) == 1
    assert len(manifest["models"]) == 2


TWO_OF_ONE_NAME = (
    '//app:b: its library and that of //app:a are both named "lib_a" and differ in '
    "context_window_size; give one of them another model_lib"
)


def test_two_libraries_of_one_name(package):
    package.add(model_id="a").add(model_id="b", context=768)
    assert package.error() == TWO_OF_ONE_NAME


def test_two_libraries_of_one_name_are_found_before_any_compile(package):
    entry, key, workshop = package.entry, package.workshop.key, package.workshop
    models = []
    for name, context in (("a", 512), ("b", 768)):
        file = workshop.write(f"{name}.entry.json", entry(model_id=name))
        models += ["--model", file, key("lib_a", name=name, context=context)]
    assert workshop.error_of("check", *models, "--output", "checked") == TWO_OF_ONE_NAME
    main(["check", *models[:3], "--output", "checked"])
    assert (workshop.folder / "checked").exists()


def test_library_of_another_device(package):
    assert package.add(key_device="iphone").error() == (
        "//app:tiny: the library is for iphone and the package for android; give both one device"
    )


@pytest.mark.parametrize("second", ["tiny", "Tiny"])
def test_model_id_given_twice(package, second):
    package.add().add(model_id=second, label="//app:other")
    assert package.error() == (
        f'//app:other: model_id "{second}" is taken by //app:tiny ("tiny"); give each model its own'
    )


@pytest.mark.parametrize(
    ("model_id", "what"),
    [
        ("../../x", "contains a slash"),
        ("..", "names a directory that is not its own"),
        ("a\\b", "contains a backslash"),
        ("", "is empty"),
        ("mlc-app-config.json", "is the name of a file in bundle/"),
    ],
)
def test_model_id_that_could_leave_the_package(package, model_id, what):
    assert package.add(model_id=model_id, label="//app:m").error() == (
        f"//app:m: model_id {model_id!r} {what}; it names a directory of bundle/"
    )


def test_model_id_with_spaces_and_parentheses_is_fine(package):
    app, _ = package.add(model_id="My model (1.5B)").assemble()
    assert app[0]["model_id"] == "My model (1.5B)"


@pytest.mark.parametrize("value", [0, -1, "5", True, 1.5])
def test_bad_vram_figure(package, value):
    assert package.add(estimated_vram_bytes=value).error() == (
        f"//app:tiny: estimated_vram_bytes: expected a positive integer, got {value!r}"
    )


def test_path_of_the_builders_machine_is_no_url(package):
    assert package.add(url="/home/me/model").error() == (
        '//app:tiny: url "/home/me/model" is not a web address; '
        "expected https://huggingface.co/org/repo"
    )


def test_android_url_of_bundled_weights_without_a_page_is_not_null(package):
    app, _ = package.add(package.weights(), bundle_weight=True, url=None).assemble()
    assert app[0]["model_url"] == ""


def test_neither_url_nor_bundled_weights(package):
    assert package.add(url=None).error() == (
        "//app:tiny: url is missing, and the weights are not bundled; set url, or bundle_weight"
    )


def test_bundle_weight_without_weights(package):
    assert package.add(bundle_weight=True).error() == (
        "//app:tiny: bundle_weight is set without weights; set weights"
    )


@pytest.mark.parametrize(("field", "value"), [("model_type", "gemma"), ("quantization", "q0f16")])
def test_weights_of_another_kind(package, field, value):
    weights = package.weights()
    weights["chat_config"][field] = value
    library = {"model_type": "llama", "quantization": "q4f16_1"}[field]
    assert package.add(weights).error() == (
        f"//app:tiny: the weights are of {field} {value}, the library is for {library}; "
        "use weights and library of one model"
    )


def test_weights_without_a_parameter(package):
    weights = package.weights(params={})
    assert package.add(weights).error() == (
        "//app:tiny: the weights lack embed, norm, which the library needs; "
        "use the weights of the library's model"
    )


def test_long_lists_of_parameters_are_cut(package):
    metadata = package.metadata()
    metadata["metadata"]["params"] = [
        {"name": f"p{i}", "shape": [1], "dtype": "float16"} for i in range(9)
    ]
    assert package.add(package.weights(), metadata=metadata).error() == (
        "//app:tiny: the weights lack p0, p1, p2 and 6 more, which the library needs; "
        "use the weights of the library's model"
    )


@pytest.mark.parametrize(
    ("param", "shown"),
    [
        ({"shape": [512, 9], "dtype": "uint32"}, "uint32[512, 9]"),
        ({"shape": [512], "dtype": "uint32"}, "uint32[512]"),
        ({"shape": [512, 8], "dtype": "float16"}, "float16[512, 8]"),
    ],
)
def test_weights_of_another_shape_or_type(package, param, shown):
    weights = package.weights()
    weights["params"]["embed"] = param
    assert package.add(weights).error() == (
        f"//app:tiny: embed is {shown} in the weights and uint32[vocab_size, 8] in the library; "
        "use the weights of the library's model"
    )


def test_weights_that_the_library_does_not_use_are_a_warning(package, capsys):
    weights = package.weights()
    weights["params"]["lm_head"] = {"shape": [1], "dtype": "float16"}
    package.add(weights).assemble()
    assert capsys.readouterr().err == (
        "warning: //app:tiny: the library does not use lm_head of the weights\n"
    )


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("../x", "names a directory that is not its own"),
        ("/x", "is absolute"),
        ("bundle/mlc-app-config.json", "is given twice"),
    ],
)
def test_bad_path_of_a_further_file(package, workshop, path, what):
    assert package.add().error("--file", path, workshop.write("x", b"")) == (
        f"//app:pkg: {path!r} {what}; expected distinct relative paths"
    )


def test_bad_version(package):
    assert package.add().error("--version", "tvm") == "--version tvm: expected KEY=VALUE"


def test_nothing_is_written_on_a_mistake(package, tmp_path):
    package.add(url=None).error()
    assert not (tmp_path / "a.json").exists()
    assert not (tmp_path / "m.json").exists()
