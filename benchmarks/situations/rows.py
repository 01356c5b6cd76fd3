"""A row of the table: a situation, and what it is measured against."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure beside another.

    Attributes:
        situation: What was done.
        seconds: What it took.
        against: What that is measured against.
        reference: What that took, in seconds.
        aim: What was wanted, in words.
        limit: The same, in seconds.
    """

    situation: str
    seconds: float
    against: str
    reference: float
    aim: str
    limit: float

    def cells(self) -> list[str]:
        """Returns the row's text."""
        return [
            self.situation,
            f"{self.seconds:.2f} s",
            self.against,
            f"{self.reference:.2f} s",
            f"{self.seconds / self.reference:.2f}",
            self.aim,
            "met" if self.seconds <= self.limit else "missed",
        ]


TITLES = ["situation", "", "measured against", "", "ratio", "aim", ""]


def ratio(situation: str, seconds: float, against: str, reference: float, aim: float) -> Row:
    """Returns a row whose aim is a ratio."""
    return Row(situation, seconds, against, reference, f"<= {aim}", aim * reference)


def table(rows: list[Row]) -> str:
    """Returns the rows in Markdown."""
    lines = [TITLES, ["---"] * len(TITLES), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
