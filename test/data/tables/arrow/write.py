"""Writes the Arrow files of this folder with pyarrow (25.0.1): the table of the Parquet files, and types that only Arrow has.

    python3 write.py FOLDER
"""
import datetime
import decimal
import pathlib
import sys

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

folder = pathlib.Path(sys.argv[1])
table = pq.read_table(folder.parent / 'parquet' / 'none.parquet').replace_schema_metadata(None)


def write(name, table, chunk=16, stream=False, codec=None, **options):
    options = pa.ipc.IpcWriteOptions(compression=codec, **options)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(folder / name), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=chunk)


write('file.arrow', table)
write('stream.arrows', table, stream=True)
write('lz4.arrow', table, codec='lz4')
write('zstd.arrow', table, codec='zstd')
# What df.to_feather() of pandas calls: LZ4 by default.
feather.write_feather(table, str(folder / 'table.feather'), chunksize=16)

day = datetime.date(2020, 2, 27)
noon = datetime.datetime(2020, 2, 27, 12, 30, 15, 250000)
types = {
    'none': pa.nulls(4),
    'i8': pa.array([-128, None, 127, 0], pa.int8()),
    'u64': pa.array([2**64 - 1, None, 0, 1], pa.uint64()),
    'd32': pa.array([decimal.Decimal('1.25'), None, decimal.Decimal('-0.01'), 0], pa.decimal32(9, 2)),
    'd64': pa.array([decimal.Decimal('900719925474099.3'), None, decimal.Decimal('-0.1'), 0], pa.decimal64(18, 1)),
    'd128': pa.array([decimal.Decimal('10000000.000000000000000000000000000001'), None, decimal.Decimal('-0.1'), 0], pa.decimal128(38, 30)),
    'd256': pa.array([decimal.Decimal(10**60), None, decimal.Decimal(-1), 0], pa.decimal256(76, 0)),
    'large': pa.array(['größe', None, '', '\ufeffbom'], pa.large_string()),
    'view': pa.array(['short', None, '', 'longer than twelve bytes'], pa.string_view()),
    'kind': pa.DictionaryArray.from_arrays(pa.array([1, None, 0, 1], pa.int8()), pa.array(['b', 'a'], pa.large_string())),
    'runs': pa.RunEndEncodedArray.from_arrays(pa.array([1, 3, 4], pa.int32()), pa.array(['x', None, 'y'])),
    'date64': pa.array([day, None, datetime.date(1, 1, 1), datetime.date(1970, 1, 1)], pa.date64()),
    's': pa.array([noon.replace(microsecond=0), None, datetime.datetime(1969, 12, 31), datetime.datetime(1970, 1, 1)], pa.timestamp('s', tz='Europe/Berlin')),
    'ns': pa.array([noon, None, datetime.datetime(1969, 12, 31, 23, 59, 59, 999000), datetime.datetime(1970, 1, 1)], pa.timestamp('ns')),
    'time': pa.array([datetime.time(0, 0, 1), None, datetime.time(12), datetime.time(0)], pa.time32('ms')),
    'took': pa.array([1500, None, -1, 0], pa.duration('us')),
    'list': pa.array([[1], None, [], [2, 3]]),
    'record': pa.array([{'x': 1}, None, {'x': 2}, {'x': 3}]),
    'bytes': pa.array([b'\xff', None, b'', b'a'], pa.binary()),
    'fixed': pa.array([b'ab', None, b'cd', b'ef'], pa.binary(2)),
    'interval': pa.array([(1, 2, 3), None, (0, 0, 0), (0, 0, 1)], pa.month_day_nano_interval()),
}
# Rows of two, so that values start in the middle of what the first batch holds.
write('types.arrow', pa.table(types), chunk=2)
# A dictionary that grows: the second batch brings the value "c".
parts = [pa.array(['a', 'b', 'a']).dictionary_encode(), pa.array(['c', 'a', None]).dictionary_encode()]
grown = pa.chunked_array(parts)
write('dictionaries.arrows', pa.table({'kind': grown}), stream=True, emit_dictionary_deltas=True)
# More than one block of LZ4, each referring to what came before.
write('lz4-blocks.arrow', pa.table({'n': pa.array([i // 3 for i in range(60_000)], pa.int32())}), chunk=60_000, codec='lz4')
