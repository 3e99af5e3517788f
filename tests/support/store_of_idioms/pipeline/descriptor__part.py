class Positive:
    def __init__(self, default=1):
        self.default = default
    def __set_name__(self, owner, name):
        self.name = '_' + name
    def __get__(self, held, owner=None):
        return getattr(held, self.name, self.default)
    def __set__(self, held, value):
        setattr(held, self.name, max(value, 0))
class Order:
    amount = Positive(3)
def ordered(n):
    order = Order()
    before = order.amount
    order.amount = n
    return [before, order.amount]


import assetgraph as dg

@dg.asset
def descriptor__value():
    return [ordered(5), ordered(-5)]
