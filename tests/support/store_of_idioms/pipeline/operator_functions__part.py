from operator import attrgetter, itemgetter, methodcaller
BY_FARE = itemgetter('fare')
UPPER = methodcaller('replace', 'a', 'b')


import assetgraph as dg

@dg.asset
def operator_functions__value():
    return [BY_FARE({'fare': 3, 'tip': 1}), UPPER('banana')]
