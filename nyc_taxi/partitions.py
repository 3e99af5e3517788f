"""The months and the weeks that the pipeline covers."""

import assetgraph as dg
from nyc_taxi.constants import END_DATE, START_DATE

monthly_partition = dg.MonthlyPartitionsDefinition(START_DATE, END_DATE, default="2023-03-01")
weekly_partition = dg.WeeklyPartitionsDefinition(START_DATE, END_DATE, default="2023-03-05")
