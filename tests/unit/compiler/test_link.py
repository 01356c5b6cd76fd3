"""How the programs that make a library of objects are called, and what becomes of their output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import config
from tools.cli import UserError
from tools.compiler.compile import compile_library
from tools.compiler.link import linked_bytes


def program(path: Path, *lines: str) -> Path:
    """Writes a shell script."""
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


@pytest.fixture
def echo(tmp_path) -> Path:
    """A linker whose output is its arguments, a line each."""
    return program(
        tmp_path / "echo",
        'printf "%s\\n" "$@" > arguments',
        'while [ "$1" != -o ]; do shift; done; cp arguments "$2"',
    )


def test_runtime_and_options_of_web_assembly(echo, tmp_path):
    """emcc gets upstream's options, the runtime by its absolute path, then the objects."""
    runtime = tmp_path / "runtime.bc"
    objects = {"lib0.o": b"", "devc.o": b""}
    arguments = linked_bytes(objects, "wasm", echo, inputs=[runtime]).decode().split()
    assert {"--no-entry", "-sSTANDALONE_WASM=1", "-sWASM_BIGINT=1"} <= set(arguments)
    assert arguments[-5:] == ["-o", "library.wasm", str(runtime), "devc.o", "lib0.o"]


def test_options_take_the_place_of_the_usual_ones(echo):
    arguments = linked_bytes({"a.o": b""}, "wasm", echo, options=["--export-all"]).decode()
    assert arguments.split() == ["--export-all", "-o", "library.wasm", "a.o"]


@pytest.fixture
def cuda(small_key, tmp_path):
    """A function that compiles for CUDA with an nvcc and returns the log's description."""
    key = small_key("cuda:x86_64-linux")

    def cuda(nvcc: Path) -> None:
        library = tmp_path / "small.tar"
        compile_library(key, library, tmp_path / "small.json", tmp_path / "small.log", nvcc=nvcc)

    return cuda


def test_machine_code_takes_the_place_of_source(cuda, tmp_path):
    """What nvcc wrote is what TVM's runtime will read; of the source nothing is left."""
    compile_code = program(
        tmp_path / "nvcc",
        'grep -q "__global__ void" kernels.cu && echo "$@" | grep -q arch=compute_80,code=sm_80',
        "[ $? = 0 ] && i=0 && while [ $i -lt 999 ]; do printf CODE; i=$((i+1)); done > kernels",
    )
    cuda(compile_code)
    archive = (tmp_path / "small.tar").read_bytes()
    assert b"CODE" * 999 in archive
    assert b"__global__" not in archive
    assert b"...." not in archive
    start = archive.index(b"\x05" + bytes(7) + b"cubin")
    assert archive[start - 12 : start - 8] == b"cuda"
    assert '"cuda-cubin"' in (tmp_path / "small.json").read_text()


def test_nvcc_that_fails(cuda, tmp_path):
    """Its error is shown, in one line."""
    fail = program(tmp_path / "nvcc", "echo 'kernels.cu(1): error: no such thing' >&2", "exit 2")
    with pytest.raises(UserError) as error:
        cuda(fail)
    assert str(error.value) == f"--nvcc {fail}: kernels.cu(1): error: no such thing"


def test_nvcc_for_another_device(small_key, tmp_path):
    key = small_key("android")
    with pytest.raises(UserError, match="device android has no CUDA kernels; leave it out"):
        compile_library(key, tmp_path / "a.tar", None, tmp_path / "log", nvcc=tmp_path / "nvcc")


@pytest.mark.parametrize("device", config.devices())
def test_every_linked_form_has_a_linker(small_key, tmp_path, device):
    """Without one it is asked for, before anything is compiled."""
    for form in config.device(device).libraries:
        if form != "tar":
            with pytest.raises(UserError, match="give --linker with a program that takes the"):
                compile_library(small_key(device), tmp_path / f"a.{form}", None, tmp_path / "log")
