from functools import partial
def joined(sep, left, right, end=''):
    return left + sep + right + end
DASHED = partial(joined, '-', end='.')
FROM_A = partial(DASHED, 'a')


import assetgraph as dg

@dg.asset
def partial_of_a_partial__value():
    return FROM_A('b')
