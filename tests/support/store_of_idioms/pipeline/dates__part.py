from datetime import date, datetime, timedelta
START = date(2023, 3, 1)
STEP = timedelta(days=2, hours=12)
def days(n):
    return [(START + STEP * i).isoformat() for i in range(n)]


import assetgraph as dg

@dg.asset
def dates__value():
    return days(3)
