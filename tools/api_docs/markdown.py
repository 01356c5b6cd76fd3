"""A page of Markdown for what a .bzl file offers to those who load it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tools.api_docs.text_proto import Message, text_of

_MODULE = "@rules_mlc"

_HEADER = """\
<!-- Made of the docstrings by `./bazelw run //docs/api:update`. -->

# {label}

{summary}
"""

# Of attributes; those of arguments and fields stand in front of what their docstrings say.
_TYPES = {
    "BOOLEAN": "bool",
    "LABEL": "label",
    "LABEL_LIST": "list[label]",
    "LABEL_STRING_DICT": "dict[label, str]",
    "NAME": "str",
    "STRING": "str",
    "STRING_DICT": "dict[str, str]",
    "STRING_LIST": "list[str]",
}


def page(module: Message) -> str:
    """Returns the page.

    Args:
        module: A ModuleInfo, as Bazel's stardoc_output.proto has it.
    """
    label = _MODULE + text_of(module, "file")
    parts = [_HEADER.format(label=label, summary=text_of(module, "module_docstring").strip())]
    parts += [_function(label, function) for function in module.get("func_info", [])]
    parts += [_rule(label, rule) for rule in module.get("rule_info", [])]
    parts += [_extension(label, each) for each in module.get("module_extension_info", [])]
    parts += [_provider(label, provider) for provider in module.get("provider_info", [])]
    return re.sub(r"\bdocs/([\w-]+\.md)", r"[docs/\1](../\1)", "\n".join(parts))


def _function(label: str, function: Message) -> str:
    rows = []
    for parameter in function.get("parameter", []):
        kind, meaning = _typed(parameter)
        name = text_of(parameter, "name").replace("kwargs", "**kwargs")
        rows.append([_code(name), kind, _default(parameter), meaning])
    name = text_of(function, "function_name")
    parts = [_section(label, name, text_of(function, "doc_string"))]
    if rows:
        parts.append(_table(["argument", "type", "default", "meaning"], rows))
    parts += [f"Returns: {text_of(r, 'doc_string')}\n" for r in function.get("return", [])]
    return "\n".join(parts)


def _rule(label: str, rule: Message) -> str:
    section = _section(label, text_of(rule, "rule_name"), text_of(rule, "doc_string"))
    return "\n".join([section, _attributes(rule)])


def _extension(label: str, extension: Message) -> str:
    name = text_of(extension, "extension_name")
    load = f'{name} = use_extension("{label}", "{name}")'
    parts = [_heading(2, name), _fence(load), text_of(extension, "doc_string") + "\n"]
    for tag in extension.get("tag_class", []):
        parts += [
            _heading(3, f"{name}.{text_of(tag, 'tag_name')}"),
            text_of(tag, "doc_string").strip() + "\n",
            _attributes(tag),
        ]
    return "\n".join(parts)


def _provider(label: str, provider: Message) -> str:
    section = _section(label, text_of(provider, "provider_name"), text_of(provider, "doc_string"))
    fields = provider.get("field_info", [])
    rows = [[_code(text_of(field, "name")), *_typed(field)] for field in fields]
    return "\n".join([section, _table(["field", "type", "meaning"], rows)])


def _section(label: str, name: str, doc: str) -> str:
    return "\n".join([_heading(2, name), _fence(f'load("{label}", "{name}")'), doc.strip() + "\n"])


def _attributes(owner: Message) -> str:
    """The table of a rule's or a tag's attributes, `name` first."""
    attributes = sorted(owner["attribute"], key=lambda a: text_of(a, "name") != "name")
    rows = [
        [
            _code(text_of(a, "name")),
            _code(_TYPES[text_of(a, "type")]),
            _default(a),
            _cell(text_of(a, "doc_string")),
        ]
        for a in attributes
    ]
    return _table(["attribute", "type", "default", "meaning"], rows)


def _typed(documented: Message) -> tuple[str, str]:
    """Splits what a docstring says of an argument or a field into its type and its meaning."""
    text = _cell(text_of(documented, "doc_string"))
    kind, colon, meaning = text.partition(": ")
    return (_code(kind), meaning) if colon else ("", text)


def _default(parameter: Message) -> str:
    if "mandatory" in parameter:
        return "required"
    return _code(text_of(parameter, "default_value"))


def _table(titles: list[str], rows: Iterable[list[str]]) -> str:
    head = f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|\n"
    return head + "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _heading(level: int, text: str) -> str:
    return f"{'#' * level} {text}\n"


def _fence(text: str) -> str:
    return f"```starlark\n{text}\n```\n"
