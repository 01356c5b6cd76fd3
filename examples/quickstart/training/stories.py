"""Short children's stories written by a small grammar, deterministic by seed.

`grammar/common.txt` holds the words every plot may use and how a story opens and closes; every
other file of `grammar/` is one plot. A file is lines `slot: value | value` (several slots that
belong together: `a, b: a1; b1 | a2; b2`), then `---`, then text, in which `{slot}` stands for the
value drawn for this story, `[one|two]` for a choice, and an empty line for a new paragraph.
`{a_slot}` is the value with its indefinite article, `{the_slot}` with `the` in place of the article
it has, and `{Slot}` the value with a capital.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

GRAMMAR = Path(__file__).parent / "grammar"
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"^(an?|the) ")
_PRONOUNS = {"girl": ("she", "her", "her"), "boy": ("he", "him", "his")}


@dataclasses.dataclass(frozen=True)
class Grammar:
    """One file of the grammar.

    Attributes:
        slots: `(names, alternatives)` in the file's order; an alternative has one value per name.
        texts: the parts of the file after its `---` lines.
    """

    slots: tuple[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], ...]
    texts: tuple[str, ...]


def parse(source: str) -> Grammar:
    """Reads a grammar file.

    Args:
        source: the file's text.

    Returns:
        Its slots and texts.

    Raises:
        ValueError: an alternative has not as many values as its line has names.
    """
    header, *texts = re.split(r"^---\n", source, flags=re.MULTILINE)
    slots = []
    for line in header.splitlines():
        left, _, right = line.partition(":")
        names = tuple(name.strip() for name in left.split(","))
        values = tuple(
            tuple(value.strip() for value in choice.split(";")) if len(names) > 1 else (choice,)
            for choice in (choice.strip() for choice in right.split(" | "))
        )
        if any(len(value) != len(names) for value in values):
            raise ValueError(f"{left}: every alternative must have {len(names)} values")
        slots.append((names, values))
    return Grammar(tuple(slots), tuple(text.strip() for text in texts))


@functools.cache
def load() -> tuple[Grammar, tuple[tuple[str, Grammar], ...]]:
    """Reads the grammar once.

    Returns:
        The common grammar and every plot with its name, sorted by name.
    """
    files = {path.stem: parse(path.read_text("utf-8")) for path in sorted(GRAMMAR.glob("*.txt"))}
    return files.pop("common"), tuple(files.items())


def _choose(text: str, rng: random.Random) -> str:
    while (match := _CHOICE.search(text)) is not None:
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return text


def lookup(values: dict[str, str], name: str) -> str:
    """The value of a slot, or of `a_`, `the_` or a capital before its name (see the module)."""
    if name in values:
        return values[name]
    if name.startswith("a_"):
        value = values[name[2:]]
        return f"{'an' if value[0] in 'aeiou' else 'a'} {value}"
    if name.startswith("the_"):
        return _ARTICLE.sub("the ", values[name[4:]])
    value = values[name[0].lower() + name[1:]]
    return value[:1].upper() + value[1:]


def _fill(text: str, values: dict[str, str], rng: random.Random) -> str:
    """Text with every choice made and every slot filled; slots may hold slots."""
    text = _choose(text, rng)
    while _SLOT.search(text):
        text = _choose(_SLOT.sub(lambda match: lookup(values, match[1]), text), rng)
    return text


def _cast(index: int, common: Grammar) -> dict[str, str]:
    """The hero, the friend and the elder of plot number `index`.

    Each plot has its own: a model this small tells who someone is by the plot, and would mix up
    names that are drawn anew for every story.
    """
    words = {names[0]: choices for names, choices in common.slots}
    genders = ("girl", "boy") if index % 2 else ("boy", "girl")
    hero, friend = (words[gender][index][0] for gender in genders)
    animal, other = (
        words["animal"][(index + offset) % len(words["animal"])][0] for offset in (0, 7)
    )
    values = {"N": hero, "F": friend, "kind": animal if index % 3 else genders[0], "fkind": other}
    for prefix, gender in zip(("", "f"), genders, strict=True):
        pronouns = dict(zip(("he", "him", "his"), _PRONOUNS[gender], strict=True))
        values |= {prefix + name: pronoun for name, pronoun in pronouns.items()}
    elders = next(slot for slot in common.slots if slot[0][0] == "elder")
    return values | dict(zip(elders[0], elders[1][index % len(elders[1])], strict=True))


def story(seed: int | str) -> str:
    """Writes one story.

    Args:
        seed: equal seeds write equal stories.

    Returns:
        Paragraphs of plain ASCII English with an empty line between them, no newline at the end.
    """
    rng = random.Random(f"story {seed}")
    common, plots = load()
    index = rng.randrange(len(plots))
    _, plot = plots[index]
    values = _cast(index, common)
    for names, choices in (*common.slots, *plot.slots):
        for name, value in zip(names, rng.choice(choices), strict=True):
            if name not in values:
                values[name] = _fill(value, values, rng)
    opening, closing = common.texts
    paragraphs = "\n\n".join((opening, plot.texts[0], closing)).split("\n\n")
    filled = (" ".join(_fill(text, values, rng).split()) for text in paragraphs)
    return "\n\n".join(filled)


def stories(count: int, seed: int = 0) -> Iterator[str]:
    """Yields `count` stories of the series that `seed` names."""
    for index in range(count):
        yield story(f"{seed}/{index}")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints stories, an empty line and `* * *` between them."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=1, help="how many stories (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="which series (default: 0)")
    options = parser.parse_args(argv)
    print("\n\n* * *\n\n".join(stories(options.count, options.seed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
