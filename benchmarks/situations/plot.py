"""The rows as a picture: how much of what was wanted at most each situation takes."""

from __future__ import annotations

from benchmarks.situations.rows import Row


def write_plot(rows: list[Row], path: str) -> None:
    """Writes bars, seconds as a part of the limit.

    Args:
        rows: The rows, the first on top.
        path: The file; its suffix says which format, such as ``.svg``.
    """
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "situations"})
    from matplotlib import pyplot

    names = [f"{row.situation}\nagainst {row.against}" for row in reversed(rows)]
    parts = [row.seconds / row.limit for row in reversed(rows)]
    figure, axes = pyplot.subplots(figsize=(9, 0.7 * len(rows) + 1))
    bars = axes.barh(names, parts, color=["tab:green" if p <= 1 else "tab:orange" for p in parts])
    axes.bar_label(bars, [f"{part:.2f}" for part in parts], padding=3)
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set_xlabel("seconds, as a part of the limit")
    axes.spines[["right", "top"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)
