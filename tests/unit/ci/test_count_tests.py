"""The closing line of CI counts what really ran."""

from __future__ import annotations

import json
import pathlib
import runpy

import pytest

main = runpy.run_path(".ci/count_tests.py")["main"]


@pytest.fixture
def events(tmp_path: pathlib.Path):
    """Makes a build event file of (label, shard, attempt, cases, failures) and (label, status)."""

    def make(results: list[tuple[str, int, int, int, int]], statuses: dict[str, str]) -> str:
        lines = []
        for i, (label, shard, attempt, run, failures) in enumerate(results):
            log = tmp_path / f"{i}.xml"
            log.write_text(
                f'<testsuites><testsuite tests="{run}" failures="{failures}"/></testsuites>'
            )
            ran = {"label": label, "run": 1, "shard": shard, "attempt": attempt}
            output = {"name": "test.xml", "uri": log.as_uri()}
            lines.append({"id": {"testResult": ran}, "testResult": {"testActionOutput": [output]}})
        for label, status in statuses.items():
            summary = {"overallStatus": status}
            lines.append({"id": {"testSummary": {"label": label}}, "testSummary": summary})
        path = tmp_path / "events.json"
        path.write_text("\n".join(map(json.dumps, lines)))
        return str(path)

    return make


def closing_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_shards_are_added_up(events, capsys):
    """Every shard's cases count, and of two attempts the last."""
    ran = [("//a", 1, 1, 5, 0), ("//a", 2, 1, 4, 1), ("//a", 2, 2, 4, 0), ("//b", 0, 1, 2, 0)]
    assert main(events(ran, {"//a": "FLAKY", "//b": "PASSED"})) == 0
    assert closing_line(capsys) == "11 passed, 0 failed"


@pytest.mark.parametrize(
    ("results", "status", "line"),
    [
        ([("//a", 0, 1, 5, 2)], "FAILED", "3 passed, 2 failed"),
        ([("//a", 0, 1, 5, 0)], "TIMEOUT", "4 passed, 1 failed"),
        ([], "NO_STATUS", "0 passed, 1 failed"),
        ([("//a", 0, 1, 5, 1)], "PASSED", "4 passed, 1 failed"),
    ],
)
def test_a_failure_is_never_lost(events, capsys, results, status, line):
    """A failed, timed-out or unbuilt target fails the run, whatever its cases say."""
    assert main(events(results, {"//a": status})) == 1
    assert closing_line(capsys) == line


def test_a_run_of_nothing_fails(events, capsys):
    """No test executed is not a success."""
    assert main(events([], {})) == 1
    assert closing_line(capsys) == "0 passed, 0 failed"
