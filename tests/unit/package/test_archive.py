"""The archive holds every library once, has a symbol index that linkers read, and is checked."""

from __future__ import annotations

import itertools

import pytest

from tools.archive import ar_elf, ar_format, ar_macho
from tools.archive.__main__ import main
from tools.archive.ar_format import Member
from tools.cli import UserError

SUFFIX = "__tvm_ffi__library_bin"
FORMATS = pytest.mark.parametrize("kind", ["elf", "macho"])


def _mangled(kind, name):
    return f"_{name}" if kind == "macho" else name


@pytest.fixture
def library(workshop, make_object):
    """Writes a library of two objects, as the compiler makes them; returns the arguments."""

    def make(kind, model_lib, name=None, extra=b"\0" * 8, **symbols):
        entry = _mangled(kind, f"{model_lib}_{SUFFIX}")
        device_code = make_object(kind, {entry: "strong"}, extra)
        code = {
            _mangled(kind, f"__tvm_ffi_{model_lib}_decode"): "strong",
            _mangled(kind, "__truncsfhf2"): "weak",
            _mangled(kind, "helper"): "local",
            _mangled(kind, "TVMFFIFunctionCall"): "undefined",
            **symbols,
        }
        objects = {"lib0.o": make_object(kind, code), "devc.o": device_code}
        name = name or model_lib
        return [
            "--library",
            workshop.key(model_lib, name=name),
            workshop.tar(f"{name}.tar", objects),
        ]

    return make


def _archive(kind, *libraries, output="lib.a"):
    main(["--object", kind, "--output", output, *itertools.chain(*libraries)])
    with open(output, "rb") as file:
        return file.read()


@FORMATS
def test_members_and_index(library, read_ar, kind):
    data = _archive(kind, library(kind, "llama_q4"), library(kind, "a_much_longer_name_of_a_lib"))
    members, index = read_ar(data)
    assert [name for name, _, _ in members] == [
        "a_much_longer_name_of_a_lib_devc.o",
        "a_much_longer_name_of_a_lib_lib0.o",
        "llama_q4_devc.o",
        "llama_q4_lib0.o",
    ]
    entry = _mangled(kind, f"llama_q4_{SUFFIX}")
    assert index[entry] == "llama_q4_devc.o"
    assert index[_mangled(kind, "__tvm_ffi_llama_q4_decode")] == "llama_q4_lib0.o"
    assert _mangled(kind, "__truncsfhf2") in index
    assert _mangled(kind, "helper") not in index
    assert _mangled(kind, "TVMFFIFunctionCall") not in index


@FORMATS
def test_contents_are_those_of_the_library(workshop, library, read_ar, make_object, kind):
    members, _ = read_ar(_archive(kind, library(kind, "lib", extra=b"\1" * 13)))
    wanted = make_object(kind, {_mangled(kind, f"lib_{SUFFIX}"): "strong"}, b"\1" * 13)
    name, _, data = members[0]
    assert name == "lib_devc.o"
    assert data[: len(wanted)] == wanted
    assert set(data[len(wanted) :]) <= {ord("\n")}


@FORMATS
def test_bytes_do_not_depend_on_order_or_repetition(library, kind):
    a, b = library(kind, "a"), library(kind, "b")
    assert _archive(kind, a, b) == _archive(kind, b, a, b, output="again.a")


@FORMATS
def test_equal_libraries_of_two_files_are_archived_once(library, read_ar, kind):
    first, second = library(kind, "a"), library(kind, "a", name="copy")
    assert len(read_ar(_archive(kind, first, second))[0]) == 2


@FORMATS
def test_mach_o_members_are_aligned(library, read_ar, kind):
    data = _archive(kind, library(kind, "a", extra=b"\1" * 13), library(kind, "b"))
    members, _ = read_ar(data)
    alignment = 8 if kind == "macho" else 2
    for _, offset, body in members:
        assert offset % alignment == 0
        assert len(body) % alignment == 0 or kind == "elf"
        assert data.index(body, offset) % alignment == 0
    assert len(data) % alignment == 0


def test_compressed_tars_of_other_compilers_are_read(workshop, make_object, read_ar):
    objects = {"dir/lib0.o": make_object("elf", {f"a_{SUFFIX}": "strong"})}
    pair = [workshop.key("a"), workshop.tar("a.tar", objects, "w:gz")]
    members, _ = read_ar(_archive("elf", ["--library", *pair]))
    assert [name for name, _, _ in members] == ["a_lib0.o"]


def test_other_symbol_suffix(workshop, make_object):
    objects = {"lib0.o": make_object("elf", {"a___tvm_dev_mblob": "strong"})}
    arguments = ["--object", "elf", "--symbol-suffix", "__tvm_dev_mblob"]
    arguments += ["--library", workshop.key("a"), workshop.tar("a.tar", objects)]
    main([*arguments, "--output", "lib.a"])


def _error(*arguments):
    with pytest.raises(UserError) as caught:
        _archive(*arguments)
    return str(caught.value)


