"""Constants for an app's sources: the ids of its models, and the system libraries they run on."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

# A model as both languages see it: its id, and the name of its library.
Model = tuple[str, str]

_SWIFT = """\
// The models of {where}. Generated; changes are lost.

/// A model that the app was built with.
public struct MLCModel: Hashable, Sendable {{
    /// Names the model in mlc-app-config.json, and its directory in bundle/.
    public let id: String
    /// The system library that holds its code: the `modelLib` of `MLCEngine.reload`.
    public let lib: String

    public init(id: String, lib: String) {{
        self.id = id
        self.lib = lib
    }}
}}

extension MLCModel {{
{constants}

    /// Every model, in the order of the package.
    public static let all: [MLCModel] = [{names}]
}}
"""

_SWIFT_CONSTANT = "    public static let {name} = MLCModel(id: {id}, lib: {lib})"

_KOTLIN = """\
// The models of {where}. Generated; changes are lost.

package ai.mlc.models

/**
 * A model that the app was built with.
 *
 * @property id Names the model in mlc-app-config.json, and its directory on the device.
 * @property lib The system library that holds its code: the `modelLib` of `MLCEngine.reload`.
 */
data class MlcModel(val id: String, val lib: String)

object MlcModels {{
{constants}

    /** Every model, in the order of the package. */
    val all: List<MlcModel> = listOf({names})
}}
"""

_KOTLIN_CONSTANT = "    val {name} = MlcModel(id = {id}, lib = {lib})"


def swift(models: Sequence[Model], where: str) -> str:
    """Returns the source of ``MLCModels.swift``; ``where`` is the package's target."""
    return _source(_SWIFT, _SWIFT_CONSTANT, models, where, _quoted)


def kotlin(models: Sequence[Model], where: str) -> str:
    """Returns the source of ``MlcModels.kt``; ``where`` is the package's target."""
    return _source(
        _KOTLIN,
        _KOTLIN_CONSTANT,
        models,
        where,
        # In Kotlin a dollar sign begins a template.
        lambda text: _quoted(text).replace("$", "\\$"),
    )


def identifiers(model_ids: Sequence[str]) -> list[str]:
    """Returns a name for each id that both languages take, all distinct.

    ``Phi-3.5-mini`` becomes ``phi_3_5_mini``. No word of the languages has a digit, so a name that
    might be one, or begins with a digit, gets ``model_`` in front.
    """
    result: list[str] = []
    for model_id in model_ids:
        name = re.sub(r"[^a-z0-9]+", "_", model_id.lower()).strip("_")
        if not re.search(r"\d", name) or name[0].isdigit():
            name = f"model_{name}"
        unique, number = name, 1
        while unique in result:
            number += 1
            unique = f"{name}_{number}"
        result.append(unique)
    return result


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _source(template, constant, models, where, quote) -> str:
    names = identifiers([model_id for model_id, _ in models])
    constants = [
        constant.format(name=name, id=quote(model_id), lib=quote(lib))
        for name, (model_id, lib) in zip(names, models, strict=True)
    ]
    return template.format(where=where, constants="\n".join(constants), names=", ".join(names))
