def with_id(prefix):
    def decorate(kind):
        kind.id = prefix + kind.__name__.lower()
        kind.describe = lambda self: self.id + '!'
        return kind
    return decorate
@with_id('k-')
class Thing:
    pass


import assetgraph as dg

@dg.asset
def class_decorator__value():
    return Thing().describe()
