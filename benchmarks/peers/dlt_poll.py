"""Peer: dlt's REST source into PostgreSQL, merged by upsert, incremental by `date_updated`.

    API_URL=.. DSN=postgresql://.. STATE_DIR=.. python dlt_poll.py

At its best setting: no child tables, loaded by COPY of CSV. Prints one line of JSON; a second run
with the same STATE_DIR reads what is new. It runs in an environment of its own.
"""

# dlt is not installed where mypy looks.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import resource
from time import perf_counter

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt  # it reads the environment when it is imported
from dlt.sources.rest_api import rest_api_source

began = perf_counter()
source = rest_api_source({
    "client": {
        "base_url": os.environ["API_URL"],
        "paginator": {
            "type": "cursor", "cursor_path": "next_page_token", "cursor_param": "page_token",
        },
    },
    "resources": [{
        "name": "messages",
        "primary_key": "id",
        "write_disposition": {"disposition": "merge", "strategy": "upsert"},
        "endpoint": {
            "path": "api/messages",
            "data_selector": "data",
            "params": {"limit": 100, "updated_since": "{incremental.start_value}"},
            "incremental": {
                "cursor_path": "date_updated", "initial_value": "2020-01-01T00:00:00.000Z",
            },
        },
    }],
})  # fmt: skip
source.max_table_nesting = 0
pipeline = dlt.pipeline(
    "peer",
    destination=dlt.destinations.postgres(credentials=os.environ["DSN"]),
    dataset_name="dlt_peer",
    pipelines_dir=os.environ["STATE_DIR"],
)
pipeline.run(source, loader_file_format="csv")
seconds = perf_counter() - began
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(
    json.dumps(
        {
            "seconds": seconds,
            "cpu": sum(one.ru_utime + one.ru_stime for one in used),
            "rss": used[0].ru_maxrss / 1024,
        }
    )
)
