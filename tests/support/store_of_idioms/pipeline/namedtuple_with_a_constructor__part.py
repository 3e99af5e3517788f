from collections import namedtuple
class Span_(namedtuple('Span_', 'low high')):
    __slots__ = ()
    def __new__(cls, low, high=9):
        return super().__new__(cls, min(low, high), max(low, high))
    @property
    def width(self): return self.high - self.low


import assetgraph as dg

@dg.asset
def namedtuple_with_a_constructor__value():
    return [Span_(12).width, list(Span_(3))]
