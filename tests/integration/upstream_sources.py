"""What stands in for mlc-llm's sources and for the programs that its scripts start."""

from __future__ import annotations

import os
import pathlib
import sys

from tests.objects import STRONG, macho_object

_XCODE = """\
mkdir -p build/lib
for name in mlc_llm sentencepiece tokenizers_c tokenizers_cpp tvm_ffi_static tvm_runtime; do
  cp "$MLC_LLM_SOURCE_DIR/object" build/lib/lib$name.a
done
"""

_GRADLE = """\
import pathlib, subprocess
output = pathlib.Path("build/output")
(output / "arm64-v8a").mkdir(parents=True)
packed = output / "arm64-v8a/libtvm4j_runtime_packed.so"
command = ["cmake", "-shared", "--whole-archive", "build/lib/libmodel_android.a", "-o", packed]
subprocess.run(command, check=True)
(output / "tvm4j_core.jar").write_text("classes")
"""

_PROJECT = (
    "build.gradle",
    "src/cpp/tvm_runtime.h",
    "src/main/AndroidManifest.xml",
    *(
        f"src/main/java/ai/mlc/mlcllm/{name}"
        for name in ("JSONFFIEngine.java", "MLCEngine.kt", "OpenAIProtocol.kt")
    ),
)


def make_sources(root: pathlib.Path, tvm: str) -> None:
    """Writes sources of mlc-llm; their scripts put files in the places where upstream's do.

    Args:
        root: Their directory.
        tvm: The version that their TVM gives itself.
    """
    texts = {
        "3rdparty/tokenizers-cpp/CMakeLists.txt": "",
        "3rdparty/tvm/include/tvm/runtime/base.h": f'#define TVM_VERSION "{tvm}"\n',
        "android/mlc4j/prepare_libs.py": _GRADLE,
        "ios/prepare_libs.sh": _XCODE,
        **{f"android/mlc4j/{path}": path for path in _PROJECT},
    }
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    # Platform 2 is iOS.
    (root / "object").write_bytes(macho_object({"_runtime": STRONG}, platform=2))


def make_machine(root: pathlib.Path, linker: pathlib.Path) -> dict[str, str]:
    """Writes the programs of a machine that can build those sources; returns its variables.

    Args:
        root: Where to write them.
        linker: What takes the place of cmake: ld.lld.
    """
    programs = {
        "cmake": f'exec "{linker}" "$@"',
        "javac": "",
        "python3": f'PYTHONPATH="{root}/packages" exec "{sys.executable}" "$@"',
        "rustup": "echo aarch64-apple-ios; echo aarch64-linux-android",
        "xcrun": "",
    }
    for name, line in programs.items():
        path = root / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
    for path in ("packages/mlc_llm/__init__.py", "ndk/build/cmake/android.toolchain.cmake"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    return {"ANDROID_NDK": str(root / "ndk"), "PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
