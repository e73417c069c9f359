"""The house as a table: which room may import which, wherever in a file the import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import django_faceverify

PACKAGE = Path(django_faceverify.__file__).parent

GROUND = "conf exceptions reasons disclosure decision signals journal"
CRAFTS = "identity inputs photo sealing targets"
RULES = "lifecycle quotas health webhooks consent idempotency throttles"
WORK = "verification sweeper retention"
DOOR = f"intake reviewing dossier looks reopening access headers submission consent costs agreement census lifecycle webhooks idempotency throttles tokens models inputs {GROUND}"

#: who may import what, from the ground upwards; a room that is not here has no place yet
MAY_IMPORT = {
    "conf exceptions reasons headers logs journal deadline": "",
    "signals": "journal",
    "decision disclosure": "reasons",
    "transport": "deadline",
    CRAFTS: f"transport {GROUND}",
    "faces": f"photo {GROUND}",
    "providers": f"faces transport deadline {GROUND}",
    "models": f"{CRAFTS} {GROUND}",
    "access": f"lifecycle quotas models {GROUND}",
    "webhooks": f"models transport deadline {CRAFTS} {GROUND}",
    "lifecycle": f"webhooks models {CRAFTS} {GROUND}",
    "quotas health consent idempotency throttles": f"models {CRAFTS} {GROUND}",
    "redaction": f"lifecycle webhooks models {GROUND}",
    "tokens": f"lifecycle models {CRAFTS} {GROUND}",
    "orphans census": f"models {GROUND}",
    "ledger": f"models providers {GROUND}",
    "statement": f"models {GROUND}",
    "figures": f"thresholds costs quotas models {GROUND}",
    "policy_lab": f"thresholds figures quotas models providers {GROUND}",
    "costs": GROUND,
    "metrics": f"quotas census models {GROUND}",
    "agreement": f"costs figures models {GROUND}",
    "audit": f"lifecycle models {CRAFTS} {GROUND}",
    "rotation": f"models {CRAFTS} {GROUND}",
    "thresholds": f"providers {GROUND}",
    "sampling": f"models providers {GROUND}",
    "outcome": f"ledger thresholds sampling {RULES} models providers {GROUND}",
    "submission": f"models providers faces {CRAFTS} {GROUND}",
    "verification": f"outcome ledger thresholds audit {RULES} models providers {CRAFTS} {GROUND}",
    "inquiry": f"outcome audit models providers {GROUND}",
    "reviewing": f"access {RULES} models {CRAFTS} {GROUND}",
    "shadow": f"verification outcome ledger thresholds audit {RULES} models providers {GROUND}",
    "sweeper": f"reviewing verification shadow inquiry figures audit ledger {RULES} models {CRAFTS} {GROUND}",
    "retention": f"audit redaction orphans census tokens {RULES} models {GROUND}",
    "tasks": f"{WORK} {RULES} models {GROUND}",
    "intake": f"access reviewing submission redaction tasks {RULES} models providers {CRAFTS} {GROUND}",
    "api": DOOR,
    "console capture": f"audit figures policy_lab quotas faces {DOOR}",
    "testing": f"intake verification models providers {GROUND}",
    "looks": f"intake access {RULES} models {CRAFTS} {GROUND}",
    "reopening": f"access {RULES} models {CRAFTS} {GROUND}",
    "dossier": f"intake looks access lifecycle quotas inputs models {GROUND}",
    "doctor": f"audit rotation census models providers faces {GROUND}",
    "management": f"{DOOR} doctor audit rotation dossier redaction quotas statement metrics figures policy_lab tasks sweeper retention providers faces sandbox",
    "urls": "api console capture",
    "admin": "console models",
    "checks": f"verification consent thresholds tokens audit census models providers faces {CRAFTS} {GROUND}",
    "apps": "checks logs",
    "migrations": "audit models",
    "sandbox": "",
    "__init__": "",
}
ALLOWED = {room: set(may.split()) for rooms, may in MAY_IMPORT.items() for room in rooms.split()}

#: the one place that may not import at the top: Django loads it before the models
LATE_IMPORTERS = {"apps.py"}
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "misc", "services"}


def test_imports_run_downwards() -> None:
    assert list(upward_imports(PACKAGE)) == []


def test_imports_stand_at_the_top() -> None:
    assert list(late_imports(PACKAGE)) == []


def test_only_conf_reads_the_settings() -> None:
    read = {
        (str(path.relative_to(PACKAGE)), setting)
        for path, tree in files(PACKAGE)
        if any("django.conf.settings" in names(PACKAGE, path, node) for node in imports(tree))
        for setting in settings_read(tree)
    }
    assert {setting for path, setting in read if path != "conf/reader.py"} == {"AUTH_USER_MODEL"}


def test_nothing_reads_the_environment() -> None:
    reads = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, tree in files(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
    ]
    assert reads == []


def test_every_name_says_what_is_inside() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")} | {
        path.name for path in PACKAGE.rglob("*") if path.is_dir()
    }
    assert names & NAMES_THAT_SAY_NOTHING == set()


def test_an_upward_import_is_found_wherever_it_hides(tmp_path: Path) -> None:
    house = tmp_path / "django_faceverify"
    (house / "models").mkdir(parents=True)
    (house / "models/event.py").write_text(
        "def f():\n    from django_faceverify import reasons, intake\n"
    )
    (house / "lifecycle.py").write_text("from .verification import run\nfrom .models import x\n")
    (house / "attic.py").write_text("import django_faceverify.conf\n")
    assert sorted(upward_imports(house)) == [
        "attic.py has no place in the table",
        "lifecycle.py imports verification",
        "models/event.py imports intake",
    ]
    assert list(late_imports(house)) == ["models/event.py:2"]


def upward_imports(package: Path) -> Iterator[str]:
    """Every import of the package's own that the table does not allow."""
    for path, tree in files(package):
        place = path.relative_to(package)
        room = place.parts[0].removesuffix(".py")
        if room not in ALLOWED:
            yield f"{place} has no place in the table"
            continue
        imported = {
            room_of(package, name) for node in imports(tree) for name in names(package, path, node)
        }
        for other in sorted(imported & set(ALLOWED) - ALLOWED[room] - {room}):
            yield f"{place} imports {other}"


def late_imports(package: Path) -> Iterator[str]:
    """Imports of the package's own within functions."""
    for path, tree in files(package):
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        inside = {node for function in functions for node in imports(function)}
        for node in sorted(inside, key=lambda node: node.lineno):
            is_ours = any(room_of(package, name) for name in names(package, path, node))
            if is_ours and path.name not in LATE_IMPORTERS:
                yield f"{path.relative_to(package)}:{node.lineno}"


def files(package: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(package.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def names(package: Path, path: Path, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The full dotted name of everything that one statement imports."""
    module = ""
    if isinstance(node, ast.ImportFrom):
        here = path.relative_to(package.parent).parts[:-1]
        above = here[: len(here) + 1 - node.level] if node.level else ()
        module = "".join(f"{part}." for part in (*above, *filter(None, [node.module])))
    yield from (f"{module}{alias.name}" for alias in node.names)


def settings_read(tree: ast.AST) -> Iterator[str]:
    """What is done with ``settings``: the names of its attributes, or its bare use."""
    whole = {node.value: node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "settings":
            yield whole.get(node, "(all of it)")


def room_of(package: Path, name: str) -> str:
    """The room that a dotted name lies in; empty when it is not ours."""
    house, _, rest = name.partition(".")
    return rest.partition(".")[0] if house == package.name else ""
