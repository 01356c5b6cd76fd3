"""Whether a library that was compiled elsewhere can be packaged; if not, why, in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from tools.cli import UserError
from tools.config import Device
from tools.config.build import KEPT_IF_MINUS_ONE
from tools.library import library_bin, object_file
from tools.library.library_bin import LibraryBin
from tools.library.object_file import LIBRARY_BINS, ObjectFile

_FORMATS = {"elf": "ELF", "macho": "Mach-O"}


@dataclasses.dataclass(frozen=True)
class Accepted:
    """What is known of a library that can be packaged.

    Attributes:
        symbol: The one by which the runtime finds it, without Mach-O's leading underscore.
        device_code: ``native``, or as ``opencl-source``.
        metadata: What its function ``_metadata`` returns.
    """

    symbol: str
    device_code: str
    metadata: dict[str, Any]


def accept(
    objects: dict[str, bytes], device: Device, model_lib: str, suffix: str, where: str
) -> Accepted:
    """Checks a library's files.

    Args:
        objects: The files by their names.
        device: What the library is for.
        model_lib: The name of the system library, with ``_`` for each ``-``.
        suffix: What follows the prefix in a library's symbol.
        where: What errors call the library.

    Raises:
        UserError: The library is of another format, machine, platform, name, device or TVM.
    """
    shared = device.library != "tar"
    if shared and len(objects) != 1:
        raise UserError(f"{where}: device {device.name} loads a shared library; give the file")
    bins: dict[str, bytes] = {}
    for name, data in objects.items():
        place = where if len(objects) == 1 else f"{where}: {name}"
        parsed = object_file.parse(data, place)
        check_machine(parsed, device, place)
        _check_kind(parsed, device, place)
        bins.update(parsed.library_bins)
    symbol = suffix if shared else f"{model_lib}_{suffix}"
    _check_symbol(bins, symbol, suffix, where)
    if not shared and len(bins) > 1:
        names = ", ".join(sorted(bins))
        raise UserError(f"{where}: holds several libraries ({names}); give each model its own")
    contents = library_bin.parse(bins[symbol], where)
    _check_kernels(contents, device, where)
    if contents.metadata is None:
        raise UserError(f"{where}: has no metadata; expected a library made by `mlc_llm compile`")
    return Accepted(symbol, contents.device_code, contents.metadata)


def check_config(
    metadata: dict[str, Any],
    chat_config: dict[str, Any],
    overrides: dict[str, Any],
    where: str,
    config_name: str,
) -> None:
    """Refuses a library of another model, or one compiled with other settings than the overrides.

    Args:
        metadata: The library's.
        chat_config: The model's mlc-chat-config.json.
        overrides: What the user set; all of them must be those of the library.
        where: What errors call the library.
        config_name: What errors call the config.
    """
    for name in ("model_type", "quantization"):
        if chat_config.get(name) != metadata.get(name):
            raise UserError(
                f"{where}: was compiled for {name} {metadata.get(name)}, and {config_name} says "
                f"{chat_config.get(name)}; use the config and the library of one model"
            )
    for name, value in sorted(overrides.items()):
        if value == -1 and name in KEPT_IF_MINUS_ONE:
            continue
        found = metadata.get(name)
        if name != "opt" and found is not None and found != value:
            raise UserError(
                f"{where}: was compiled with {name} {found}, and overrides.{name} is {value}; "
                "remove the override, or compile the library again"
            )


def platform_of(triple: str) -> tuple[str, str]:
    """Returns machine and platform of a target triple, as `ObjectFile` spells them."""
    machine, _, system = triple.partition("-")
    machine = "aarch64" if machine == "arm64" else machine
    names = ("macabi", "ios", "macos", "android", "linux")
    found = next((name for name in names if name in system), "")
    return machine, "macosx" if found == "macos" else found


def check_machine(parsed: ObjectFile, device: Device, where: str) -> None:
    """Refuses a file whose format, machine or platform is not the device's."""
    if parsed.format != device.object:
        raise UserError(
            f"{where}: is {_FORMATS[parsed.format]}, and device {device.name} takes "
            f"{_FORMATS[device.object]}; compile it for {device.name}"
        )
    triple = device.target.get("host", device.target)["mtriple"]
    machine, platform = platform_of(triple)
    if parsed.machine != machine:
        raise UserError(
            f"{where}: is for {parsed.machine}, and device {device.name} runs {machine}; "
            f"compile it for {device.name}"
        )
    if parsed.platform not in (None, platform):
        raise UserError(
            f"{where}: is for the platform {parsed.platform}, and device {device.name} is "
            f"{platform}; compile it for {device.name}"
        )


def _check_kind(parsed: ObjectFile, device: Device, where: str) -> None:
    if parsed.shared != (device.library != "tar"):
        given, wanted = ("a shared library", "objects (.tar, .a or .o)")
        if not parsed.shared:
            given, wanted = ("an object", f"a shared library (.{device.library})")
        raise UserError(f"{where}: is {given}, and device {device.name} takes {wanted}")


def _check_symbol(bins: Iterable[str], symbol: str, suffix: str, where: str) -> None:
    names = sorted(bins)
    if symbol in names:
        return
    if not names:
        raise UserError(f"{where}: does not define {symbol}, nor is it a library of any TVM")
    prefix, found = _split(names[0])
    if found != suffix:
        older = LIBRARY_BINS.index(found) < LIBRARY_BINS.index(suffix)
        raise UserError(
            f"{where}: made by {'an older' if older else 'a newer'} TVM: it defines {names[0]}, "
            f"and the runtime looks for {symbol}; compile it again with the runtime's TVM"
        )
    if not prefix:
        raise UserError(
            f"{where}: defines {names[0]}, and the runtime looks for {symbol}; compile it with "
            f"--system-lib-prefix {symbol.removesuffix(suffix)}"
        )
    raise UserError(
        f"{where}: does not define {symbol}, but {names[0]}; set model_lib to "
        f'"{prefix.removesuffix("_")}", or compile it with --system-lib-prefix '
        f"{symbol.removesuffix(suffix)}"
    )


def _split(symbol: str) -> tuple[str, str]:
    """Returns prefix and suffix of a library's symbol."""
    suffix = next(known for known in LIBRARY_BINS if symbol.endswith(known))
    return symbol.removesuffix(suffix), suffix


def _check_kernels(contents: LibraryBin, device: Device, where: str) -> None:
    kind = device.target["kind"]
    found = sorted(contents.kernels)
    expected = [] if kind == "llvm" else [kind]
    if found != expected:
        raise UserError(
            f"{where}: has {_kernels(found)}, and device {device.name} takes {_kernels(expected)}; "
            f"compile it for {device.name}"
        )


def _kernels(kinds: list[str]) -> str:
    return f"kernels for {' and '.join(kinds)}" if kinds else "no kernels"
