def define(name, value):
    globals()[name] = value * 2
define('GIVEN', 4)
GIVEN = GIVEN
def given_():
    return GIVEN + 1


import assetgraph as dg

@dg.asset
def names_set_through_globals__value():
    return given_()
