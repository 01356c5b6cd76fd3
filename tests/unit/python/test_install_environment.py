"""Protects the Python environment of the actions: hashes hold, and its bytes name no machine."""

from __future__ import annotations

import hashlib
import pathlib
import subprocess
import sys
import zipfile

import pytest

from tools.python import install_environment

WHEEL = "example_pkg-1.0-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path: pathlib.Path) -> pathlib.Path:
    """A wheel with a module and a console script."""
    path = tmp_path / WHEEL
    info = "example_pkg-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("example_pkg/__init__.py", "def main():\n    return 1\n")
        archive.writestr("example_pkg/data.json", "{}")
        archive.writestr("example_pkg/lib/libexample.so.1.0", "native")
        archive.writestr("example_pkg/space/fails.py", "def fail():\n    raise ValueError\n")
        archive.writestr("example_pkg/include/example.h", "int main();\n")
        archive.writestr("example_pkg/tests/test_it.py", "")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: example_pkg\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(
            f"{info}/entry_points.txt", "[console_scripts]\nexample=example_pkg:main\n"
        )
        archive.writestr(f"{info}/RECORD", f"{info}/RECORD,,\n")
    return path


def install(
    wheel: pathlib.Path, site: pathlib.Path, digest: str, *options: str
) -> subprocess.CompletedProcess:
    """Run the installer as the repository rule does, on a lock of one local wheel."""
    lock = wheel.parent / "requirements.lock"
    lock.write_text(f"example-pkg @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    script = pathlib.Path(install_environment.__file__)
    command = [sys.executable, script, "--lock", lock, "--site", site, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def tree(site: pathlib.Path) -> dict[str, str]:
    """Relative path -> sha256 of every file."""
    return {
        str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def test_two_folders_have_equal_bytes(wheel, tmp_path):
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for name in ("one", "two/deeper"):
        done = install(wheel, tmp_path / name, digest)
        assert done.returncode == 0, done.stderr
    first = tree(tmp_path / "one")
    assert first == tree(tmp_path / "two/deeper")
    assert any(name.endswith(".pyc") for name in first)
    assert not any("RECORD" in name or name.startswith("bin/") for name in first)


def test_imports_only(wheel, tmp_path):
    """Modules and their data stay; what no import reads, Bazel need not look at."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    names = {}
    for name, options in {"all": [], "imports": ["--imports-only"]}.items():
        assert install(wheel, tmp_path / name, digest, *options).returncode == 0
        found = {path for path in tree(tmp_path / name) if "__pycache__" not in path}
        names[name] = {path for path in found if path.startswith("example_pkg/")}
    left_out = {"example_pkg/include/example.h", "example_pkg/tests/test_it.py"}
    assert names["all"] - names["imports"] == left_out
    assert not (tmp_path / "imports/example_pkg/include").exists()


# What tools/run_module.py does, with the directory that stands in for the environment.
_IMPORTS = """\
import importlib.metadata, importlib.resources, os, sys, traceback
sys.path.insert(0, sys.argv[1])
from tools import archived_packages
archived_packages.install(sys.argv[1])
import example_pkg, typing_example
from example_pkg.space.fails import fail
print(example_pkg.main(), typing_example.ONE, importlib.metadata.version("example_pkg"))
print(importlib.resources.files("example_pkg").joinpath("data.json").read_text())
print(os.listdir(os.path.dirname(example_pkg.__file__)))
try:
    fail()
except ValueError:
    print(traceback.format_exc().splitlines()[-2].strip())
try:
    import example_pkg.lacking
except ModuleNotFoundError as error:
    print(error)
"""


def test_archives(wheel, tmp_path):
    """Packages are imported from a file each; their native libraries lie beside."""
    with zipfile.ZipFile(wheel, "a") as file:
        file.writestr("typing_example.py", "ONE = 1\n")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for name in ("one", "two"):
        archives = tmp_path / name
        done = install(wheel, tmp_path / f"site_{name}", digest, "--archives", str(archives))
        assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert set(tree(tmp_path / "one")) == {
        "example_pkg-1.0.dist-info/METADATA",
        "example_pkg-1.0.dist-info/entry_points.txt",
        "example_pkg.zip",
        "example_pkg/lib/libexample.so.1.0",
        "typing_example.zip",
    }
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", _IMPORTS, tmp_path / "one"],
        capture_output=True,
        text=True,
        check=False,
        cwd=pathlib.Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "1 1 1.0",
        "{}",
        "['lib']",
        "raise ValueError",
        "No module named 'example_pkg.lacking'",
    ]


def test_wrong_hash_is_refused(wheel, tmp_path):
    done = install(wheel, tmp_path / "site", "0" * 64)
    assert done.returncode == 1
    assert done.stderr.startswith("error: pip could not install the lock\n")
    assert "Traceback" not in done.stderr


def test_unsupported_python_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(install_environment, "SUPPORTED", ((3, 98), (3, 99)))
    with pytest.raises(SystemExit, match=r"rules_mlc needs CPython 3\.98 to 3\.99"):
        install_environment.main(["--lock", "x", "--site", str(tmp_path / "site")])


def test_stamp_names_no_path(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text("a==1\n")
    stamp = install_environment.stamp(lock)
    assert stamp["version"].count(".") == 2
    assert not any("/" in value for value in stamp.values())
    lock.write_text("a==2\n")
    assert install_environment.stamp(lock) != stamp
