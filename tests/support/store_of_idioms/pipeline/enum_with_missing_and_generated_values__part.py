from enum import Enum, auto
class Stage(Enum):
    def _generate_next_value_(name, start, count, last_values):
        return name.lower() * 2
    RAW = auto()
    CLEAN = auto()
    @classmethod
    def _missing_(cls, value):
        return cls.CLEAN


import assetgraph as dg

@dg.asset
def enum_with_missing_and_generated_values__value():
    return [Stage.RAW.value, Stage('what').name]
