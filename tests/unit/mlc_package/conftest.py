"""A Bazel that only writes down what it is asked, and the command that asks it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

BAZELW = r"""#!/bin/sh
sources=${MLC_LLM_SOURCE_DIR:+ MLC_LLM_SOURCE_DIR=$MLC_LLM_SOURCE_DIR}
tvm=${TVM_SOURCE_DIR:+ TVM_SOURCE_DIR=$TVM_SOURCE_DIR}
echo "$* HF_HUB_OFFLINE=${HF_HUB_OFFLINE:-}$tvm$sources" >>"$FAKE/log"
case $* in
*package_config*)
  cat "$FAKE/stderr" >&2
  cat "$FAKE/config.json"
  exit "$(cat "$FAKE/check_status")"
  ;;
*check_up_to_date*) exit "$(cat "$FAKE/up_to_date_status")" ;;
*:lock*)
  name=$(expr "$*" : '.*@\(app_[0-9a-f]*\)//:lock')
  echo '{"models": {"x": {"repo": "org/one"}}}' >"$name.lock.json"
  ;;
*:mlc_package*) exit "$(cat "$FAKE/build_status")" ;;
esac
"""


class Command:
    """A copy of the command with that Bazel, an app's folder, and a cache."""

    def __init__(self, root: Path) -> None:
        self.app = root / "my app"
        self.app.mkdir()
        (self.app / "mlc-package-config.json").write_text("{}")
        self.home = root / "home"
        (self.home / "rules_mlc/bazel").mkdir(parents=True)
        self._rules = root / "rules_mlc"
        self._fake = root / "fake"
        self._fake.mkdir()
        for name in ("mlc_package", "runtime_source"):
            shutil.copytree(f"tools/{name}", self._rules / "tools" / name)
        for name in ("tools/__init__.py", "tools/cli.py", "mlc-package"):
            shutil.copy(name, self._rules / name)
        bazelw = self._rules / "bazelw"
        bazelw.write_text(BAZELW)
        bazelw.chmod(0o755)
        self.program = self._rules / "mlc-package"
        self.says(config={"devices": ["android"], "models": [], "libraries": {}})

    def says(
        self,
        config: dict[str, Any] | None = None,
        stderr: str = "",
        check_status: int = 0,
        up_to_date_status: int = 0,
        build_status: int = 0,
    ) -> None:
        """Sets what the Bazel answers."""
        if config is not None:
            (self._fake / "config.json").write_text(json.dumps(config))
        answers = {
            "stderr": stderr,
            "check_status": check_status,
            "up_to_date_status": up_to_date_status,
            "build_status": build_status,
        }
        for name, value in answers.items():
            (self._fake / name).write_text(str(value))

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs the command in the app's folder."""
        (self._fake / "log").unlink(missing_ok=True)
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.app,
            env={
                "PATH": os.environ["PATH"],
                "MLC_LLM_HOME": str(self.home),
                "FAKE": str(self._fake),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self) -> list[str]:
        """The command lines of Bazel, in order."""
        log = self._fake / "log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def module(self) -> str:
        """The MODULE.bazel of the cache's workspace."""
        return (self.home / "rules_mlc/workspace/MODULE.bazel").read_text()

    @property
    def bazelrc(self) -> str:
        """The .bazelrc beside it."""
        return (self.home / "rules_mlc/workspace/.bazelrc").read_text()


@pytest.fixture
def command(tmp_path) -> Command:
    return Command(tmp_path)
