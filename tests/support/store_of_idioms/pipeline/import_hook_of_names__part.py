def __getattr__(name):
    if name.startswith('LEVEL_'):
        return int(name[6:]) * 4
    raise AttributeError(name)
def level(n): return __getattr__(f'LEVEL_{n}')


import assetgraph as dg

@dg.asset
def import_hook_of_names__value():
    return level(3)
