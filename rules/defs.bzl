"""The public rules of rules_mlc.

Each has a file of its own beside this one. A mistake in an attribute is one line that names the target, the attribute and
what was expected; it is found while packages are loaded or analysed, before anything is built.
"""

load("//rules:mlc_chat_config.bzl", _mlc_chat_config = "mlc_chat_config")
load("//rules:mlc_convert_weight.bzl", _mlc_convert_weight = "mlc_convert_weight")
load("//rules:mlc_model.bzl", _mlc_model = "mlc_model")
load("//rules:mlc_model_lib.bzl", _mlc_model_lib = "mlc_model_lib")
load("//rules:mlc_package.bzl", _mlc_package = "mlc_package")
load("//rules:mlc_packages.bzl", _mlc_packages = "mlc_packages")
load("//rules:mlc_prebuilt_model_lib.bzl", _mlc_prebuilt_model_lib = "mlc_prebuilt_model_lib")
load("//rules:mlc_runtime.bzl", _mlc_runtime = "mlc_runtime")
load("//rules:mlc_runtime_from_source.bzl", _mlc_runtime_from_source = "mlc_runtime_from_source")
load("//rules:mlc_weight_bundle.bzl", _mlc_weight_bundle = "mlc_weight_bundle")

mlc_chat_config = _mlc_chat_config
mlc_convert_weight = _mlc_convert_weight
mlc_model = _mlc_model
mlc_model_lib = _mlc_model_lib
mlc_package = _mlc_package
mlc_packages = _mlc_packages
mlc_prebuilt_model_lib = _mlc_prebuilt_model_lib
mlc_runtime = _mlc_runtime
mlc_runtime_from_source = _mlc_runtime_from_source
mlc_weight_bundle = _mlc_weight_bundle
