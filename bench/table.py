"""What every benchmark does with its figures: medians and spreads in a table, ratios in a file. It never judges."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass
class Figures:
    """What one contestant did in one case, round after round."""

    rates: list[float] = field(default_factory=list)  # per second
    cpu_ms: list[float] = field(default_factory=list)  # per message; empty where nobody can tell

    @property
    def rate(self) -> float:
        """The middle round."""
        return median(self.rates)

    @property
    def spread(self) -> float:
        """From the worst round to the best, as part of the middle one."""
        return (max(self.rates) - min(self.rates)) / self.rate


@dataclass(frozen=True)
class Ratio:
    """One line of the JSON file."""

    case: str  # both sides, the size and the connections
    ours: float
    peer: float
    ratio: float
    unit: str


def ratio(case: str, ours: Figures, peer: Figures, unit: str) -> Ratio:
    """Our middle round over theirs; both were taken in one run."""
    return Ratio(case, round(ours.rate, 1), round(peer.rate, 1), round(ours.rate / peer.rate, 2), unit)


def show(title: str, lines: Iterable[tuple[str, str, Figures, Figures | None]], unit: str) -> None:
    """Print one line for each (case, contestant, figures, figures of the peer to compare with)."""
    table = Table("case", "who", title=title, box=box.SIMPLE, title_justify="left")
    for name in (unit, "spread", "CPU ms each", "÷ peer"):
        table.add_column(name, justify="right")
    for case, who, figures, peer in lines:
        table.add_row(
            case,
            who,
            f"{figures.rate:,.0f}",
            f"{figures.spread:.0%}",
            f"{median(figures.cpu_ms):.2f}" if figures.cpu_ms else "",
            f"{figures.rate / peer.rate:.2f}" if peer else "",
        )
    Console(width=110).print(table)


def write_json(path: Path, ratios: Iterable[Ratio]) -> None:
    """Write the ratios for machines."""
    rows = {"rows": [asdict(row) for row in ratios]}
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
