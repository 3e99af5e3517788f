COLUMNS_ = {'zone': slice(0, 3), 'fare': slice(3, 8)}
def fixed(line):
    return {name: line[at].strip() for name, at in COLUMNS_.items()}


import assetgraph as dg

@dg.asset
def complex_slices_of_strings__value():
    return fixed('A1  12.5')
