"""A runtime from elsewhere is listed if it is for the device, and holds the package's libraries."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.objects import STRONG, elf_object, macho_object
from tools import cli
from tools.archive import ar_elf, ar_macho
from tools.archive.ar_format import Member
from tools.library.__main__ import main


def _runtime(workshop, device, **files):
    pairs = []
    for path, data in files.items():
        pairs += ["--file", f"lib/{path}", workshop.write(path, data)]
    main(["runtime", "--where", "//a:b", "--device", device, *pairs, "--output", "out.json"])
    return json.loads((workshop.folder / "out.json").read_bytes())


def _archive(platform):
    rust = Member("lib.rmeta", b"not an object", ())
    data = macho_object({"_main": STRONG}, platform=platform)
    return ar_macho.archive([rust, Member("main.o", data, ())])


def test_listing(workshop):
    library = _archive(2)
    found = _runtime(workshop, "iphone", **{"b.a": library, "a.jar": b"x"})
    digests = [hashlib.sha256(data).hexdigest() for data in (b"x", library)]
    assert found == [
        {"path": "lib/a.jar", "nbytes": 1, "sha256": digests[0]},
        {"path": "lib/b.a", "nbytes": len(library), "sha256": digests[1]},
    ]


@pytest.mark.parametrize(
    ("device", "data", "line"),
    [
        (
            "iphone",
            _archive(7),
            "is for the platform ios-simulator, and device iphone is ios; compile it for iphone",
        ),
        (
            "macabi",
            _archive(2),
            "is for the platform ios, and device macabi is macabi; compile it for macabi",
        ),
        (
            "iphone",
            ar_elf.archive([Member("a.o", elf_object({"main": STRONG}), ())]),
            "is ELF, and device iphone takes Mach-O; compile it for iphone",
        ),
        ("iphone", b"!<arch>\n", "holds no ELF or Mach-O object; build the runtime again"),
    ],
)
def test_runtime_of_another_device(workshop, device, data, line):
    with pytest.raises(cli.UserError) as caught:
        _runtime(workshop, device, **{"x.a": data})
    assert str(caught.value) == f"//a:b: x.a: {line}"


def _linked(workshop, runtime):
    library = workshop.tar("phi.tar", devc=workshop.object())
    runtime = workshop.write("packed.so", runtime)
    main(
        [
            *("linked", "--where", "//a:b", "--runtime", runtime),
            *("--library", library, "--output", "checked"),
        ]
    )


def test_libraries_are_linked_into_the_runtime(workshop):
    _linked(workshop, b"code before" + workshop.object() + b"code after")
    assert (workshop.folder / "checked").exists()


def test_other_libraries_were_linked(workshop):
    old = workshop.object(kernels={"opencl": "cl older"})
    with pytest.raises(cli.UserError) as caught:
        _linked(workshop, b"code before" + old + b"code after")
    assert str(caught.value) == (
        "//a:b: packed.so does not hold the library of phi___tvm_ffi__library_bin as this package "
        "has it; link the runtime again with the package's libmodel_android.a"
    )
