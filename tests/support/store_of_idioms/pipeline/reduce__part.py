from functools import reduce
import operator
def product(values):
    return reduce(operator.mul, values, 2)


import assetgraph as dg

@dg.asset
def reduce__value():
    return product([3, 4])
