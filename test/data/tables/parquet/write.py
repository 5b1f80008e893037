"""Writes the Parquet files of this folder, and what is in them as text, with pyarrow (25.0.1):

    python3 write.py FOLDER
"""
import datetime
import decimal
import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 40
folder = sys.argv[1]
day = datetime.date(2020, 2, 27)
noon = datetime.datetime(2020, 2, 27, 12, 30, 15, 250000)
some = lambda make: [None if i % 7 == 3 else make(i) for i in range(ROWS)]
columns = {
    'i32': (pa.array(some(lambda i: i - 20), pa.int32()), str),
    'i64': (pa.array([2**40 + i for i in range(ROWS)], pa.int64()), str),
    'u8': (pa.array([i % 256 for i in range(ROWS)], pa.uint8()), str),
    'f32': (pa.array([np.float32(i / 7) for i in range(ROWS)], pa.float32()), lambda x: repr(float(x))),
    'f64': (pa.array([float('nan') if i == 5 else i / 3 for i in range(ROWS)], pa.float64()), lambda x: 'NaN' if x != x else repr(x)),
    'flag': (pa.array(some(lambda i: i % 3 == 0), pa.bool_()), lambda x: str(x).lower()),
    'text': (pa.array(some(lambda i: f'größe {i % 5}, "{i}"'), pa.string()), str),
    'kind': (pa.array(some(lambda i: 'abc'[i % 3])).dictionary_encode(), str),
    'day': (pa.array(some(lambda i: day + datetime.timedelta(days=i)), pa.date32()), str),
    'ms': (pa.array([noon + datetime.timedelta(hours=i) for i in range(ROWS)], pa.timestamp('ms')), lambda x: x.isoformat(timespec='milliseconds') + 'Z'),
    'us': (pa.array(some(lambda i: noon + datetime.timedelta(hours=i)), pa.timestamp('us')), lambda x: x.isoformat(timespec='milliseconds') + 'Z'),
    'money': (pa.array([decimal.Decimal(i * 125) / 100 for i in range(ROWS)], pa.decimal128(9, 2)), lambda x: repr(float(x)).removesuffix('.0')),
}
table = pa.table({name: array for name, (array, _) in columns.items()})
cells = {
    name: ['' if x is None else text(x) for x in array.to_pylist()] for name, (array, text) in columns.items()
}
# As JavaScript writes whole numbers.
for name in ('f32', 'f64'):
    cells[name] = [x.removesuffix('.0') for x in cells[name]]
json.dump(cells, open(f'{folder}/cells.json', 'w'), ensure_ascii=False)
for codec in ('none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'):
    pq.write_table(table, f'{folder}/{codec}.parquet', compression=codec, row_group_size=16)
pq.write_table(table, f'{folder}/plain-v2.parquet', use_dictionary=False, data_page_version='2.0', version='2.6')
pq.write_table(
    table.select(['i32', 'i64', 'text']),
    f'{folder}/delta.parquet',
    use_dictionary=False,
    column_encoding={'i32': 'DELTA_BINARY_PACKED', 'i64': 'DELTA_BINARY_PACKED', 'text': 'DELTA_BYTE_ARRAY'},
)
nested = pa.table({'a': table['i64'], 'list': pa.array([[i] for i in range(ROWS)]), 'record': pa.array([{'x': i} for i in range(ROWS)])})
pq.write_table(nested, f'{folder}/nested.parquet')
