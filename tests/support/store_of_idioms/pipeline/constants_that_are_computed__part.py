SECONDS = 60 * 60 * 24
WEEK = [day * SECONDS for day in range(7) if day % 2]
NAMES = tuple('zone_%d' % n for n in range(3))


import assetgraph as dg

@dg.asset
def constants_that_are_computed__value():
    return [SECONDS, WEEK, list(NAMES)]
