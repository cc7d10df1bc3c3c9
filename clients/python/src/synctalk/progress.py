"""Which numbers of a sequence 1, 2, 3 … were seen."""


class Progress:
    """Everything up to `up_to`, and single numbers ahead of it."""

    __slots__ = ("_ahead", "up_to")

    def __init__(self, up_to: int = 0) -> None:
        self.up_to = up_to
        self._ahead: set[int] = set()

    def has(self, number: int) -> bool:
        return number <= self.up_to or number in self._ahead

    def add(self, number: int) -> None:
        if number > self.up_to:
            self._ahead.add(number)
            self.reach(self.up_to)

    def reach(self, number: int) -> None:
        """Note that everything up to a number was seen."""
        self.up_to = max(self.up_to, number)
        while self.up_to + 1 in self._ahead:
            self.up_to += 1
        self._ahead = {ahead for ahead in self._ahead if ahead > self.up_to}
