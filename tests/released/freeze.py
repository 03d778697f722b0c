"""Freeze the statements of this version: to be run when it is released, and committed with it.

    python tests/released/freeze.py

Each SQL constant of the store, under the number of the newest migration. The next versions hold
their migrations against it: `tests/test_migrations.py`.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

from core.store import migrate

HERE = Path(__file__).resolve().parent
STORE = Path(migrate.__file__).parent
VERB = re.compile(r"\s*(select|insert|update|delete|with|lock|merge)\b", re.IGNORECASE)


def statements() -> dict[str, str]:
    """Every SQL constant of the store, by where it stands."""
    found = {}
    for path in sorted(STORE.glob("*.py")):
        module = importlib.import_module(f"core.store.{path.stem}".removesuffix(".__init__"))
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and VERB.match(value):
                found[f"{path.stem}.{name}"] = value
    return found


if __name__ == "__main__":
    file = HERE / f"{migrate.shipped()[-1].version:04}.json"
    file.write_text(json.dumps(statements(), indent=1, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{file.name}: {len(statements())} statements\n")
