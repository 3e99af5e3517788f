class Settings_:
    defaults = {'limit': 3}
    def __getattr__(self, name):
        if name in self.defaults:
            return self.defaults[name]
        raise AttributeError(name)


import assetgraph as dg

@dg.asset
def attribute_lookup__value():
    return Settings_().limit
