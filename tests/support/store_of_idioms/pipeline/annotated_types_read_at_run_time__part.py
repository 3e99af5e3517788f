from typing import Annotated, get_args
Percent = Annotated[float, 'percent', (0, 100)]
def bounds():
    return list(get_args(Percent)[2])


import assetgraph as dg

@dg.asset
def annotated_types_read_at_run_time__value():
    return bounds()
