"""Rules about the source text: who imports whom, what deterministic code may not touch, and sizes.

The tables are the rules, and an exception to one is a named line in its table.  A rule takes a
source and yields its problems; test_tidy.py applies them to the tree.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

PACKAGES = ("histories", "checker", "workloads", "nemesis", "vmft", "harness")

# What a package may import besides itself and the standard library.
MAY_IMPORT = {
    "histories": {"msgspec"},
    "checker": {"histories"},
    "workloads": {"histories", "checker"},
    "nemesis": {"histories"},
    "vmft": {"unicorn"},
    "harness": {"histories", "checker", "workloads", "nemesis", "vmft", "tqdm", "pebble",
                "distributed", "hypothesis"},
}
MAY_IMPORT_TOO = {
    "checker/__main__.py": {"harness"},     # the front door, and the only place that looks up
    "harness/web/app.py": {"jinja2", "starlette"},
    "harness/commands/serve.py": {"uvicorn"},
    "harness/suite.py": {"tomllib", "tomli"},
    "harness/pytest_plugin.py": {"pytest"},
    "harness/disassembly.py": {"capstone"},
    "checker/report/page.py": {"jinja2"},
    "checker/report/plots.py": {"matplotlib"},
    "checker/report/graph.py": {"matplotlib", "networkx"},
}

# Code in which nothing may depend on the moment, the process, the thread or chance.
DETERMINISTIC = ("vmft/", "workloads/", "nemesis/", "checker/")
NOT_DETERMINISTIC = ("vmft/procs",)         # the runtime of real processes
BANNED_MODULES = {
    "asyncio", "concurrent", "datetime", "multiprocessing", "random", "secrets", "select",
    "selectors", "signal", "socket", "subprocess", "tempfile", "threading", "time", "uuid",
}
BANNED_NAMES = {
    "os.environ", "os.getenv", "os.getpid", "os.urandom",
    "hash", "id",                           # they differ from one process to the next
}
MAY_USE = {
    "checker/native.py": {"os.environ"},    # DOUBLE_ELEVEN_PURE
    "checker/parts.py": {"concurrent"},     # what is found does not depend on it
    "vmft/guests/build.py": {"subprocess", "tempfile"},     # a developer's command: the compiler
    "vmft/counting.py": {"os.environ"},         # whether the native counter is wanted
}

COMMANDS = ("harness/commands/", "harness/web/", "harness/cli.py")     # answer to a person

NO_FLOATS = ("vmft/",)
FLOATS_ALLOWED = set[str]()                 # paths under NO_FLOATS that measure, not simulate

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
MEDIAN_FUNCTION_LINES_MAX = 14
COLUMNS_MAX = 100
POSITIONAL_MAX = 5
VAGUE_NAMES = {"common", "helper", "helpers", "misc", "util", "utils"}
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """A text file: its path below the root, with slashes, and what it says."""

    path: str
    text: str

    @property
    def package(self) -> str:
        """The top-level folder."""
        return self.path.split("/")[0]

    @property
    def tree(self) -> ast.Module:
        """The syntax tree of a Python source."""
        return ast.parse(self.text, self.path)

    def within(self, prefixes: Iterable[str]) -> bool:
        """Whether the path starts with one of ``prefixes``."""
        return self.path.startswith(tuple(prefixes))


Problems = Iterator[str]
Rule = Callable[[Source], Problems]


def at(source: Source, node: ast.AST, what: str) -> str:
    """A problem with its place, as compilers print it."""
    return f"{source.path}:{getattr(node, 'lineno', 1)}: {what}"


IMPORTING = ("import_module", "__import__")


def imported(node: ast.AST, package: str) -> list[str]:
    """The dotted names that a node imports, relative ones resolved into ``package``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = f"{package}.{node.module}" if node.level else str(node.module)
        return [f"{module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(IMPORTING):
        argument = node.args[0] if node.args else None
        return [str(argument.value) if isinstance(argument, ast.Constant) else "an unnamed module"]
    return []


def check_imports(source: Source) -> Problems:
    """A package imports only what the table lets it."""
    if source.package not in MAY_IMPORT:
        return
    allowed = MAY_IMPORT[source.package] | MAY_IMPORT_TOO.get(source.path, set())
    for node in ast.walk(source.tree):
        for name in imported(node, source.package):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names | {source.package} | allowed:
                yield at(source, node, f"{source.package} may not import {top}")


def used_names(node: ast.AST, package: str) -> list[str]:
    """What a node uses, in the words of the two tables of bans."""
    if isinstance(node, ast.Attribute):
        return [ast.unparse(node)]
    names = imported(node, package)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        names.append(node.func.id)
    return names + [name.split(".")[0] for name in names]


def check_bans(source: Source) -> Problems:
    """Deterministic code touches no clock, socket, thread, environment or global chance."""
    if not source.within(DETERMINISTIC) or source.within(NOT_DETERMINISTIC):
        return
    banned = (BANNED_MODULES | BANNED_NAMES) - MAY_USE.get(source.path, set())
    for node in ast.walk(source.tree):
        for name in sorted(banned.intersection(used_names(node, source.package))):
            yield at(source, node, f"deterministic code may not use {name}")


def is_text(node: ast.expr) -> bool:
    """Whether an operand is a piece of text, which makes a slash join a path."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def check_floats(source: Source) -> Problems:
    """The simulated pair computes with integers."""
    if not source.within(NO_FLOATS) or source.path in FLOATS_ALLOWED:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
            yield at(source, node, f"no floats here: {node.value}")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
            yield at(source, node, "no floats here: float()")
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            operands = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
            if not any(map(is_text, operands)):
                yield at(source, node, "no floats here: / makes one, // does not")


SET_TYPE = re.compile(r"(frozen)?set\b|(Abstract|Mutable|Frozen)?Set\b")
SET_METHODS = {"union", "intersection", "difference", "symmetric_difference", "copy"}
SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
ORDERED_FROM = {"list", "tuple", "enumerate", "iter", "map", "zip", "reversed", "dict.fromkeys"}
ORDER_BLIND = {"sorted", "min", "max", "sum", "any", "all", "len", "set", "frozenset"}


def is_set(node: ast.AST, known: set[str]) -> bool:
    """Whether an expression is a set, as far as the text shows; ``known`` names those that are."""
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in SET_METHODS:
            return is_set(node.func.value, known)
        return ast.unparse(node.func).split("[")[0] in ("set", "frozenset")
    if isinstance(node, ast.BinOp) and isinstance(node.op, SET_OPERATORS):
        return is_set(node.left, known) or is_set(node.right, known)
    return isinstance(node, (ast.Name, ast.Attribute)) and ast.unparse(node) in known


def names_of_sets(scope: ast.AST) -> set[str]:
    """The names that a scope annotates as, or assigns, a set; a class's fields as ``self.name``."""
    known: set[str] = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.ClassDef):
            known |= {f"self.{name}" for field in node.body if isinstance(field, ast.AnnAssign)
                      for name in names_of_sets(field)}
        elif isinstance(node, ast.AnnAssign) and SET_TYPE.match(ast.unparse(node.annotation)):
            known.add(ast.unparse(node.target))
        elif isinstance(node, ast.arg) and node.annotation is not None:
            if SET_TYPE.match(ast.unparse(node.annotation)):
                known.add(node.arg)
        elif isinstance(node, ast.Assign) and is_set(node.value, known):
            known |= {ast.unparse(target) for target in node.targets}
    return known


