from collections import defaultdict
def missing():
    return ['new']
GROUPS = defaultdict(missing, a=[1])


import assetgraph as dg

@dg.asset
def default_dict_with_a_factory__value():
    return [list(GROUPS['a']), GROUPS.default_factory()]
