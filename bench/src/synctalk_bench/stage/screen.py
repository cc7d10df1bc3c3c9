"""The screen: one line for each thing that a client received, headings between the acts."""

import sys
import time

from rich.console import Console
from rich.text import Text

WIDTH_WITHOUT_TERMINAL = 120
COLOURS = {"Ada": "cyan", "Ben": "green", "Cleo": "magenta"}
EVENT_WIDTH = 20


class Screen:
    def __init__(self) -> None:
        self._console = Console(
            width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False, soft_wrap=True
        )
        self._began = time.monotonic()

    def heading(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/bold]")

    def received(self, who: str, event: str, text: str) -> None:
        """What a client got, and when."""
        line = Text(f"{self.elapsed_s():6.2f} s  ", style="dim")
        line.append(f"{who:<5}", style=f"bold {COLOURS.get(who, 'white')}")
        line.append(f" {event:<{EVENT_WIDTH}} ", style="dim")
        line.append(text, style="default")
        self._console.print(line)

    def end(self, text: str) -> None:
        self._console.print(f"\n[bold green]{text}[/bold green]")

    def failure(self, text: str) -> None:
        self._console.print(Text(f"\n{text}", style="bold red"))

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began
