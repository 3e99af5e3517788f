class Tariff:
    base = 2.0
    def __init__(self, per_km=1.5):
        self.per_km = per_km
    def of(self, km):
        return self.base + km * self.per_km


import assetgraph as dg

@dg.asset
def plain_class__value():
    return [Tariff().of(2), Tariff(3).of(1)]
