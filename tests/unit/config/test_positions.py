"""Every key and value of a document is found where it stands."""

from __future__ import annotations

from tools.config.positions import Positions

TEXT = ' {"a" : [1, {"b": "x{"} ,\n []], "c\\u0064": {"a": null, "": -2.5e3}} '


def test_values():
    found = {path: TEXT[offset:] for path, offset in Positions(TEXT).values.items()}
    begins = {
        (): '{"a"',
        ("a",): "[1, ",
        ("a", 0): "1, ",
        ("a", 1): '{"b"',
        ("a", 1, "b"): '"x{"',
        ("a", 2): "[]]",
        ("cd",): '{"a": n',
        ("cd", "a"): "null",
        ("cd", ""): "-2.5e3",
    }
    assert {path: found[path].startswith(text) for path, text in begins.items()} == dict.fromkeys(
        begins, True
    )
    assert set(found) == set(begins)


def test_keys():
    found = {path: TEXT[offset:] for path, offset in Positions(TEXT).keys.items()}
    assert found[("cd",)].startswith('"c\\u0064"')
    assert found[("cd", "a")].startswith('"a": null')
    assert set(found) == {("a",), ("a", 1, "b"), ("cd",), ("cd", "a"), ("cd", "")}


def test_scalar_document():
    assert Positions(" 3 ").values == {(): 1}
