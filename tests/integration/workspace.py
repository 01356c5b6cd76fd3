"""A scratch workspace that uses rules_mlc as a module, and the Bazel that builds in it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

MODULE = """\
module(name = "app")

bazel_dep(name = "rules_mlc", version = "0.1.0")
local_path_override(
    module_name = "rules_mlc",
    path = "{rules_mlc}",
)
"""

# Servers here live for less than the JVM's optimizing compiler takes to pay off.
SHORT_LIVED = "startup --host_jvm_args=-XX:TieredStopAtLevel=1\n"

# How Bazel 7 and 8 name the repositories of our extension, seen from another module.
_CANONICAL = ("rules_mlc~~mlc~{name}", "rules_mlc++mlc+{name}")


def runfile(path: str) -> pathlib.Path:
    """A runfile of this repository, as the real file it is."""
    return pathlib.Path(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"], path)


def copy_distribution(target: pathlib.Path) -> None:
    """Copy what users of rules_mlc get: the files of //:distribution among the runfiles."""
    source = runfile("")
    for name in ("rules", "tools"):
        shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    root = ("BUILD.bazel", "MODULE.bazel", "WORKSPACE", "bazelw", "mlc-package", "mlc.bazelrc")
    for name in root:
        shutil.copy2(source / name, target / name)


def installed_repository(name: str, file: str) -> pathlib.Path:
    """The real directory of a repository that the outer Bazel has fetched."""
    runfiles = pathlib.Path(os.environ["TEST_SRCDIR"])
    (found,) = runfiles.glob(f"*{name}/{file}")
    return found.resolve().parent


def repositories(name: str) -> list[str]:
    """What the versions of Bazel call a repository of our extension."""
    return [canonical.format(name=name) for canonical in _CANONICAL]


@dataclasses.dataclass
class Build:
    """What one Bazel command did."""

    returncode: int
    stdout: str
    stderr: str
    actions: list[str]
    """The mnemonic of each of our actions that ran (not those found unchanged or in a cache)."""

    def errors(self) -> list[str]:
        """The lines that tell the user what is wrong."""
        marks = ("error: ", "Error in fail: ")
        return [line for line in self.stderr.splitlines() if line.startswith(marks)]

    def ran(self, mnemonic: str) -> int:
        """How many actions of a mnemonic ran."""
        return self.actions.count(mnemonic)


class Workspace:
    """A directory with a MODULE.bazel, a copy of rules_mlc beside it, and its own output base."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root / "app"
        self.rules = root / "rules_mlc"
        self.output_root = root / "out"
        self.events = root / "events.json"
        self.variables: dict[str, str] = {}
        """Variables of the user, beside those of the test."""
        self.root.mkdir(parents=True)
        self.rules.mkdir()
        copy_distribution(self.rules)
        self.module = MODULE.format(rules_mlc=self.rules)
        self.write("MODULE.bazel", self.module)
        settings = (self.rules / "mlc.bazelrc").read_text(encoding="utf-8")
        self.write(".bazelrc", settings + SHORT_LIVED)

    def write(self, name: str, text: str) -> pathlib.Path:
        """Write a file of the workspace."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def edit_json(self, name: str, **fields: object) -> None:
        """Set top-level fields of a JSON file of the workspace."""
        path = self.root / name
        value = json.loads(path.read_text(encoding="utf-8"))
        self.write(name, json.dumps({**value, **fields}, indent=2))

    def bazel(self, command: str, *arguments: str, check: bool = True) -> Build:
        """Run a Bazel command; with `check`, fail the test when Bazel fails."""
        flags = [f"--build_event_json_file={self.events}", "--build_event_publish_all_actions"]
        done = subprocess.run(
            self._command(command, *flags, *arguments),
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return Build(done.returncode, done.stdout, done.stderr, executed(self.events))

    def start(
        self, command: str, *arguments: str, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a Bazel command, whose output nobody reads, unless `stderr` says so."""
        return subprocess.Popen(
            self._command(command, *arguments),
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )

    def _command(self, command: str, *arguments: str) -> list[str | pathlib.Path]:
        launcher = (self.rules / "bazelw", f"--output_user_root={self.output_root}")
        return [*launcher, command, *self.installed(), *arguments]

    def environment(self) -> dict[str, str]:
        """The environment of the outer test, without what Bazel added to it."""
        ours = ("TEST_", "RUNFILES", "BUILD", "XML_", "PYTHON")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        return {**kept, **self.variables}

    def installed(self) -> list[str]:
        """Flags that reuse what the outer Bazel has fetched, even where a sandbox hides it."""
        found = {
            "mlc_python": installed_repository("mlc_python", "stamp.json"),
            "mlc_linker": installed_repository("mlc_linker", "ld.lld"),
        }
        overrides = [
            f"--override_repository={name}={path}"
            for repository, path in found.items()
            for name in repositories(repository)
        ]
        return [*overrides, *(f"--sandbox_add_mount_pair={path}" for path in found.values())]

    def shutdown(self) -> None:
        """End this workspace's Bazel server."""
        subprocess.run(
            [self.rules / "bazelw", f"--output_user_root={self.output_root}", "shutdown"],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            check=False,
        )

    def stop(self) -> None:
        """End this workspace's Bazel server and remove what it wrote."""
        self.shutdown()
        subprocess.run(["chmod", "-R", "u+w", self.output_root], check=False)
        shutil.rmtree(self.output_root, ignore_errors=True)


def executed(events: pathlib.Path) -> list[str]:
    """Mnemonics of our actions that a build event file says were executed."""
    if not events.exists():
        return []
    lines = events.read_text(encoding="utf-8").splitlines()
    actions = [event["action"] for event in map(json.loads, lines) if "action" in event]
    return [action["type"] for action in actions if action["type"].startswith("Mlc")]