def iterated(scope: ast.AST) -> Iterator[ast.AST]:
    """The expressions of a scope whose order of iteration can reach a result."""
    blind = {argument for call in ast.walk(scope) if isinstance(call, ast.Call)
             and ast.unparse(call.func) in ORDER_BLIND for argument in call.args}
    blind |= {element for node in ast.walk(scope) if isinstance(node, ast.Set)
              for element in node.elts}
    for node in ast.walk(scope):
        if node in blind and not isinstance(node, ast.Call):
            continue
        if isinstance(node, (ast.For, ast.AsyncFor)):
            yield node.iter
        elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.DictComp)):
            yield from (generator.iter for generator in node.generators)
        elif isinstance(node, ast.Call):
            function = ast.unparse(node.func)
            if function in ORDERED_FROM or function.endswith(".join"):
                yield from node.args
            elif function.endswith(".pop") and isinstance(node.func, ast.Attribute):
                yield from () if node.args else (node.func.value,)
        elif isinstance(node, (ast.Starred, ast.YieldFrom)):
            yield node.value


def check_sets(source: Source) -> Problems:
    """No package iterates over a set without sorting it: its order may differ between processes."""
    if source.package not in PACKAGES:
        return
    tree = source.tree
    members = [child for node in tree.body
               for child in (node.body if isinstance(node, ast.ClassDef) else [node])]
    functions = [node for node in members if isinstance(node, FunctionNode)]
    rest = ast.Module([node for node in members if node not in functions], [])
    shared = names_of_sets(rest) | {name for name in names_of_sets(tree) if "." in name}
    for scope in [rest, *functions]:
        known = shared | names_of_sets(scope)
        for expression in iterated(scope):
            if is_set(expression, known):
                yield at(source, expression, f"sort it first: {ast.unparse(expression)} is a set")


