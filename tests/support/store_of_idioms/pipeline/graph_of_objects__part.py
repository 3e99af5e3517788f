class Place:
    def __init__(self, name, rank): self.name, self.rank, self.near = name, rank, []
    def best(self): return max(self.near, key=lambda p: p.rank).name
A_, B_, C_ = Place('a', 1), Place('b', 5), Place('c', 3)
A_.near += [B_, C_]
B_.near.append(A_)


import assetgraph as dg

@dg.asset
def graph_of_objects__value():
    return [A_.best(), B_.best()]
