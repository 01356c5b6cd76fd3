"""The training text: the same for a seed everywhere, and without traces of the grammar."""

from __future__ import annotations

import re

import pytest

from examples.quickstart.training import stories


def test_a_seed_always_writes_the_same_story() -> None:
    """Training on another machine must see the same text."""
    first = list(stories.stories(20, seed=7))
    assert first == list(stories.stories(20, seed=7))
    assert first != list(stories.stories(20, seed=8))
    assert len(set(first)) == 20


def test_every_plot_is_told_without_leftovers_of_the_grammar() -> None:
    """A slot or choice that is not filled would be learned and written by the model."""
    _, plots = stories.load()
    told = list(stories.stories(60 * len(plots)))
    for text in told:
        assert not re.search(r"[\[\]{}|;]| [.,!?]|\.\.|\b[Aa] [aeio]|\b[Aa]n [^aeiou]", text), text
        assert text.isascii() and text.count('"') % 2 == 0, text
        assert all(paragraph for paragraph in text.split("\n\n")), text
    sentences = [text.splitlines()[2] for text in told]
    assert len({sentence.split(".")[-2] for sentence in sentences}) > len(plots)


def test_the_hero_keeps_one_name() -> None:
    """The model learns to stay with a name only from stories that do."""
    for text in stories.stories(50, seed=3):
        hero = re.search(r"^(\w+) was a |named (\w+)|name was (\w+)", text)
        assert hero is not None, text
        assert text.count(hero[hero.lastindex]) >= 4, text


def test_a_tuple_with_a_missing_value_is_an_error() -> None:
    """Values that belong together must not shift by one."""
    with pytest.raises(ValueError, match="every alternative must have 2 values"):
        stories.parse("tool, fix: a rope; pull | a lamp\n---\ntext\n")


@pytest.mark.parametrize(
    ("slot", "expected"),
    [("a_thing", "an apple"), ("the_guide", "the old owl"), ("Guide", "An old owl")],
)
def test_articles_and_capitals(slot: str, expected: str) -> None:
    """Derived slots write correct English."""
    assert stories.lookup({"thing": "apple", "guide": "an old owl"}, slot) == expected
