import string
class Loud_(string.Formatter):
    def format_field(self, value, spec):
        return str(value).upper() + '!' if spec == 'loud' else super().format_field(value, spec)
LOUD_ = Loud_()


import assetgraph as dg

@dg.asset
def formatter__value():
    return LOUD_.format('{0:loud} {1:>4}', 'ab', 3)
