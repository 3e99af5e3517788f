def band(age):
    if age < 18:
        return 'minor'
    elif age < 65 and age != 40:
        return 'adult'
    else:
        return 'senior'


import assetgraph as dg

@dg.asset
def chained_conditions__value():
    return [band(n) for n in (3, 40, 64, 90)]
