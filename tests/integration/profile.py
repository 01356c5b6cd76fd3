"""What Bazel's profile of a build says of its actions."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import Any


class Profile:
    """A file that `--profile` wrote."""

    def __init__(self, path: pathlib.Path) -> None:
        with gzip.open(path) as file:
            events = json.load(file)["traceEvents"]
        self._events: list[dict[str, Any]] = [event for event in events if event["ph"] == "X"]

    def spans(self, mnemonic: str) -> list[tuple[float, float]]:
        """When workers had the requests of a mnemonic: start and end, the first start first."""
        actions = [e for e in self._events if e.get("args", {}).get("mnemonic") == mnemonic]
        requests = [e for e in self._events if e["cat"] == "waiting for response from worker"]
        return sorted(
            (request["ts"], request["ts"] + request["dur"])
            for action in actions
            for request in requests
            if request["tid"] == action["tid"]
            and action["ts"] <= request["ts"] <= action["ts"] + action["dur"]
        )

    def critical_path(self) -> list[str]:
        """The actions that the build could not end without, one after the other."""
        return [e["name"] for e in self._events if e["cat"] == "critical path component"]
