class Config:
    class Source:
        name = 'trips'
        limit = 5
    class Target_:
        name = 'zones'
    order = (Source.name, Target_.name)


import assetgraph as dg

@dg.asset
def nested_classes__value():
    return [Config.Source.limit, list(Config.order)]
