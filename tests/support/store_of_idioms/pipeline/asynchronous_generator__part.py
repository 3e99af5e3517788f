import asyncio
async def ticks(n):
    for i in range(n):
        yield i + 5
async def collect():
    return [tick async for tick in ticks(3) if tick != 6]


import assetgraph as dg

@dg.asset
def asynchronous_generator__value():
    return asyncio.run(collect())
