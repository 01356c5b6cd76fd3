"""JSON that a lenient reader would take silently is refused with its line and column."""

from __future__ import annotations

import pytest

from tools.cli import UserError
from tools.config import strict_json


def _error(data: bytes | str) -> str:
    with pytest.raises(UserError) as caught:
        strict_json.loads(data, "f.json")
    return str(caught.value)


def test_reads_what_json_can_hold():
    text = '{"a": [1, -2.5e3, true, null, "\\u00e9 \\" {:,"], "b": {"a": {}}}'
    expected = {"a": [1, -2500.0, True, None, 'é " {:,'], "b": {"a": {}}}
    assert strict_json.loads(text.encode(), "f.json") == expected


def test_file_is_named_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_bytes(b"{")
    with pytest.raises(UserError, match=r"^x\.json:1:2: the document ends too early"):
        strict_json.load("x.json")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (
            '{"a": 1,\n "b": {"a": 2},\n "a": 3}',
            'f.json:3:2: the key "a" appears twice in one object; keep one of them',
        ),
        (
            '[{"\\u0061": 1, "a": 2}]',
            'f.json:1:16: the key "a" appears twice in one object; keep one of them',
        ),
        (
            '{"s": "NaN",\n "a": NaN}',
            "f.json:2:7: NaN is not a number that JSON can hold; write a finite number",
        ),
        (
            "[-Infinity]",
            "f.json:1:2: -Infinity is not a number that JSON can hold; write a finite number",
        ),
        (
            "[1e999]",
            "f.json:1:2: 1e999 is not a number that JSON can hold; write a finite number",
        ),
        (
            f"[{'9' * 5000}]",
            f"f.json:1:2: {'9' * 20} is not a number that JSON can hold; write a finite number",
        ),
        (
            b"\xef\xbb\xbf{}",
            "f.json:1:1: starts with a byte order mark; save it as UTF-8 without one",
        ),
        (b'{\n"a\xff": 1}', "f.json:2:3: byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"  \n", "f.json:1:1: is empty; expected a JSON document"),
        ('{"a": 1} // x', "f.json:1:10: JSON has no comments; remove it"),
        ('{\n  # x\n  "a": 1}', "f.json:2:3: JSON has no comments; remove it"),
        ('{"a": /* x */ 1}', "f.json:1:7: JSON has no comments; remove it"),
        ('{"a": 1,\n}', "f.json:1:8: a comma before the closing bracket; remove it"),
        ("[1, 2, ]", "f.json:1:6: a comma before the closing bracket; remove it"),
        ("{'a': 1}", "f.json:1:2: a single quote; JSON strings stand in double quotes"),
        ('{"a": [1', "f.json:1:9: the document ends too early; is a closing bracket missing?"),
        (
            '{"a": [1}',
            "f.json:1:9: not JSON: expecting ',' delimiter; correct the syntax there",
        ),
        ("[" * 200_000, "f.json: nested too deeply; expected a few levels"),
    ],
)
def test_mistake_has_one_line_with_its_place(data, line):
    assert _error(data) == line
