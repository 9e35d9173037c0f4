"""The dependency direction of the project, read from the imports themselves."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("trainer", "components", "pipeline", "serving", "monoface")
ANYWHERE = {"trainer.contract", "trainer.configuration"}
NUMERIC = {
    "trainer.morphable",
    "trainer.rendering",
    "trainer.wardrobe",
    "trainer.imaging",
    "trainer.landmarks",
    "trainer.losses",
    "trainer.metrics",
    "trainer.layers",
    "trainer.examples",
}
# What each module, by its longest matching prefix, may import of this project. Itself is always allowed.
ALLOWED: dict[str, set[str]] = {
    "trainer.contract": set(),
    "trainer.configuration": set(),
    "trainer.examples": set(),
    "trainer.morphable": set(),
    "trainer.imaging": set(),
    "trainer.rendering": {"trainer.morphable", "trainer.imaging"},
    "trainer.wardrobe": {"trainer.morphable", "trainer.rendering", "trainer.imaging"},
    "trainer.losses": {"trainer.morphable", "trainer.rendering"},
    "trainer.metrics": {"trainer.imaging"},
    "trainer.layers": {"trainer.morphable", "trainer.rendering"},
    "trainer.landmarks": NUMERIC,
    "trainer.data": NUMERIC,
    "trainer.servable": NUMERIC,
    "trainer.export": NUMERIC | {"trainer.servable"},
    "trainer.export_landmarks": NUMERIC | {"trainer.servable"},
    "trainer.training": set(),
    "trainer.models": NUMERIC | {"trainer.training"},
    "trainer.run_fn": {"trainer"},
    "components": {"trainer"},
    "pipeline": {"components", "trainer.metrics"},
    "serving": {"trainer.imaging.codecs"},
    "monoface": {"trainer", "components", "pipeline", "serving"},
}
TFX_ALLOWED = ("component", "executor", "artifacts")


def modules() -> list[tuple[str, Path]]:
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, at its top or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def rule_of(module: str) -> tuple[str, set[str]] | None:
    prefixes = [prefix for prefix in ALLOWED if within(module, prefix)]
    return (longest := max(prefixes, key=len), ALLOWED[longest]) if prefixes else None


MODULES = modules()


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_imports_follow_the_dependency_direction(module: str, path: Path) -> None:
    rule = rule_of(module)
    if rule is None:
        assert path.name == "__init__.py", f"{module} belongs to no layer: give it one in ALLOWED"
        return
    own, allowed = rule
    for name in imports(path):
        if not any(within(name, room) for room in ROOMS):
            continue
        legal = any(within(name, prefix) for prefix in allowed | ANYWHERE | {own})
        assert legal, f"{module} may not import {name}"


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_tfx_stays_in_components_and_executors(module: str, path: Path) -> None:
    uses_tfx = any(within(name, "tfx") for name in imports(path))
    if module.startswith("components."):
        assert not uses_tfx or path.stem in TFX_ALLOWED, f"{module} imports TFX"
    elif not module.startswith("pipeline."):
        assert not uses_tfx, f"{module} imports TFX"


def test_no_paper_imports_another() -> None:
    papers = {p.parent.name for p in (ROOT / "trainer" / "models").glob("*/config.py")}
    assert papers
    for module, path in MODULES:
        if module.startswith("trainer.models.") and len(parts := module.split(".")) > 3:
            others = papers - {parts[2]}
            for name in imports(path):
                assert not any(within(name, f"trainer.models.{other}") for other in others), f"{module} imports {name}"


def test_only_the_registry_names_papers() -> None:
    papers = {p.parent.name for p in (ROOT / "trainer" / "models").glob("*/config.py")}
    for module, path in MODULES:
        if module.startswith("trainer.") and module != "trainer.models.registry":
            own = module.split(".")[2] if module.startswith("trainer.models.") and module.count(".") >= 2 else None
            for name in imports(path):
                assert not any(within(name, f"trainer.models.{paper}") for paper in papers - {own}), f"{module}: {name}"


def test_contract_and_configuration_use_the_standard_library_alone() -> None:
    for name in ("contract", "configuration"):
        for imported in imports(ROOT / "trainer" / f"{name}.py"):
            assert imported.split(".")[0] in sys.stdlib_module_names


def test_every_python_file_is_short_and_named_for_what_it_is() -> None:
    for path in [p for _, p in MODULES] + sorted((ROOT / "tests").rglob("*.py")):
        assert path.stem not in {"utils", "util", "helpers", "misc", "common", "manager"}, path
        assert len(path.read_text().splitlines()) <= 400, f"{path} is over 400 lines"
