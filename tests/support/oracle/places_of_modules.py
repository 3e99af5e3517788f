"""Places in modules: how a module gets at what another one defines."""

from __future__ import annotations

from oracle.idioms import Idiom
from oracle.places import Files, assets, code, function, names, place, use


@place
def same(idiom: Idiom) -> str:
    """same module"""
    return assets(idiom, code(idiom), use(idiom))


@place
def module(idiom: Idiom) -> Files:
    """helper module"""
    text = assets(idiom, "import tools", use(idiom, "tools.{}"))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def renamed_module(idiom: Idiom) -> Files:
    """module under another name"""
    text = assets(idiom, "import tools as t", use(idiom, "t.{}"))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def imported_names(idiom: Idiom) -> Files:
    """names imported"""
    text = assets(idiom, f"from tools import {names(idiom)}", use(idiom))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def imported_as(idiom: Idiom) -> Files:
    """names imported as others"""
    listed = ", ".join(f"{name} as {name}_here" for name in idiom.used)
    text = assets(idiom, f"from tools import {listed}", use(idiom, "{}_here"))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def star(idiom: Idiom) -> Files:
    """star import"""
    text = assets(idiom, "from tools import *", use(idiom))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def package(idiom: Idiom) -> Files:
    """re-exported by a package"""
    text = assets(idiom, "import kit", use(idiom, "kit.{}"))
    inside = f"from .deep import {names(idiom)}\n__all__ = {list(idiom.used)}"
    return {"pipeline.py": text, "kit/__init__.py": inside, "kit/deep.py": code(idiom)}


@place
def deep_package(idiom: Idiom) -> Files:
    """deep in a package, with relative imports"""
    text = assets(idiom, "from kit import go", "go()")
    middle = (
        f"from .inner.deep import {names(idiom)}\n{idiom.used_imports}\n{function('go', idiom)}"
    )
    return {
        "pipeline.py": text,
        "kit/__init__.py": "from .middle import go",
        "kit/middle.py": middle,
        "kit/inner/__init__.py": "",
        "kit/inner/deep.py": code(idiom),
    }


@place
def function_import(idiom: Idiom) -> Files:
    """imported in the body"""
    within = f"from tools import {names(idiom)}"
    return {"pipeline.py": assets(idiom, "", use(idiom), within), "tools.py": code(idiom)}


@place
def found_by_package(idiom: Idiom) -> Files:
    """getattr of a package that finds its modules"""
    finder = (
        "from importlib import import_module\ndef __getattr__(name):\n"
        "    if name == 'deep':\n        return import_module('.deep', __name__)\n"
        "    raise AttributeError(name)\n"
    )
    text = assets(idiom, "import kit", use(idiom, "kit.deep.{}"))
    return {"pipeline.py": text, "kit/__init__.py": finder, "kit/deep.py": code(idiom)}


@place
def found_by_name(idiom: Idiom) -> Files:
    """getattr of a module, computed"""
    finder = "import tools\ndef __getattr__(name):\n    return getattr(tools, name)\n"
    text = assets(idiom, "import lazy", use(idiom, "lazy.{}"))
    return {"pipeline.py": text, "lazy.py": finder, "tools.py": code(idiom)}


@place
def typing_only(idiom: Idiom) -> Files:
    """imported for types, and in the body"""
    listed = names(idiom)
    before = (
        f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tools import {listed}\n"
    )
    text = assets(idiom, before, use(idiom), f"from tools import {listed}")
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def fallback(idiom: Idiom) -> Files:
    """import with a fallback"""
    before = (
        f"try:\n    from not_there import {names(idiom)}\n"
        f"except ImportError:\n    from tools import {names(idiom)}\n"
    )
    return {"pipeline.py": assets(idiom, before, use(idiom)), "tools.py": code(idiom)}


@place
def passed_module(idiom: Idiom) -> Files:
    """module passed"""
    before = f"import tools\n{function('run', idiom, 'm.{}', 'm')}"
    return {"pipeline.py": assets(idiom, before, "run(tools)"), "tools.py": code(idiom)}


@place
def chain(idiom: Idiom) -> Files:
    """chain of helpers over modules"""
    middle = f"import tools\n{idiom.used_imports}\n{function('go', idiom, 'tools.{}')}"
    outer = "from middle import go\ndef further(x):\n    return [x, go()]\n"
    return {
        "pipeline.py": assets(idiom, "import outer", "outer.further(1)"),
        "outer.py": outer,
        "middle.py": middle,
        "tools.py": code(idiom),
    }


@place
def registered(idiom: Idiom) -> Files:
    """registered by a plugin"""
    registry = "KNOWN = {}\ndef register(f):\n    KNOWN[f.__name__] = f\n    return f\n"
    plugin = f"from registry import register\n{code(idiom)}\n@register\n{function('go', idiom)}"
    text = assets(idiom, "import plugin\nfrom registry import KNOWN", "KNOWN['go']()")
    return {"pipeline.py": text, "registry.py": registry, "plugin.py": plugin}
