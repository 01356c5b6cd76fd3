"""Count the test cases of a Bazel run from its build event file, and print `N passed, N failed`.

A target whose test.xml lists cases (pytest) counts each of them; any other target counts as one.
A target that Bazel reports as failed counts at least one failure, whatever its cases say.
"""

from __future__ import annotations

import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as ET


def cases(log: pathlib.Path) -> tuple[int, int]:
    """(run, failed) test cases of a test.xml; none is meant to be skipped: that is a failure."""
    suites = [s for s in ET.parse(log).getroot().iter("testsuite") if s.get("tests")]
    run = sum(int(s.get("tests", 0)) for s in suites)
    bad = sum(int(s.get(k) or 0) for s in suites for k in ("failures", "errors", "skipped"))
    return run, bad


def main(events: str) -> int:
    """Print one line a target, then the totals; exit status 1 when one failed or none ran."""
    passed = failed = 0
    results: dict[str, dict[tuple[int, int], tuple[int, int]]] = {}
    statuses: dict[str, str] = {}
    for line in pathlib.Path(events).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if result := event.get("testResult"):
            for output in result.get("testActionOutput", []):
                if output["name"] == "test.xml":
                    uri = urllib.parse.urlparse(output["uri"])
                    log = pathlib.Path(urllib.parse.unquote(uri.path))
                    ran = event["id"]["testResult"]
                    # A later attempt of the same shard takes the place of the one before it.
                    part = (ran.get("run", 1), ran.get("shard", 0))
                    results.setdefault(ran["label"], {})[part] = cases(log)
        if summary := event.get("testSummary"):
            statuses[event["id"]["testSummary"]["label"]] = summary["overallStatus"]
    for label, status in sorted(statuses.items()):
        parts = results.get(label, {}).values()
        run, bad = max(sum(run for run, _ in parts), 1), sum(bad for _, bad in parts)
        if status not in ("PASSED", "FLAKY"):
            bad = max(bad, 1)
        passed, failed = passed + run - bad, failed + bad
        print(f"{status:8} {run - bad:4} passed {bad:4} failed  {label}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
