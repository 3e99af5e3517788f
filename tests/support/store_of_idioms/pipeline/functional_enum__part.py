from enum import Enum
Size = Enum('Size', {'SMALL': 1, 'LARGE': 9})


import assetgraph as dg

@dg.asset
def functional_enum__value():
    return [Size.LARGE.value, [s.name for s in Size]]
