class Counted:
    def __init__(self, function):
        self.function = function
        self.step = 2
    def __call__(self, *args):
        return self.function(*args) * self.step
@Counted
def plus_three(x):
    return x + 3


import assetgraph as dg

@dg.asset
def decorator_as_a_class__value():
    return plus_three(1)
