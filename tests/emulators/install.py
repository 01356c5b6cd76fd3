"""Install the emulators, skopeo, and a Python for aarch64 with TVM's runtime; on Debian, as root.

Emulators and skopeo are Debian packages, from the mirror that apt is configured with. The Python
is unpacked into a directory of its own, with the locked wheels for aarch64: nothing of it is
installed.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from pip._vendor.packaging.markers import Marker

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCK = ROOT / "tools" / "python" / "requirements.lock"
PROGRAMS = ("chromium-headless-shell", "pocl-opencl-icd", "qemu-user", "skopeo")
FOREIGN = ("libpython3-stdlib", "libstdc++6", "python3-minimal")
WHEELS = ("apache-tvm", "apache-tvm-ffi", "ml-dtypes", "numpy", "typing-extensions")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
CANNOT = 3
"""Exit status where the machine is not one that this program installs anything on."""


def run(*command: str | pathlib.Path, **environment: str) -> None:
    """Run a command that is quiet unless it fails.

    Raises:
      SystemExit: With one line and the command's own last lines, when it fails.
    """
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        reason = "\n".join(done.stdout.strip().splitlines()[-5:])
        raise SystemExit(f"error: {command[0]} failed with status {done.returncode}\n{reason}")


def apt_get(*arguments: str, state: pathlib.Path | None = None) -> None:
    """Run apt-get; with `state`, for packages of arm64 and without a trace on the machine."""
    # Another apt of the machine, which updates it now and then, is waited for.
    options = ["-qq", "-y", "-oAcquire::Retries=3", "-oDPkg::Lock::Timeout=300"]
    if state is not None:
        settings = {
            "APT::Architecture": "arm64",
            "APT::Architectures": "arm64",
            "APT::Sandbox::User": "root",
            "Dir::Cache": state / "cache",
            "Dir::State": state / "state",
            "Dir::State::status": state / "status",
        }
        options += [f"-o{name}={value}" for name, value in settings.items()]
    run("apt-get", *options, *arguments, DEBIAN_FRONTEND="noninteractive")


def unpack_python(root: pathlib.Path) -> None:
    """Unpack Debian's Python for arm64 and the libraries it needs into `root`."""
    with tempfile.TemporaryDirectory() as scratch:
        state = pathlib.Path(scratch)
        (state / "state" / "lists" / "partial").mkdir(parents=True)
        (state / "cache" / "archives" / "partial").mkdir(parents=True)
        (state / "status").touch()
        root.mkdir(parents=True)
        apt_get("update", state=state)
        apt_get("install", "--download-only", "--no-install-recommends", *FOREIGN, state=state)
        for package in sorted((state / "cache" / "archives").glob("*.deb")):
            run("dpkg-deb", "--extract", package, root)


def install_wheels(site: pathlib.Path, version: str) -> None:
    """Install the locked wheels of TVM's runtime for aarch64 and a Python `version`."""
    stanzas = re.split(r"^(?=[a-z0-9])", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    wanted = []
    for stanza in stanzas:
        # pip would read markers as those of the Python that runs it.
        requirement, *marker = re.split(r" ; (.*) \\$", stanza, maxsplit=1, flags=re.MULTILINE)
        if requirement.split("==")[0] not in WHEELS:
            continue
        if not marker:
            wanted.append(stanza)
        elif Marker(marker[0]).evaluate({"python_full_version": f"{version}.0"}):
            wanted.append(f"{requirement} \\{marker[1]}")
    with tempfile.NamedTemporaryFile("w", suffix=".lock") as lock:
        lock.write("".join(wanted))
        lock.flush()
        run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"),
            *("--root-user-action=ignore", "--python-version", version, "--implementation", "cp"),
            *(f"--platform={platform}" for platform in PLATFORMS),
            *("--target", site, "--requirement", lock.name),
        )
    # Only the compiler needs its library.
    (site / "tvm" / "lib" / "libtvm_compiler.so").unlink()


def main() -> int:
    """Install what is missing; exit status 3 where that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path, help="for the aarch64 system")
    directory = parser.parse_args().directory.absolute()
    if os.geteuid() or not shutil.which("apt-get"):
        print("the emulators and skopeo are not installed: that needs root and apt-get")
        return CANNOT
    apt_get("update")
    apt_get("install", "--no-install-recommends", *PROGRAMS)
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = directory.with_name(f"{directory.name}.{os.getpid()}")
        unpack_python(unfinished / "root")
        (python,) = (unfinished / "root" / "usr" / "bin").glob("python3.[0-9]*[0-9]")
        install_wheels(unfinished / "site", python.name.removeprefix("python"))
        unfinished.rename(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