def check_text_size(source: Source) -> Problems:
    """Files and lines have a limit."""
    lines = source.text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield f"{source.path}: {len(lines)} lines, over {FILE_LINES_MAX}"
    for number, line in enumerate(lines, start=1):
        if len(line) > COLUMNS_MAX:
            yield f"{source.path}:{number}: {len(line)} columns, over {COLUMNS_MAX}"


def functions_of(source: Source) -> list[FunctionNode]:
    """Every function and method of a source, nested ones too."""
    return [node for node in ast.walk(source.tree) if isinstance(node, FunctionNode)]


def length_of(function: FunctionNode) -> int:
    """The lines of a function; its docstring does not count, so that explaining costs nothing."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def check_functions(source: Source) -> Problems:
    """Functions have a limit of lines and of positional parameters."""
    for function in functions_of(source):
        if length_of(function) > FUNCTION_LINES_MAX:
            yield at(source, function, f"{function.name} has {length_of(function)} lines, "
                                       f"over {FUNCTION_LINES_MAX}")
        names = [arg.arg for arg in function.args.posonlyargs + function.args.args]
        positional = [name for name in names if name not in ("self", "cls")]
        if len(positional) > POSITIONAL_MAX:
            yield at(source, function, f"{function.name} has {len(positional)} positional "
                                       f"parameters, over {POSITIONAL_MAX}")


def check_docstring(source: Source) -> Problems:
    """A module says in a sentence what it is for."""
    if "." not in (ast.get_docstring(source.tree) or ""):
        yield f"{source.path}: no module docstring of at least one sentence"


def check_raises(source: Source) -> Problems:
    """What a public function raises is named in its docstring, its class's or its module's."""
    if source.package not in PACKAGES or source.within(COMMANDS):
        return
    for function, told in _public(source.tree, ""):
        for name in dict.fromkeys(map(_raised, ast.walk(function))):
            if name not in told and not name.startswith("_"):
                yield at(source, function, f"{function.name} raises {name}, and does not say so")


def _public(node: ast.Module | ast.ClassDef, told: str) -> Iterator[tuple[FunctionNode, str]]:
    """Each public function and method, with its docstring and those of what it stands in."""
    told += ast.get_docstring(node) or ""
    for each in node.body:
        if isinstance(each, ast.ClassDef) and each.name[0] != "_":
            yield from _public(each, told)
        elif isinstance(each, FunctionNode) and (each.name == "__init__" or each.name[0] != "_"):
            yield each, told + (ast.get_docstring(each) or "")


def _raised(node: ast.AST) -> str:
    """The name of what a statement raises; empty if it raises nothing by name."""
    if not isinstance(node, ast.Raise) or node.exc is None:
        return ""
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return ast.unparse(raised).split(".")[-1]


def check_name(source: Source) -> Problems:
    """A module is named after its job."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part in VAGUE_NAMES:
            yield f"{source.path}: {part} names no job"


def check_leftovers(source: Source) -> Problems:
    """Nothing is left open in the text."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := LEFTOVER.search(line):
            yield f"{source.path}:{number}: leftover {found[0]}"


def check_title(source: Source) -> Problems:
    """A Markdown file has one title."""
    prose = re.sub(r"^```.*?^```", "", source.text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^# .*", prose, flags=re.MULTILINE)
    if len(titles) != 1:
        yield f"{source.path}: {len(titles)} titles, not 1"


def check_median(name: str, sources: Iterable[Source]) -> Problems:
    """The functions of a package are short as a rule."""
    lengths = [length_of(function) for source in sources for function in functions_of(source)]
    if lengths and statistics.median(lengths) > MEDIAN_FUNCTION_LINES_MAX:
        yield (f"{name}: the median of {len(lengths)} functions has "
               f"{statistics.median(lengths)} lines, over {MEDIAN_FUNCTION_LINES_MAX}")


def check_map(text: str, modules: set[str]) -> Problems:
    """The map has a line for each module, under its folder's heading, and for nothing else."""
    named: list[str] = []
    folder = ""
    for line in text.splitlines():
        if heading := re.match(r"## .*?`([\w/]+)/`", line):
            folder = heading[1]
        elif item := re.match(r"- `([\w./]+)`", line):
            named.append(f"{folder}/{item[1]}")
    for path in sorted(modules.difference(named)):
        yield f"docs/whats-here.md: no line for {path}"
    for path in sorted(set(named) - modules):
        yield f"docs/whats-here.md: {path} does not exist"
    for path in sorted({path for path in named if named.count(path) > 1}):
        yield f"docs/whats-here.md: two lines for {path}"
