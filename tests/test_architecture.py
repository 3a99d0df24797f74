"""The shape of the code, so that it stays as docs/architecture.md says."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.utils.module_loading import import_string

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("contactcenter", "consent", "conversations", "sandbox")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MIGRATIONS = [path for path in MODULES if path.parent.name == "migrations" and path.name != "__init__.py"]
CODE = [path for path in MODULES if path.parent.name != "migrations"]
LINES = 400


def name_of(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path, function):
    """Every call of a function by that name, however it was imported."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == function:
                yield node


def test_there_is_code_to_look_at():
    assert len(CODE) > 30
    assert MIGRATIONS


def test_imports_point_down():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    lint = [sys.executable, "-c", command, "--no-cache"]
    done = subprocess.run(
        lint, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_modules_are_small_and_named_for_what_they_do(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES
    assert path.stem not in {"services", "utils", "helpers", "common", "misc", "signals"}


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_nothing_happens_behind_the_back_of_who_reads_the_code(path):
    names = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    signals = {"receiver", "post_save", "pre_save", "post_delete", "pre_delete", "m2m_changed"}
    assert not names & signals
    assert not {name for name in imported if ".signals" in name or ".dispatch.receiver" in name}


def test_every_task_exists():
    tasks = {
        (name_of(path), node.args[0].value)
        for path in CODE
        for function in ("async_task", "schedule")
        for node in calls(path, function)
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert tasks
    for where, task in tasks:
        assert callable(import_string(task)), f"{where} enqueues {task}"


def test_every_task_is_named_by_a_literal():
    for path in CODE:
        for node in calls(path, "async_task"):
            is_literal = node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
            assert is_literal, f"{name_of(path)}:{node.lineno}: name the task as a string, so that it can be checked"


@pytest.mark.parametrize("path", MIGRATIONS, ids=name_of)
def test_migrations_say_what_they_do(path):
    words = path.stem.split("_")[1:]
    assert words == ["initial"] or (len(words) >= 2 and "auto" not in words), path.stem


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_every_public_module_says_what_it_is_for(path):
    own = tree(path).body
    is_empty = not own
    is_app = path.stem == "apps" or path.parent.name == "commands"
    assert is_empty or is_app or ast.get_docstring(tree(path)), "a module begins by saying what it is for"


def test_pure_modules_import_without_django():
    pure = ["consent.policy", "consent.folding", "consent.keywords", "conversations.states"]
    code = f"import sys, {', '.join(pure)}; assert 'django' not in sys.modules"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


def test_every_constraint_is_a_sentence():
    names = [
        constraint.name
        for label in ("accounts", "api", "consent", "conversations")
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
    ]
    assert names
    assert all(name.count("_") >= 2 for name in names), names


def test_every_package_can_be_imported():
    for package in PACKAGES:
        importlib.import_module(package)
