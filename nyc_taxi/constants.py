"""The time that the pipeline covers, the paths of its files in the project, and their sources."""

START_DATE = "2023-01-01"
END_DATE = "2023-04-01"

TAXI_ZONES_FILE_PATH = "data/raw/taxi_zones.csv"
TAXI_TRIPS_TEMPLATE_FILE_PATH = "data/raw/taxi_trips_{}.parquet"

TRIPS_BY_WEEK_TEMPLATE_FILE_PATH = "data/outputs/trips_by_week/{}.csv"
MANHATTAN_STATS_FILE_PATH = "data/staging/manhattan_stats.geojson"
MANHATTAN_MAP_FILE_PATH = "data/outputs/manhattan_map.png"
DATABASE_FILE_PATH = "data/staging/taxi.duckdb"

TAXI_TRIPS_URL = "https://d37ci6vzurychx.cloudfront.net/trip-data/yellow_tripdata_{month}.parquet"
TAXI_ZONES_URL = (
    "https://community-engineering-artifacts.s3.us-west-2.amazonaws.com"
    "/dagster-university/data/taxi_zones.csv"
)
