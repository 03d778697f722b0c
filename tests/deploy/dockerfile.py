"""A Dockerfile as stages of instructions, and the build context that its `.dockerignore` leaves."""

from __future__ import annotations

import fnmatch
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Stage:
    """One `FROM` with what follows it: (instruction, rest) in order."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for verb, rest in self.steps if verb == instruction]

    def one(self, instruction: str) -> str:
        (rest,) = self.all(instruction)
        return rest

    def pairs(self, instruction: str) -> dict[str, str]:
        """`ENV` and `LABEL`: what stands on the right of each name."""
        found = re.findall(r'([\w.]+)=("[^"]*"|\S*)', " ".join(self.all(instruction)))
        return {name: value.strip('"') for name, value in found}


def stages(path: Path) -> tuple[dict[str, str], list[Stage]]:
    """The `ARG`s before the first stage, and the stages."""
    text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text())
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for line in filter(str.strip, lines):
        verb, _, rest = line.strip().partition(" ")
        if verb == "FROM":
            image, _, name = rest.partition(" AS ")
            found.append(Stage(image, name))
        elif not found:
            name, _, value = rest.partition("=")
            arguments[name] = value
        else:
            found[-1].steps.append((verb, rest))
    return arguments, found


class Context:
    """What a build may copy from the project's root."""

    def __init__(self, root: Path = ROOT) -> None:
        lines = (root / ".dockerignore").read_text().splitlines()
        self._root = root
        self._rules = [line for line in lines if line and not line.startswith("#")]

    def holds(self, path: Path) -> bool:
        """The last rule that fits decides, as Docker does."""
        name, held = str(path.relative_to(self._root)), True
        for rule in self._rules:
            pattern = rule.removeprefix("!").removeprefix("**/")
            parts = [name, *(str(p) for p in Path(name).parents)]
            if rule.startswith("**/"):
                parts = list(Path(name).parts)
            if any(fnmatch.fnmatch(part, pattern) for part in parts if part != "."):
                held = rule.startswith("!")
        return held

    def files(self, source: str) -> list[Path]:
        """The files of a `COPY` source; none: Docker would fail."""
        start = self._root / source
        every = [start] if start.is_file() else sorted(p for p in start.rglob("*") if p.is_file())
        return [path for path in every if self.holds(path)]

    def copy(self, step: str, target: Path) -> None:
        """Do one `COPY` of a build stage into the working directory *target*."""
        *sources, into = step.split()
        for source in sources:
            found = self.files(source)
            assert found, f"COPY {source}: nothing of it is in the build context"
            is_file = (self._root / source).is_file()
            for path in found:
                inner = Path(path.name) if is_file else path.relative_to(self._root / source)
                place = target / into / inner
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)
