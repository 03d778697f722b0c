"""The house's rules, held by a test each: sizes, arrows, origins, words, SQL, locks."""

from __future__ import annotations

import ast
import hashlib
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from statistics import median

import pytest

from core.store import recalled

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("connectors", "core", "sla")
MIGRATIONS = ROOT / "core" / "store" / "migrations"
TOP_LEVEL = {
    "connectors", "core", "sla", "deploy", "tests", "docs", "benchmarks",
    "settings.toml", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
    "NOTICE",
    "Makefile", "requirements.lock", "requirements-dev.lock",
    ".ci", ".dockerignore", ".gitignore", ".pre-commit-config.yaml",
}  # fmt: skip


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def sources() -> list[Path]:
    return sorted(p for name in PACKAGES for p in (ROOT / name).rglob("*.py"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("name", PACKAGES)
def test_each_package_comes_from_this_tree(name):
    origin = Path(importlib.import_module(name).__file__ or "")

    assert origin.resolve() == ROOT / name / "__init__.py"


def test_the_listing_shows_only_the_known_names():
    assert {p.relative_to(ROOT).parts[0] for p in tracked()} <= TOP_LEVEL


def test_no_file_is_over_400_lines():
    long = {name_of(p): n for p in sources() if (n := len(p.read_text().splitlines())) > 400}

    assert long == {}


def test_no_function_is_over_50_lines_and_the_median_is_small():
    sizes = [(length(f), name_of(p), f.name) for p in sources() for f in functions(p)]

    assert [s for s in sizes if s[0] > 50] == []
    assert median(s[0] for s in sizes) <= 10


def test_import_contracts_hold():
    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_nothing_shipped_imports_tests_or_the_conformance_class():
    for path in sources():
        names = imported(path)
        assert not {n for n in names if n.split(".")[0] == "tests"}, path
        assert "core.conformance" not in names, path


DECLARES = {3: "__init__.py", 4: "entry.py"}
"""Where a connector is declared, and where one of its kinds is, by how deep the file lies."""


def test_a_sandbox_is_imported_only_by_its_spec_and_by_sandboxes():
    for path in sources():
        if "sandbox" in path.parts or "sandbox" in path.name:
            continue
        stray = {n for n in imported(path) if ".sandbox" in n}
        place = path.relative_to(ROOT).parts
        if place[0] == "connectors" and place[-1] == DECLARES.get(len(place)):
            continue
        assert not stray, (path, stray)


def test_only_the_store_imports_the_driver_and_only_transport_retries():
    for path in sources():
        names = imported(path)
        if "store" not in path.parts:
            assert not runtime_imports(path) & {"asyncpg"}, path
        if "transport" not in path.parts:
            assert not {n for n in names if n.split(".")[0] == "tenacity"}, path


def runtime_imports(path: Path) -> set[str]:
    """Top names imported outside `if TYPE_CHECKING:` blocks."""
    found: set[str] = set()

    def walk(nodes: list[ast.stmt]) -> None:
        for node in nodes:
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                walk(node.orelse)
            elif isinstance(node, ast.Import):
                found.update(a.name.split(".")[0] for a in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
            else:
                for field in ("body", "orelse", "finalbody", "handlers"):
                    walk(getattr(node, field, []) or [])

    walk(ast.parse(path.read_text(encoding="utf-8")).body)
    return found


def test_package_files_hold_a_docstring_and_no_code():
    allowed = {ROOT / "core" / "store" / "__init__.py"}
    allowed |= set((ROOT / "connectors").glob("*/__init__.py"))
    for path in sources():
        if path.name == "__init__.py" and path not in allowed:
            body = ast.parse(path.read_text()).body
            assert [n for n in body if not isinstance(n, ast.Expr)] == [], path


def test_each_package_says_what_it_is():
    for name in PACKAGES:
        text = ast.get_docstring(ast.parse((ROOT / name / "__init__.py").read_text())) or ""
        assert "Imported by" in text, name
        assert "Never" in text, name


def test_only_the_loops_read_the_wall_clock():
    reader = re.compile(r"datetime\.now\(|\btime\.time\(|datetime\.utcnow|date\.today\(")
    strays = [name_of(p) for p in sources() if reader.search(p.read_text())]

    assert strays == ["core/loops.py"]


def test_no_path_is_patched():
    banned = re.compile(r"unittest\.mock|\bmonkeypatch\.setattr\(\s*[\"']")
    here = Path(__file__)
    strays = [name_of(p) for p in tracked()
              if p.suffix == ".py" and p != here and banned.search(p.read_text())]  # fmt: skip

    assert strays == []


def test_each_exception_from_a_rule_gives_its_reason():
    mark = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)(.*)$")
    bare = []
    for path in tracked():
        if path.suffix != ".py" or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = mark.search(line)
            if found and not re.search(r"[\]\w]\s+#?\s*\S+", found[2].strip(": ")):
                bare.append(f"{name_of(path)}:{number}")

    assert bare == []


WORDS_NOT_USED = re.compile(
    r"(Manager|Handler|Service|Util|Utils|Helper|Impl|Ticket|Channel|Event)$|^(Base|I[A-Z][a-z])"
)


def test_names_are_the_glossarys():
    strays = [
        f"{name_of(path)}: {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and WORDS_NOT_USED.search(node.name)
    ]

    assert strays == []


def test_tests_have_no_package_files():
    assert [p for p in (ROOT / "tests").rglob("__init__.py") if "foreign" not in p.parts] == []


def statements() -> list[tuple[str, str]]:
    """Every SQL constant of the store: (where, text)."""
    verb = re.compile(r"\s*(select|insert|update|delete|with|lock|merge)\b", re.IGNORECASE)
    found = []
    for path in sorted((ROOT / "core" / "store").glob("*.py")):
        module = importlib.import_module(f"core.store.{path.stem}".removesuffix(".__init__"))
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and verb.match(value):
                found.append((f"{path.stem}.{name}", value))
    return found


async def test_every_query_prepares(pool):
    queries = statements()
    assert len(queries) > 20

    async with pool.acquire() as db:
        for made in (recalled.MAKE_KEYS, recalled.MAKE):  # of a command, for as long as it takes
            await db.execute(made)
        for where, text in queries:
            try:
                await db.execute("create temp table if not exists nothing_yet (x int)")
                await db.prepare(text)
            except Exception as fault:
                raise AssertionError(f"{where}: {fault}") from fault


def test_migrations_are_numbered_in_order_and_unedited():
    """An applied migration is never edited: a new one is written instead."""
    files = sorted(MIGRATIONS.glob("*.sql"))
    known = dict(
        reversed(line.split())
        for line in (ROOT / "tests" / "migrations.sha256").read_text().splitlines()
    )

    numbers = [int(f.name[:4]) for f in files]
    assert numbers == sorted(set(numbers))  # one that was kept for somebody may stay unused
    assert {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files} == known


def test_each_index_says_which_query_it_serves():
    sql = "\n".join(f.read_text() for f in sorted(MIGRATIONS.glob("*.sql")))
    made = set(
        re.findall(r"create (?:unique )?index (?:concurrently )?(?:if not exists )?(\w+)", sql)
    )

    assert made - set(re.findall(r"comment on index (\w+)", sql)) == set()


def test_each_query_that_an_index_serves_is_a_function_of_the_program():
    sql = "\n".join(f.read_text() for f in sorted(MIGRATIONS.glob("*.sql")))
    said = dict(re.findall(r"comment on index (\w+) is\s+'([^:']+): ", sql))  # the last counts

    assert said.keys() == set(re.findall(r"comment on index (\w+)", sql))
    unknown = [
        (index, name) for index, names in said.items() for name in names.split(", ")
        if not is_function(name)
    ]  # fmt: skip
    assert unknown == []


def is_function(name: str) -> bool:
    """Whether *name* is ``module.function`` of the store, or of a file of `core`."""
    module, _, function = name.partition(".")
    found = [
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for folder in ("core/store", "core")
        if (path := ROOT / folder / f"{module}.py").is_file()
    ]
    return any(callable(getattr(each, function, None)) for each in found)


def test_instants_are_stored_with_their_zone():
    for path in MIGRATIONS.glob("*.sql"):
        assert not re.search(r"\btimestamp\b(?! with)", path.read_text()), path


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([A-Za-z0-9_.\-\[\]]+)==([^\s;\\]+)", text, re.MULTILINE))


SERVED = ("requirements.lock", "deploy/requirements.lock", "deploy/build.lock")
"""What `make run` needs, what an image holds (traces and Sentry, no stand-ins), what builds it."""


@pytest.mark.parametrize("name", [*SERVED, "requirements-dev.lock"])
def test_locks_carry_hashes_and_no_addresses(name):
    text = (ROOT / name).read_text()

    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(pins(name)) > 0


@pytest.mark.parametrize("name", SERVED)
def test_the_development_lock_holds_all_of_the_run_time_lock(name):
    assert pins(name).items() <= pins("requirements-dev.lock").items()


def test_each_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"]]
    wanted += [d for extra in project["project"]["optional-dependencies"].values() for d in extra]
    plain = {re.split(r"[<>=\[; ]", w)[0].lower().replace("_", "-") for w in wanted}

    assert plain <= {n.lower().replace("_", "-") for name in SERVED for n in pins(name)}


def test_no_registry_and_no_path_of_one_machine_stands_anywhere():
    hosts = ["pypi" + ".org", "python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian.org"]
    paths = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm|root|home/\w+)/")
    for path in tracked():
        if path.suffix in {".png", ".gz", ".ico"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [h for h in hosts if h in text], path
        found = [line for line in text.splitlines() if paths.search(line)]
        assert path == Path(__file__) or not found, (path, found[:1])


CLAIM = re.compile(
    r"^\|\s*(?P<what>[^|]+?)\s*\|\s*done\s*\|\s*`(?P<test>[^`]+)`\s*\|", re.MULTILINE
)


def checklists():
    """The folder of each connector that is installed; where it reads several kinds, of each."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    for point in points["replyby.connectors.v1"].values():
        folder = ROOT / point.partition(":")[0].replace(".", "/")
        yield from [page.parent for page in sorted(folder.glob("*/README.md"))] or [folder]


@pytest.mark.parametrize("folder", list(checklists()), ids=str)
def test_a_connectors_checklist_claims_only_what_a_test_shows(folder):
    """Rows: | what | done | `tests/path.py::name` |; anything else gives a why not."""
    text = (folder / "README.md").read_text()
    claims = CLAIM.findall(text)

    assert len(claims) >= 8, f"{name_of(folder)}: the checklist is missing"
    for what, where in claims:
        path, _, test = where.partition("::")
        assert (ROOT / path).is_file(), (what, where)
        assert test.split("::")[-1] in (ROOT / path).read_text(), (what, where)
