"""More places: tables, classes, instances, and other assets."""

from __future__ import annotations

import textwrap

from oracle.idioms import Idiom
from oracle.places import Files, assets, code, function, names, place, use

# Tables


@place
def table(idiom: Idiom) -> str:
    """dict of constants"""
    before = f"{code(idiom)}\nTABLE = {{{', '.join(f'{n!r}: {n}' for n in idiom.used)}}}"
    forms = use(idiom, "TABLE['{}']")
    return assets(idiom, before, forms)


@place
def tuples(idiom: Idiom) -> str:
    """tuple of constants"""
    before = f"{code(idiom)}\nPARTS = ({names(idiom)},)"
    return assets(idiom, before, use(idiom), f"({names(idiom)},) = PARTS")


@place
def grown_list(idiom: Idiom) -> Files:
    """list that another module fills"""
    text = assets(
        idiom, "import filler\nfrom held import HELD", use(idiom), f"({names(idiom)},) = HELD"
    )
    filler = f"{code(idiom)}\nfrom held import HELD\nHELD.extend([{names(idiom)}])"
    return {"pipeline.py": text, "held.py": "HELD = []", "filler.py": filler}


@place
def context_variable(idiom: Idiom) -> str:
    """context variable"""
    before = (
        f"from contextvars import ContextVar\n{code(idiom)}\nHELD = ContextVar('HELD')\n"
        f"HELD.set(({names(idiom)},))"
    )
    return assets(idiom, before, use(idiom), f"({names(idiom)},) = HELD.get()")


@place
def namespace(idiom: Idiom) -> str:
    """simple namespace"""
    given = ", ".join(f"{name}={name}" for name in idiom.used)
    before = (
        f"from types import SimpleNamespace\n{code(idiom)}\nSETTINGS = SimpleNamespace({given})"
    )
    return assets(idiom, before, use(idiom, "SETTINGS.{}"))


# Classes


@place
def class_body(idiom: Idiom) -> str:
    """class body"""
    before = f"{idiom.imports}\nclass Kit:\n{textwrap.indent(idiom.body, '    ')}\n"
    return assets(idiom, before, use(idiom, "Kit.{}"))


@place
def class_of_helper(idiom: Idiom) -> Files:
    """class that takes names from a module"""
    lines = "".join(f"    {name} = tools.{name}\n" for name in idiom.used)
    text = assets(idiom, f"import tools\nclass Kit:\n{lines}", use(idiom, "Kit.{}"))
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def put_later(idiom: Idiom) -> str:
    """put on a class after its body"""
    lines = "".join(f"Kit.{name} = {name}\n" for name in idiom.used)
    return assets(idiom, f"{code(idiom)}\nclass Kit:\n    pass\n{lines}", use(idiom, "Kit.{}"))


@place
def put_by_loop(idiom: Idiom) -> str:
    """put on a class by a loop"""
    pairs = ", ".join(f"({name!r}, {name})" for name in idiom.used)
    before = (
        f"{code(idiom)}\nclass Kit:\n    pass\nfor called, value in [{pairs}]:\n"
        "    setattr(Kit, called, value)\n"
    )
    return assets(idiom, before, use(idiom, "Kit.{}"))


@place
def put_by_function(idiom: Idiom) -> Files:
    """put on a class by a function of another module"""
    lines = "".join(f"    kind.{name} = {name}\n" for name in idiom.used)
    putter = f"{code(idiom)}\ndef equip(kind):\n{lines}    return kind\n"
    before = "from putter import equip\nclass Kit:\n    pass\nequip(Kit)"
    return {"pipeline.py": assets(idiom, before, use(idiom, "Kit.{}")), "putter.py": putter}


@place
def class_decorator(idiom: Idiom) -> str:
    """put on a class by a decorator"""
    lines = "".join(f"    kind.{name} = {name}\n" for name in idiom.used)
    before = (
        f"{code(idiom)}\ndef equip(kind):\n{lines}    return kind\n@equip\nclass Kit:\n    pass\n"
    )
    return assets(idiom, before, use(idiom, "Kit.{}"))


@place
def init_subclass(idiom: Idiom) -> str:
    """put on a class by __init_subclass__"""
    lines = "".join(f"        cls.{name} = {name}\n" for name in idiom.used)
    before = (
        f"{code(idiom)}\nclass Base:\n    def __init_subclass__(cls):\n{lines}"
        "class Kit(Base):\n    pass\n"
    )
    return assets(idiom, before, use(idiom, "Kit.{}"))


@place
def method(idiom: Idiom) -> str:
    """method of a subclass"""
    before = (
        f"from abc import ABC, abstractmethod\n{code(idiom)}\nclass Base(ABC):\n"
        "    @abstractmethod\n    def go(self):\n        raise NotImplementedError\n"
        "    def run(self):\n        return ['run', self.go()]\n"
        f"class Kit(Base):\n    def go(self):\n        return {use(idiom)}\n"
    )
    return assets(idiom, before, "Kit().run()")


@place
def mixin(idiom: Idiom) -> Files:
    """mixin from another module"""
    mixed = f"{code(idiom)}\nclass Mixin:\n    def go(self):\n        return {use(idiom)}\n"
    before = "from mixed import Mixin\nclass Kit(Mixin, dict):\n    pass\nKIT = Kit(a=1)"
    return {"pipeline.py": assets(idiom, before, "[KIT.go(), dict(KIT)]"), "mixed.py": mixed}


