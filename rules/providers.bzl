"""Public providers of rules_mlc."""

load("//rules/private/providers:compiler_info.bzl", _MlcCompilerInfo = "MlcCompilerInfo")
load("//rules/private/providers:device_info.bzl", _MlcDeviceInfo = "MlcDeviceInfo")
load("//rules/private/providers:model_info.bzl", _MlcModelInfo = "MlcModelInfo")
load("//rules/private/providers:model_lib_info.bzl", _MlcModelLibInfo = "MlcModelLibInfo")
load("//rules/private/providers:package_info.bzl", _MlcPackageInfo = "MlcPackageInfo")
load("//rules/private/providers:runtime_info.bzl", _MlcRuntimeInfo = "MlcRuntimeInfo")
load("//rules/private/providers:weight_info.bzl", _MlcWeightInfo = "MlcWeightInfo")

MlcCompilerInfo = _MlcCompilerInfo
MlcDeviceInfo = _MlcDeviceInfo
MlcModelInfo = _MlcModelInfo
MlcModelLibInfo = _MlcModelLibInfo
MlcPackageInfo = _MlcPackageInfo
MlcRuntimeInfo = _MlcRuntimeInfo
MlcWeightInfo = _MlcWeightInfo
