"""Protects the reference's pages: what Bazel extracts is read as it is meant, and shown in full."""

from __future__ import annotations

import pytest

from tools.api_docs import text_proto
from tools.api_docs.__main__ import main

EXTRACT = r"""
module_docstring: "What it is.\n\nMore, see docs/x.md."
file: "//rules:a.bzl"
func_info {
  function_name: "make"
  parameter {
    name: "name"
    doc_string: "str: a\nname, `a|b`."
    mandatory: true
  }
  parameter { name: "sizes" doc_string: "dict[str, int]: \"so: many\"" default_value: "{}" }
  parameter { name: "kwargs" doc_string: "The rest." }
  return { doc_string: "A thing." }
  doc_string: "Makes it."
}
rule_info {
  rule_name: "thing"
  doc_string: "Is."
  attribute { name: "libs" doc_string: "Some." type: LABEL_LIST default_value: "[]" }
  attribute { name: "name" doc_string: "Its name." type: NAME mandatory: true }
}
module_extension_info {
  extension_name: "ext"
  doc_string: "Adds."
  tag_class {
    tag_name: "one"
    doc_string: "One."
    attribute { name: "on" doc_string: "Whether." type: BOOLEAN default_value: "False" }
  }
}
provider_info {
  provider_name: "Info"
  doc_string: "Tells."
  field_info { name: "file" doc_string: "File: the \303\251lan." }
}
"""

PAGE = """\
<!-- Made of the docstrings by `./bazelw run //docs/api:update`. -->

# @rules_mlc//rules:a.bzl

What it is.

More, see [docs/x.md](../x.md).

## make

```starlark
load("@rules_mlc//rules:a.bzl", "make")
```

Makes it.

| argument | type | default | meaning |
|---|---|---|---|
| `name` | `str` | required | a name, `a\\|b`. |
| `sizes` | `dict[str, int]` | `{}` | "so: many" |
| `**kwargs` |  |  | The rest. |

Returns: A thing.

## thing

```starlark
load("@rules_mlc//rules:a.bzl", "thing")
```

Is.

| attribute | type | default | meaning |
|---|---|---|---|
| `name` | `str` | required | Its name. |
| `libs` | `list[label]` | `[]` | Some. |

## ext

```starlark
ext = use_extension("@rules_mlc//rules:a.bzl", "ext")
```

Adds.

### ext.one

One.

| attribute | type | default | meaning |
|---|---|---|---|
| `on` | `bool` | `False` | Whether. |

## Info

```starlark
load("@rules_mlc//rules:a.bzl", "Info")
```

Tells.

| field | type | meaning |
|---|---|---|
| `file` | `File` | the élan. |
"""


def test_page(tmp_path, monkeypatch):
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(tmp_path))
    (tmp_path / "a.textproto").write_text(EXTRACT)
    main(["--output", "docs/api", str(tmp_path / "a.textproto")])
    assert (tmp_path / "docs/api/a.md").read_text() == PAGE


def test_values_of_a_text_proto():
    assert text_proto.parse('a: "x" a: true b { c: NAME } b { }') == {
        "a": ["x", True],
        "b": [{"c": ["NAME"]}, {}],
    }


@pytest.mark.parametrize("text", ["a {", "}", "a: 'x'", "a"])
def test_what_is_no_text_proto(text):
    with pytest.raises(ValueError):
        text_proto.parse(text)