@place
def properties(idiom: Idiom) -> str:
    """property and cached property"""
    before = (
        f"from functools import cached_property\n{code(idiom)}\nclass Kit:\n    @property\n"
        f"    def go(self):\n        return {use(idiom)}\n"
        "    @cached_property\n    def both(self):\n        return [self.go, self.go]\n"
    )
    return assets(idiom, before, "Kit().both")


@place
def static(idiom: Idiom) -> str:
    """class method and static method"""
    before = (
        f"{code(idiom)}\nclass Kit:\n    @staticmethod\n    def one():\n        return {use(idiom)}\n"
        "    @classmethod\n    def go(cls):\n        return [cls.one()]\n"
    )
    return assets(idiom, before, "Kit.go()")


@place
def metaclass(idiom: Idiom) -> str:
    """metaclass"""
    before = (
        f"{code(idiom)}\nclass Meta(type):\n    @property\n    def go(cls):\n"
        f"        return {use(idiom)}\nclass Kit(metaclass=Meta):\n    pass\n"
    )
    return assets(idiom, before, "Kit.go")


@place
def descriptor(idiom: Idiom) -> str:
    """descriptor"""
    before = (
        f"{code(idiom)}\nclass Field:\n    def __set_name__(self, owner, name):\n"
        "        self.name = name\n    def __get__(self, held, owner=None):\n"
        f"        return [self.name, {use(idiom)}]\nclass Kit:\n    fare = Field()\n"
    )
    return assets(idiom, before, "Kit().fare")


@place
def protocol_methods(idiom: Idiom) -> str:
    """special methods"""
    before = (
        f"{code(idiom)}\nclass Kit:\n    def __len__(self):\n        return 2\n"
        f"    def __getitem__(self, i):\n        if i > 1:\n            raise IndexError\n"
        f"        return [i, {use(idiom)}]\n    def __call__(self):\n        return list(self)\n"
    )
    return assets(idiom, before, "Kit()()")


@place
def instance(idiom: Idiom) -> str:
    """state of an instance"""
    given = ", ".join(idiom.used)
    lines = "".join(f"        self.{name} = {name}\n" for name in idiom.used)
    before = (
        f"{code(idiom)}\nclass Holder:\n    def __init__(self, {given}):\n{lines}"
        f"    def go(self):\n        return {use(idiom, 'self.{}')}\nHOLDER = Holder({given})"
    )
    return assets(idiom, before, "HOLDER.go()")


@place
def singleton(idiom: Idiom) -> Files:
    """settings made by a module"""
    lines = "".join(f"    {name}: object = {name}\n" for name in idiom.used)
    settings = f"{code(idiom)}\nclass Settings:\n{lines}settings = Settings()"
    text = assets(idiom, "from config import settings", use(idiom, "settings.{}"))
    return {"pipeline.py": text, "config.py": settings}


@place
def bound_method(idiom: Idiom) -> str:
    """bound method in a table"""
    before = (
        f"{code(idiom)}\nclass Kit:\n    def go(self):\n        return {use(idiom)}\n"
        "TABLE = {'go': Kit().go}"
    )
    return assets(idiom, before, "TABLE['go']()")


# Assets


@place
def factory(idiom: Idiom) -> str:
    """factory of assets in a loop"""
    before = (
        f"{code(idiom)}\ndef make(n):\n    @dg.asset(name=f'part_{{n}}')\n    def part():\n"
        f"        return [n, {use(idiom)}]\n    return part\nMADE = [make(n) for n in range(2)]"
    )
    return assets(idiom, before, "[part_0, part_1]").replace(
        "def result()", "def result(part_0, part_1)"
    )


@place
def team_wrapper(idiom: Idiom) -> str:
    """a wrapper of a team around asset"""
    before = (
        f"{code(idiom)}\ndef team_asset(**options):\n    return dg.asset(group_name='team', **options)\n"
        "@team_asset(description='It is ours.')\n"
        f"def ours():\n    return {use(idiom)}\n"
    )
    return assets(idiom, before, "ours").replace("def result()", "def result(ours)")


@place
def from_upstream(idiom: Idiom) -> str:
    """value of an upstream asset"""
    before = f"{code(idiom)}\n@dg.asset\ndef raw():\n    return {use(idiom)}\n"
    return assets(idiom, before, "[raw, 1]").replace("def result()", "def result(raw)")


@place
def pickled(idiom: Idiom) -> Files:
    """pickled by an upstream asset"""
    before = f"import tools\n@dg.asset\ndef raw():\n    return ({names(idiom)},)\n".replace(
        f"({names(idiom)},)", f"({', '.join(f'tools.{n}' for n in idiom.used)},)"
    )
    within = f"({names(idiom)},) = raw"
    text = assets(idiom, before, use(idiom), within).replace("def result()", "def result(raw)")
    return {"pipeline.py": text, "tools.py": code(idiom)}


@place
def nested_call(idiom: Idiom) -> str:
    """asset called as a function"""
    before = f"{code(idiom)}\n@dg.asset\n{function('other', idiom)}"
    return assets(idiom, before, "[other()]")
