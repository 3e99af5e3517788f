def both(n):
    return ['%05.1f|%s' % (n, 'end'), '{:>6}|{name}'.format(n, name='x')]


import assetgraph as dg

@dg.asset
def percent_and_format__value():
    return both(2.5)
