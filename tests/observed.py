"""An observer that keeps what it was told, in order."""

from typing import Any

from supervisor.worker.observer import Observer


class Observed(Observer):
    """`told` has the name of each call with its arguments."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in vars(Observer) and not name.startswith("_"):
            return lambda *arguments: self.told.append((name, *arguments))
        return super().__getattribute__(name)
