def fare(km, base=2.5, *, per_km=1.5, night=False):
    if night:
        return base * 2 + km * per_km
    return base + km * per_km


import assetgraph as dg

@dg.asset
def default_arguments__value():
    return [fare(2), fare(3, night=True), fare(1, 4.0)]
