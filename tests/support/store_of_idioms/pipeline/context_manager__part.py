from contextlib import contextmanager
LOG = []
@contextmanager
def noted(name):
    LOG.append('open ' + name)
    yield name.upper()
    LOG.append('close ' + name)
def note(name):
    LOG.clear()
    with noted(name) as said:
        LOG.append(said)
    return list(LOG)


import assetgraph as dg

@dg.asset
def context_manager__value():
    return note('x')
