import sys
if sys.version_info >= (3, 8):
    def walk(x):
        return x + 1
else:
    def walk(x):
        return x - 1


import assetgraph as dg

@dg.asset
def version_dependent_branch__value():
    return walk(3)
