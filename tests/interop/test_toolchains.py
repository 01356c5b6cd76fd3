"""Users of WORKSPACE files get the toolchains that users of modules get, in the same order."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_same_toolchains():
    module = (ROOT / "MODULE.bazel").read_text().split("register_toolchains(")[1].split(")")[0]
    macro = (ROOT / "rules/repositories.bzl").read_text().split("register_toolchains(")[1]
    labels = re.findall(r'"@rules_mlc(//[^"]+)"', macro.split(")")[0])
    assert labels == re.findall(r'"(//[^"]+)"', module)
    assert labels
