from fractions import Fraction
def area__(self): return float(self) * 2
class Ratio(Fraction): pass
Ratio.area = area__


import assetgraph as dg

@dg.asset
def method_put_on_a_class_of_the_standard_library_s__value():
    return Ratio(1, 4).area()
