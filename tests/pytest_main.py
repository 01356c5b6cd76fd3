"""Runs pytest on the files given, from the root of the runfiles; reports to Bazel's XML file.

Plugins that the machine's Python happens to have are left out.
"""

from __future__ import annotations

import os
import sys

import pytest


def main() -> int:
    """Exit status of pytest; a run that collects no test fails."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = ["-p", "no:cacheprovider", "--import-mode=importlib", "-v", *sys.argv[1:]]
    if scratch := os.environ.get("TEST_TMPDIR"):
        arguments.append(f"--basetemp={scratch}/pytest")
    if xml := os.environ.get("XML_OUTPUT_FILE"):
        arguments.append(f"--junitxml={xml}")
    if only := os.environ.get("TESTBRIDGE_TEST_ONLY"):
        arguments.append(f"-k={only}")
    return pytest.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
