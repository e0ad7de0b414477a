"""The shape of the house: imports point one way, vendor SDKs live in one module each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Lower layers first; a module may import from its own layer and from those above it in this list.
LAYERS = [
    {"rag.errors", "rag.records", "rag.wording"},
    {"rag.settings", "rag.english"},
    {"rag.ingestion", "rag.storage", "rag.models"},
    {"rag.retrieval"},
    {"rag.answering"},
    {"rag.suggesting"},
    {"rag.doctor", "rag.slack_check", "rag.serialization"},
    {"rag.components"},
    {"rag.engine"},
    {"rag.client"},
    {"rag.wiring"},
    {"rag.evaluation"},
    {"rag.http", "rag.cli.output", "ui"},
    {"rag.http.server"},
    {"rag.cli"},
    {"rag.__main__"},
]
# Within their layer these do not know of each other.
STRANGERS = [{"rag.ingestion", "rag.storage", "rag.models"}]
VENDORS = {
    "chromadb": {"rag.storage.vectors"},
    "gradio": {"ui.page.ask_tab", "ui.page.ask_view", "ui.page.app", "ui.page.library_tab"},
    "onnx": {"rag.models.bert"},
    "onnxruntime": {"rag.models.runtime"},
    "openai": {"rag.models.llm", "rag.models.remote_encoder"},
    "llama_index": {"rag.models.llm"},
    "trafilatura": {"rag.ingestion.html"},
    "pypdf": {"rag.ingestion.pdf"},
    "rapidfuzz": {"rag.answering.generation.fuzzy"},
    "sqlite3": {
        *("rag.storage.database", "rag.storage.library", "rag.storage.listing", "rag.storage.search"),
        *("rag.storage.conversations", "rag.storage.transaction"),
    },
    "slack_bolt": {"ui.slack.app"},
    "slack_sdk": {"ui.slack.client"},
}
LATE = {("rag.cli.commands", "rag.http.server"), ("rag.__main__", "rag.cli.commands")}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8"))
    for package in ("rag", "ui")
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imports_of(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            found |= {
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module
                for alias in node.names
            }
    return found


IMPORTS = {name: imports_of(tree) for name, tree in MODULES.items()}


def layer_of(module: str) -> int | None:
    """The height of the most specific entry that holds a module."""
    places = {
        member: height
        for height, members in enumerate(LAYERS)
        for member in members
        if module == member or module.startswith(member + ".")
    }
    return places[max(places, key=len)] if places else None


def part_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_every_module_has_a_place() -> None:
    assert [m for m in MODULES if layer_of(m) is None and m != "rag"] == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_one_way(module: str) -> None:
    own = layer_of(module)
    for imported in IMPORTS[module]:
        other = layer_of(imported)
        if own is None or other is None:
            continue
        assert other <= own, f"{module} imports {imported}, which stands above it"
        for strangers in STRANGERS:
            if part_of(module) in strangers and part_of(imported) in strangers:
                assert part_of(module) == part_of(imported), f"{module} imports {imported} from beside it"


def test_there_is_no_cycle() -> None:
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for imported in IMPORTS[module] & MODULES.keys():
                walk(imported, (*path, module))
            done.add(module)

    for module in MODULES:
        walk(module, ())


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_a_vendor_lives_in_one_place(vendor: str) -> None:
    users = {m for m, names in IMPORTS.items() if any(n == vendor or n.startswith(vendor + ".") for n in names)}
    assert users <= VENDORS[vendor]


def test_our_own_modules_are_imported_at_the_top() -> None:
    late = set()
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                late |= {(module, name) for name in imports_of(node) if name.split(".")[0] in ("rag", "ui")}
    assert late == LATE


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        module
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"))
        or (isinstance(node, ast.Name) and node.id in ("environ", "getenv"))
    }
    # Gradio and ONNX Runtime take a setting only from there, and it must stand before the import.
    assert readers <= {"rag.settings", "ui", "rag.models.runtime"}
