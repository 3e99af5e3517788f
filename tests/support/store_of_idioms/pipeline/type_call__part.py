Point_ = type('Point_', (), {'x': 4, 'norm': lambda self: self.x * 2})


import assetgraph as dg

@dg.asset
def type_call__value():
    return [Point_.x, Point_().norm()]
