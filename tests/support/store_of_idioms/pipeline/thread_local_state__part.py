import threading
STATE = threading.local()
STATE.level = 3
def level_(): return STATE.level


import assetgraph as dg

@dg.asset
def thread_local_state__value():
    return level_()
