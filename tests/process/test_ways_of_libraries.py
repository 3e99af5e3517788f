"""What is recorded of the ways of libraries to read: most of them open files in C++ or Rust."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ways_to_read import ReadingProject, without_programs

from assetgraph.process.reads.libraries import WATCHED
from assetgraph.process.reads.watch import LIBRARIES

duckdb = pytest.importorskip("duckdb")
np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PARTS = {"file data/parts/p0.parquet", "file data/parts/p1.parquet"}
FOLDER = {*PARTS, "folder data/parts"}
PATTERN = {*PARTS, "pattern data/parts/*.parquet"}
WAYS = {
    "pd csv": ("import pandas as pd\npd.read_csv('data/a.csv')", {"file data/a.csv"}),
    "pd csv pyarrow": (
        "import pandas as pd\npd.read_csv('data/a.csv',engine='pyarrow')",
        {"file data/a.csv"},
    ),
    "pd csv python": (
        "import pandas as pd\npd.read_csv('data/a.csv',engine='python')",
        {"file data/a.csv"},
    ),
    "pd table": ("import pandas as pd\npd.read_table('data/a.csv')", {"file data/a.csv"}),
    "pd parquet": (
        "import pandas as pd\npd.read_parquet('data/a.parquet')",
        {"file data/a.parquet"},
    ),
    "pd parquet folder": ("import pandas as pd\npd.read_parquet('data/parts')", FOLDER),
    "pd json": ("import pandas as pd\npd.read_json('data/a.json')", {"file data/a.json"}),
    "pd feather": (
        "import pandas as pd\npd.read_feather('data/a.feather')",
        {"file data/a.feather"},
    ),
    "pd orc": ("import pandas as pd\npd.read_orc('data/a.orc')", {"file data/a.orc"}),
    "pd parquet Path": (
        "import pandas as pd\npd.read_parquet(Path('data/a.parquet'))",
        {"file data/a.parquet"},
    ),
    "np load": ("import numpy as np\nnp.load('data/a.npy')", {"file data/a.npy"}),
    "np load mmap": (
        "import numpy as np\nnp.load('data/a.npy',mmap_mode='r')",
        {"file data/a.npy"},
    ),
    "npz": ("import numpy as np\nnp.load('data/a.npz')['x']", {"file data/a.npz"}),
    "np fromfile": ("import numpy as np\nnp.fromfile('data/a.bin')", {"file data/a.bin"}),
    "np loadtxt": ("import numpy as np\nnp.loadtxt('data/a.txt')", {"file data/a.txt"}),
    "np genfromtxt": ("import numpy as np\nnp.genfromtxt('data/a.txt')", {"file data/a.txt"}),
    "np memmap": ("import numpy as np\nnp.memmap('data/a.bin',mode='r')", {"file data/a.bin"}),
    "pl read_csv": ("import polars as pl\npl.read_csv('data/a.csv')", {"file data/a.csv"}),
    "pl scan_csv": (
        "import polars as pl\nreturn pl.scan_csv('data/a.csv').collect()",
        {"file data/a.csv"},
    ),
    "pl read_parquet": (
        "import polars as pl\npl.read_parquet('data/a.parquet')",
        {"file data/a.parquet"},
    ),
    "pl scan_parquet": (
        "import polars as pl\npl.scan_parquet('data/a.parquet').collect()",
        {"file data/a.parquet"},
    ),
    "pl glob": ("import polars as pl\npl.read_parquet('data/parts/*.parquet')", PATTERN),
    "pl folder": ("import polars as pl\npl.scan_parquet('data/parts/').collect()", FOLDER),
    "pl list": ("import polars as pl\npl.read_csv(['data/a.csv'])", {"file data/a.csv"}),
    "pl ndjson": ("import polars as pl\npl.read_ndjson('data/a.ndjson')", {"file data/a.ndjson"}),
    "pl scan_ndjson": (
        "import polars as pl\npl.scan_ndjson('data/a.ndjson').collect()",
        {"file data/a.ndjson"},
    ),
    "pl json": ("import polars as pl\npl.read_json('data/a.json')", {"file data/a.json"}),
    "pl ipc": ("import polars as pl\npl.read_ipc('data/a.arrow')", {"file data/a.arrow"}),
    "pl scan_ipc": (
        "import polars as pl\npl.scan_ipc('data/a.arrow').collect()",
        {"file data/a.arrow"},
    ),
    "pl ipc_stream": (
        "import polars as pl\npl.read_ipc_stream('data/a.arrows')",
        {"file data/a.arrows"},
    ),
    "pl avro": ("import polars as pl\npl.read_avro('data/a.avro')", {"file data/a.avro"}),
    "pl csv_batched": (
        "import polars as pl\npl.scan_csv('data/a.csv').collect_batches()",
        {"file data/a.csv"},
    ),
    "pl lines": ("import polars as pl\npl.read_lines('data/a.csv')", {"file data/a.csv"}),
    "pl parquet schema": (
        "import polars as pl\npl.read_parquet_schema('data/a.parquet')",
        {"file data/a.parquet"},
    ),
    "pa csv": (
        "import pyarrow as pa\nimport pyarrow.csv\npa.csv.read_csv('data/a.csv')",
        {"file data/a.csv"},
    ),
    "pa open_csv": (
        "import pyarrow as pa\nimport pyarrow.csv\npa.csv.open_csv('data/a.csv').read_all()",
        {"file data/a.csv"},
    ),
    "pq read_table": (
        "import pyarrow as pa\nimport pyarrow.parquet as pq\npq.read_table('data/a.parquet')",
        {"file data/a.parquet"},
    ),
    "pq folder": (
        "import pyarrow as pa\nimport pyarrow.parquet as pq\npq.read_table('data/parts')",
        FOLDER,
    ),
    "pq ParquetFile": (
        "import pyarrow as pa\nimport pyarrow.parquet as pq\npq.ParquetFile('data/a.parquet').read()",
        {"file data/a.parquet"},
    ),
    "pq read_schema": (
        "import pyarrow.parquet as pq\npq.read_schema('data/a.parquet')",
        {"file data/a.parquet"},
    ),
    "pq read_metadata": (
        "import pyarrow.parquet as pq\npq.read_metadata('data/a.parquet')",
        {"file data/a.parquet"},
    ),
    "pq ParquetDataset": (
        "import pyarrow.parquet as pq\npq.ParquetDataset('data/parts').read()",
        FOLDER,
    ),
    "pa dataset": ("import pyarrow.dataset as ds\nds.dataset('data/parts').to_table()", FOLDER),
    "pa dataset file": (
        "import pyarrow.dataset as ds\nds.dataset(['data/a.csv'],format='csv').to_table()",
        {"file data/a.csv"},
    ),
    "pa feather": (
        "import pyarrow.feather as f\nf.read_table('data/a.feather')",
        {"file data/a.feather"},
    ),
    "pa json": ("import pyarrow.json as j\nj.read_json('data/a.ndjson')", {"file data/a.ndjson"}),
    "pa orc": ("import pyarrow.orc as o\no.read_table('data/a.orc')", {"file data/a.orc"}),
    "pa ORCFile": ("import pyarrow.orc as o\no.ORCFile('data/a.orc').read()", {"file data/a.orc"}),
    "pa memory_map": (
        "import pyarrow as pa\npa.memory_map('data/a.arrow').read()",
        {"file data/a.arrow"},
    ),
    "pa OSFile": ("import pyarrow as pa\npa.OSFile('data/a.arrow').read()", {"file data/a.arrow"}),
    "pa input_stream": (
        "import pyarrow as pa\npa.input_stream('data/a.arrow').read()",
        {"file data/a.arrow"},
    ),
    "pa ipc open_file mm": (
        "import pyarrow as pa\npa.ipc.open_file(pa.memory_map('data/a.arrow')).read_all()",
        {"file data/a.arrow"},
    ),
    "pa ipc path": (
        "import pyarrow as pa\npa.ipc.open_file('data/a.arrow').read_all()",
        {"file data/a.arrow"},
    ),
    "duck sql": (
        "import duckdb\nduckdb.sql(\"select * from 'data/a.csv'\").fetchall()",
        {"file data/a.csv"},
    ),
    "duck query": (
        "import duckdb\nduckdb.query(\"select * from 'data/a.parquet'\").fetchall()",
        {"file data/a.parquet"},
    ),
    "duck execute": (
        "import duckdb\nduckdb.execute(\"select * from read_csv('data/a.csv')\").fetchall()",
        {"file data/a.csv"},
    ),
    "duck read_csv": (
        "import duckdb\nduckdb.read_csv('data/a.csv').fetchall()",
        {"file data/a.csv"},
    ),
    "duck read_parquet": (
        "import duckdb\nduckdb.read_parquet('data/parts/*.parquet').fetchall()",
        PATTERN,
    ),
    "duck read_json": (
        "import duckdb\nduckdb.read_json('data/a.ndjson').fetchall()",
        {"file data/a.ndjson"},
    ),
    "duck connect": (
        "import duckdb\nduckdb.connect('data/a.duckdb',read_only=True).execute('select * from t').fetchall()",
        {"file data/a.duckdb"},
    ),
    "duck con.sql": (
        "import duckdb\nduckdb.connect().sql(\"select * from 'data/a.csv'\").fetchall()",
        {"file data/a.csv"},
    ),
    "duck con.execute param": (
        "import duckdb\nduckdb.connect().execute(\"select * from read_csv(?)\",['data/a.csv']).fetchall()",
        {"file data/a.csv"},
    ),
    "duck attach": (
        "import duckdb\nc=duckdb.connect()\nc.execute(\"attach 'data/a.duckdb' as d (read_only)\")\nc.execute('select * from d.t')",
        {"file data/a.duckdb"},
    ),
    "duck copy from": (
        "import duckdb\nc=duckdb.connect()\nc.execute('create table t(a int,b text)')\nc.execute(\"copy t from 'data/a.csv'\")",
        {"file data/a.csv"},
    ),
    "duck glob": ("import duckdb\nduckdb.sql(\"from 'data/parts/*.parquet'\").fetchall()", PATTERN),
    "duck rel": (
        "import duckdb\nduckdb.read_csv('data/a.csv').filter('a>1').fetchall()",
        {"file data/a.csv"},
    ),
    "duck frame": (
        "import duckdb\nimport pandas as pd\ndf=pd.read_csv('data/a.csv')\nduckdb.sql('select * from df').fetchall()",
        {"file data/a.csv"},
    ),
    "duck from": (
        "from duckdb import sql\nsql(\"from 'data/a.csv'\").fetchall()",
        {"file data/a.csv"},
    ),
    "duck from connect": (
        "from duckdb import connect\nconnect().execute(\"from 'data/a.csv'\").fetchall()",
        {"file data/a.csv"},
    ),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingProject]:
    root = tmp_path_factory.mktemp("reading")
    (root / "data" / "parts").mkdir(parents=True)
    _fill(root / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        yield ReadingProject(root)


def _fill(folder: Path) -> None:
    import pyarrow.feather
    import pyarrow.orc
    import pyarrow.parquet

    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    frame.to_csv(folder / "a.csv", index=False)
    frame.to_json(folder / "a.json")
    (folder / "a.ndjson").write_text('{"a":1}\n{"a":2}\n')
    for path in (folder / "a.parquet", folder / "parts/p0.parquet", folder / "parts/p1.parquet"):
        pyarrow.parquet.write_table(table, path)
    pyarrow.feather.write_feather(table, folder / "a.feather", compression="uncompressed")
    pyarrow.orc.write_table(table, folder / "a.orc")
    for name, new in (("a.arrow", pa.ipc.new_file), ("a.arrows", pa.ipc.new_stream)):
        with pa.OSFile(str(folder / name), "wb") as file, new(file, table.schema) as writer:
            writer.write_table(table)
    pl.DataFrame({"a": [1]}).write_avro(folder / "a.avro")
    np.save(folder / "a.npy", np.arange(3))
    np.savez(folder / "a.npz", x=np.arange(3))
    np.savetxt(folder / "a.txt", np.arange(3))
    np.arange(3).tofile(folder / "a.bin")
    with duckdb.connect(str(folder / "a.duckdb")) as connection:
        connection.execute("create table t as select 1 a")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_a_library_to_read_is_recorded_by_what_was_read(
    project: ReadingProject, way: str
) -> None:
    body, expected = WAYS[way]
    assert without_programs(project.reads(body)) == expected


def test_each_library_with_followed_functions_is_watched_when_it_is_imported() -> None:
    assert {name.partition(".")[0] for name in WATCHED} == LIBRARIES
