#!/bin/sh
# The commands by which version 0.1.0 made the store in /srv/pipeline, with RATE = 2 and
# SURCHARGE = 0.25 at first. The host, the process ids and the user in its records were then
# replaced, and the .gitignore that a store writes for itself was removed.

# With failures: shaky fails once, broken fails, and below_broken is skipped.
assetgraph materialize 'not (killed+ or killed_once+)' --tag team=data --tag note='größer als 1' \
    --config trips.month=2023-04 --config trips.limit=4

# Interrupted, and left so.
assetgraph materialize killed+ noise title

# Interrupted, then canceled, then finished.
PIPELINE_KILL=1 assetgraph materialize trips killed_once+
PIPELINE_CANCEL=1 assetgraph runs rerun latest --from-failure
assetgraph runs rerun latest --from-failure

# With another config, in worker processes; then in threads, then from Python.
assetgraph materialize trips many_trips --config trips.limit=3 --config many_trips.limit=2 \
    --executor processes -j 2
assetgraph materialize --stale 'not (killed+ or broken+)' --executor threads -j 2
python -c '
import assetgraph as dg
from pipeline.values import digest, prepared
dg.materialize([prepared, digest], instance=dg.Instance.get(), tags={"from": "python"})'

# Changed code: many_trips is accepted; trips comes out equal, which spares what reads it.
sed -i 's/^RATE = 2$/RATE = 2.0/' pipeline/helpers.py
assetgraph accept many_trips
assetgraph materialize --stale 'not (killed+ or broken+)'

# Changed code that nobody ran: surcharges is stale.
sed -i 's/^SURCHARGE = 0.25$/SURCHARGE = 0.5/' pipeline/helpers.py
