"""mlc-app-config.json: which models the app offers, and where each one's weights are."""

from __future__ import annotations

import dataclasses
from typing import Any

from tools.cli import UserError
from tools.config import Device
from tools.config.plain_name import problem

# What stands beside the models' directories in bundle/.
_RESERVED = ("mlc-app-config.json",)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model of the package, as the build file declares it.

    Attributes:
        label: The target that errors name.
        model_id: Unique in the package; names ``bundle/<model_id>``.
        url: The model's page, from which an app fetches weights that are not bundled; or None.
        estimated_vram_bytes: As given, or None to take what is computed.
        bundle_weight: Whether the weights are part of the package.
    """

    label: str
    model_id: str
    url: str | None
    estimated_vram_bytes: int | None
    bundle_weight: bool


def parse_entry(value: dict[str, Any]) -> Entry:
    """Returns the entry of a parsed ENTRY.json; a UserError names its label and the attribute."""
    entry = Entry(**{field.name: value[field.name] for field in dataclasses.fields(Entry)})
    wrong = problem(entry.model_id)
    if wrong is None and entry.model_id in _RESERVED:
        wrong = "is the name of a file in bundle/"
    if wrong:
        raise UserError(
            f"{entry.label}: model_id {entry.model_id!r} {wrong}; it names a directory of bundle/"
        )
    vram = entry.estimated_vram_bytes
    if vram is not None and (isinstance(vram, bool) or not isinstance(vram, int) or vram < 1):
        raise UserError(
            f"{entry.label}: estimated_vram_bytes: expected a positive integer, got {vram!r}"
        )
    if entry.url is not None and not entry.url.startswith(("https://", "http://")):
        raise UserError(
            f'{entry.label}: url "{entry.url}" is not a web address; '
            "expected https://huggingface.co/org/repo"
        )
    return entry


def check_unique(entries: list[Entry]) -> None:
    """Refuses two entries with one model_id; letter case does not count on iPhones and Macs."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        first = seen.setdefault(entry.model_id.casefold(), entry)
        if first is not entry:
            raise UserError(
                f'{entry.label}: model_id "{entry.model_id}" is taken by {first.label} '
                f'("{first.model_id}"); give each model its own'
            )


def computed_vram(where: str, given: int | None, memory: dict[str, int]) -> tuple[int, list[str]]:
    """Returns ``estimated_vram_bytes``, the given one or else the computed, and warnings.

    Args:
        where: The target that a warning names.
        given: What the user wrote, in bytes, or None.
        memory: The library's figures, in bytes.
    """
    total = memory["total_bytes"]
    if given is None:
        return total, []
    if given >= total:
        return given, []
    return given, [
        f"{where}: estimated_vram_bytes {given} is less than the {total} bytes that the model "
        f"takes ({memory['parameter_bytes']} parameters, {memory['temporary_bytes']} temporary, "
        f"{memory['kv_cache_bytes']} KV cache); raise it, or leave it out"
    ]


def app_config_entry(
    entry: Entry, model_lib: str, estimated_vram_bytes: int, device: Device
) -> dict[str, Any]:
    """Returns the model's entry, with the fields in upstream's order.

    The Android app wants a ``model_url`` that is not null, and reads it only to fetch files that
    are not on the device: for bundled weights without a page it is empty.

    Raises:
        UserError: The app would have nowhere to get the weights from.
    """
    result: dict[str, Any] = {"model_id": entry.model_id, "model_lib": model_lib}
    if entry.bundle_weight and device.bundled_entry == "model_path":
        result["model_path"] = entry.model_id
    elif entry.url is not None:
        result["model_url"] = entry.url.rstrip("/")
    elif entry.bundle_weight:
        result["model_url"] = ""
    else:
        raise UserError(
            f"{entry.label}: url is missing, and the weights are not bundled; "
            "set url, or bundle_weight"
        )
    result["estimated_vram_bytes"] = estimated_vram_bytes
    return result
