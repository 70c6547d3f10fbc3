"""A device in simulated time, and what `Reading` makes of what it says: thousands of pauses in a second."""

import random
from collections import deque
from dataclasses import dataclass, field

from sdk.connection.reading import Asked, Confirm, Done, Reading, Wait

_MOST_SECONDS = 3600.0


@dataclass(slots=True)
class Case:
    """One command: what the device prints, where it pauses for how long, and what it does with what is typed ahead."""

    prompt: str
    """Its last line is the prompt as `Reading` has it; the others say the mode."""
    output: str
    pauses: dict[int, float]
    echoes_ahead: bool
    """As the terminal of a shell: at once, into the output, and once more when it is read."""
    echoes_blanks: bool = True
    has_blank_gap: bool = False
    prompt_before: str | None = None
    """The prompt at which the command is given, where it changes it; "" for none that is known, as at the login."""


@dataclass(slots=True)
class Device:
    """Says its text bit by bit, then answers the lines that were typed meanwhile."""

    case: Case
    now: float = 0.0
    _events: deque[tuple[float, str]] = field(default_factory=deque)
    _typed: list[str] = field(default_factory=list)
    _end: float = 0.0
    _is_done: bool = False

    def start(self, command: str) -> None:
        text = f"{self.case.output}\n{self._prompt}".replace("\n", "\r\n")
        self._events.append((0.0, command + "\r\n"))
        at, begin = 0.0, 0
        for position in [*sorted(self.case.pauses), len(text)]:
            if position > begin:
                self._events.append((at, text[begin:position]))
            at += self.case.pauses.get(position, 0.0)
            begin = position
        self._end = self._events[-1][0]

    def type(self, line: str) -> None:
        if self.now < self._end:
            if self.case.echoes_ahead:
                self._events.appendleft((self.now, line + "\r\n"))
            self._typed.append(line)
        else:
            self._answer(line)

    def _answer(self, line: str) -> None:
        echo = line if self.case.echoes_blanks else ""
        answer = f"{echo}\n{self._prompt}".replace("\n", "\r\n")
        self._events.append((max(self.now, self._end), answer))

    @property
    def _prompt(self) -> str:
        return "\n" * self.case.has_blank_gap + self.case.prompt

    def read(self, seconds: float) -> str:
        """What comes within `seconds` of simulated time."""
        if self._events and self._events[0][0] <= self.now + seconds:
            at, text = self._events.popleft()
            self.now = max(self.now, at)
            if self.now >= self._end and self._typed and all(each[0] > self._end for each in self._events):
                typed, self._typed = self._typed, []
                for line in typed:
                    self._answer(line)
            return text
        self.now += seconds
        return ""


def outcome(case: Case, seed: int) -> str | None:
    """Return what the reading makes of it; None where it finds no end."""
    chance = random.Random(seed)
    device = Device(case)
    device.start("show notes")
    before = case.prompt.split("\n")[-1] if case.prompt_before is None else case.prompt_before
    reading = Reading(
        before or None,
        has_blank_gap=case.has_blank_gap,
        echoes_blanks=case.echoes_blanks,
        blanks=lambda: chance.randint(1, 24),
    )
    read_at = 0.0
    while device.now < _MOST_SECONDS:
        match reading.step(device.now - read_at):
            case Done():
                return reading.output("show notes").rstrip("\n")
            case Confirm(line):
                device.type(line)
                read_at = device.now
            case Asked():
                return None
            case Wait(seconds):
                if text := device.read(max(seconds, 0.001)):
                    reading.feed(text)
                    read_at = device.now
    return None


def random_case(seed: int) -> Case:
    """Make up a case: half of the lines are like the prompt, and up to five pauses stand anywhere."""
    chance = random.Random(seed)
    name = chance.choice(["r1", "core-sw.example", "lab_7", "A", "pe1-re0"])
    prompt = name + chance.choice(["#", ">", "(config)#", "# ", "> "])
    like = [
        prompt.strip(),
        prompt,
        f"{name}#",
        f"{name}>",
        f"{name}#show run",
        f"x {prompt}",
        "other#",
        "> ",
        "#",
    ]
    words = ["interface Gi0/1", "!", " description to r2", "", "  ^", "Total: 5", "100%"]
    lines = [chance.choice(like if chance.random() < 0.5 else words) for _ in range(chance.randint(1, 12))]
    output = "\n".join(lines).rstrip() or "x"
    length = len(output.replace("\n", "\r\n")) + 2
    pauses = {
        chance.randint(1, length): chance.choice([0.02, 0.3, 1.0, 5.0]) for _ in range(chance.randint(0, 5))
    }
    return Case(prompt, output, pauses, echoes_ahead=chance.random() < 0.4)