def test_one_name_with_two_contents(library):
    first = library("elf", "a")
    second = library("elf", "a", name="other", extra=b"different")
    assert _error("elf", first, second) == (
        'model_lib "a": a.tar and other.tar are different libraries of one name; '
        "give one of them another model_lib"
    )


@FORMATS
def test_library_without_its_symbol(workshop, library, kind):
    wrong = ["--library", workshop.key("b"), library(kind, "a")[2]]
    assert _error(kind, wrong) == (
        f"a.tar: does not define {_mangled(kind, 'b_' + SUFFIX)}, and it defines "
        f"{_mangled(kind, 'a_' + SUFFIX)}; "
        "was it compiled with another model_lib or another version of the compiler?"
    )


def test_library_without_any_such_symbol(workshop, make_object):
    objects = {"lib0.o": make_object("elf", {f"a_{SUFFIX}": "undefined", "x": "strong"})}
    wrong = ["--library", workshop.key("a"), workshop.tar("a.tar", objects)]
    assert _error("elf", wrong) == (
        f"a.tar: does not define a_{SUFFIX}, and it has no symbol of that kind; "
        "was it compiled with another model_lib or another version of the compiler?"
    )


def test_two_libraries_with_one_strong_symbol(library):
    first = library("elf", "a", shared_symbol="strong")
    second = library("elf", "b", shared_symbol="strong")
    assert _error("elf", first, second) == (
        "b.tar: defines shared_symbol, and so does the library a; "
        "compile both with prefixed symbols"
    )


@pytest.mark.parametrize(
    ("kind", "other", "name"), [("elf", "macho", "ELF"), ("macho", "elf", "Mach-O")]
)
def test_object_of_another_format(library, kind, other, name):
    assert _error(kind, library(other, "a")) == (
        f"a.tar: devc.o: is not a 64-bit {name} object; "
        "was the library compiled for another device?"
    )


def test_damaged_object(workshop):
    objects = {"lib0.o": b"\xcf\xfa\xed\xfe" + b"\0" * 3}
    library = ["--library", workshop.key("a"), workshop.tar("a.tar", objects)]
    assert _error("macho", library) == (
        "a.tar: lib0.o: is not a 64-bit Mach-O object; was the library compiled for another device?"
    )


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("kept", [3, 300])
def test_truncated_tar(workshop, mode, kept):
    path = workshop.tar("a.tar", {"lib0.o": bytes(range(256)) * 40}, mode)
    with open(path, "rb+") as file:
        file.truncate(kept)
    assert _error("elf", ["--library", workshop.key("a"), path]) == (
        "a.tar: is not a complete .tar of objects; compile the library again"
    )


def test_empty_tar(workshop):
    library = ["--library", workshop.key("a"), workshop.tar("a.tar", {})]
    assert _error("elf", library) == ("a.tar: holds no object; compile the library again")


def test_two_objects_of_one_name(workshop, make_object):
    found = make_object("elf", {"x": "strong"})
    library = [
        "--library",
        workshop.key("a"),
        workshop.tar("a.tar", {"x/l.o": found, "y/l.o": found}),
    ]
    assert _error("elf", library) == ("a.tar: y/l.o: expected object files of distinct names")


@pytest.mark.parametrize("writer", [ar_elf.archive, ar_macho.archive])
def test_archive_of_more_than_the_index_can_hold(writer, monkeypatch):
    monkeypatch.setattr(ar_format, "_LARGEST", 200)
    with pytest.raises(UserError) as caught:
        writer([Member("a.o", b"x" * 200, ("a",))])
    size = len("!<arch>\n") + 60 + 60 + 200 + (10 if writer is ar_elf.archive else 12 + 24 + 4)
    assert str(caught.value) == (
        f"the archive would have {size} bytes, and its symbol index can hold 200; "
        "package fewer libraries"
    )


def test_gnu_format_byte_for_byte():
    data = ar_elf.archive(
        [Member("short.o", b"abc", ("one", "two")), Member("longer_than_15_bytes.o", b"de", ())]
    )
    assert data == (
        b"!<arch>\n"
        b"/               0           0     0     0       20        `\n"
        b"\0\0\0\2\0\0\0\xac\0\0\0\xacone\0two\0"
        b"//                                              24        `\n"
        b"longer_than_15_bytes.o/\n"
        b"short.o/        0           0     0     644     3         `\n"
        b"abc\n"
        b"/0              0           0     0     644     2         `\n"
        b"de"
    )


def test_darwin_format_byte_for_byte():
    data = ar_macho.archive([Member("short.o", b"abc", ("_one", "_two"))])
    assert data == (
        b"!<arch>\n"
        b"#1/12           0           0     0     0       52        `\n"
        b"__.SYMDEF\0\0\0"
        b"\x10\0\0\0\0\0\0\0\x78\0\0\0\5\0\0\0\x78\0\0\0\x10\0\0\0_one\0_two\0\0\0\0\0\0\0"
        b"#1/12           0           0     0     644     20        `\n"
        b"short.o\0\0\0\0\0abc\n\n\n\n\n"
    )
