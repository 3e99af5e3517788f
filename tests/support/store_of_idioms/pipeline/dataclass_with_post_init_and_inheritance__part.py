from dataclasses import dataclass, field, asdict
@dataclass
class Base_:
    n: int = 1
    def __post_init__(self):
        self.n += 10
@dataclass
class More(Base_):
    m: int = 2
    total: int = field(init=False, default=0)
    def __post_init__(self):
        super().__post_init__()
        self.total = self.n + self.m


import assetgraph as dg

@dg.asset
def dataclass_with_post_init_and_inheritance__value():
    return asdict(More(3))
