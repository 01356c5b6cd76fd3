"""The symbols of a WebAssembly object, which lief does not read.

The format: https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md
"""

from __future__ import annotations

_CUSTOM, _IMPORT = 0, 2
_SYMBOL_TABLE = 8
_FUNCTION, _DATA, _GLOBAL, _SECTION, _TABLE = 0, 1, 2, 3, 5
_WEAK, _LOCAL, _UNDEFINED, _EXPLICIT_NAME = 0x01, 0x02, 0x10, 0x40


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        """An unsigned LEB128."""
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, size: int) -> _Reader:
        self.at += size
        return _Reader(self.data[self.at - size : self.at])

    def name(self) -> str:
        return self.take(self.number()).data.decode()

    def left(self) -> bool:
        return self.at < len(self.data)


def symbols(data: bytes) -> tuple[set[str], set[str], set[str]]:
    """Returns the global symbols: strong ones, weak ones, undefined ones."""
    assert data[:8] == b"\0asm\1\0\0\0"
    reader = _Reader(data[8:])
    imports: dict[int, list[str]] = {}
    found: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    while reader.left():
        kind, section = reader.byte(), reader.take(reader.number())
        if kind == _IMPORT:
            imports = _imports(section)
        elif kind == _CUSTOM and section.name() == "linking":
            section.number()
            while section.left():
                kind, part = section.byte(), section.take(section.number())
                if kind == _SYMBOL_TABLE:
                    _read_symbols(part, imports, found)
    return found


def _imports(section: _Reader) -> dict[int, list[str]]:
    """Returns the imports of each kind of symbol, in the order of their indices."""
    result: dict[int, list[str]] = {_FUNCTION: [], _GLOBAL: [], _TABLE: []}
    kinds = {0: _FUNCTION, 1: _TABLE, 3: _GLOBAL}
    for _ in range(section.number()):
        section.name()
        name, kind = section.name(), section.byte()
        if kind in kinds:
            result[kinds[kind]].append(name)
        if kind == 0:
            section.number()
        elif kind == 3:
            section.take(2)
        else:
            if kind == 1:
                section.byte()
            for _ in range(1 + section.number() % 2):
                section.number()
    return result


def _read_symbols(part: _Reader, imports: dict[int, list[str]], found) -> None:
    strong, weak, undefined = found
    for _ in range(part.number()):
        kind, flags = part.byte(), part.number()
        is_undefined = bool(flags & _UNDEFINED)
        if kind == _SECTION:
            part.number()
            continue
        if kind == _DATA:
            name = part.name()
            if not is_undefined:
                for _ in range(3):
                    part.number()
        else:
            index = part.number()
            is_named = not is_undefined or flags & _EXPLICIT_NAME
            name = part.name() if is_named else imports[kind][index]
        if not flags & _LOCAL:
            (undefined if is_undefined else weak if flags & _WEAK else strong).add(name)
