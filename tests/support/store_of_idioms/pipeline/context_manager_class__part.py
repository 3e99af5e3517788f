class Timer:
    steps = 3
    def __enter__(self):
        self.seen = ['enter']
        return self
    def __exit__(self, *error):
        self.seen.append('exit')
        return False
def timed_():
    with Timer() as timer:
        timer.seen.append(timer.steps)
    return timer.seen


import assetgraph as dg

@dg.asset
def context_manager_class__value():
    return timed_()
