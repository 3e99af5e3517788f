import threading
from concurrent.futures import ThreadPoolExecutor
LOCK = threading.Lock()
def safe(x):
    with LOCK:
        return x * 2
def in_threads(values):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(safe, values))


import assetgraph as dg

@dg.asset
def locks_and_threads__value():
    return in_threads([1, 2])
