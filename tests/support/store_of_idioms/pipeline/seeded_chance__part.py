import random
def draws(n):
    chance = random.Random(7)
    return [chance.randint(0, 99) for _ in range(n)]


import assetgraph as dg

@dg.asset
def seeded_chance__value():
    return draws(4)
