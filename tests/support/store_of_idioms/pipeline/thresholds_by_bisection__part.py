from bisect import bisect
BREAKS = [10, 20, 30]
GRADES = 'DCBA'
def grade(score):
    return GRADES[bisect(BREAKS, score)]


import assetgraph as dg

@dg.asset
def thresholds_by_bisection__value():
    return [grade(s) for s in (5, 15, 25, 99)]
