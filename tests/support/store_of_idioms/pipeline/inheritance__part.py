class Animal:
    legs = 4
    def sound(self):
        return 'none'
    def say(self):
        return [self.sound(), self.legs]
class Dog(Animal):
    def sound(self):
        return 'wuff ' + super().sound()
class Bird(Animal):
    legs = 2


import assetgraph as dg

@dg.asset
def inheritance__value():
    return [Dog().say(), Bird().say()]
