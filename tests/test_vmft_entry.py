"""Log entries as bytes: what was encoded is decoded, what was damaged never is."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmft import entry as log
from vmft.entry import Damaged, Entry, decode, decode_all, encode

U64 = st.integers(0, (1 << 64) - 1)
ENTRIES = st.builds(Entry, U64, st.sampled_from(sorted(log.KINDS)), U64, st.binary(max_size=80))
SAMPLE = Entry(7, log.INPUT, 1234, b"\x01a packet")


def sealed(head: bytes, tail: bytes) -> bytes:
    """A record with a right checksum, whatever its fields say."""
    return head + struct.pack("<I", zlib.crc32(tail, zlib.crc32(head))) + tail


@given(st.lists(ENTRIES, max_size=8))
def test_a_batch_comes_back_as_it_was(entries: list[Entry]) -> None:
    """Records follow each other without a gap."""
    assert list(decode_all(b"".join(map(encode, entries)))) == entries


@given(st.binary(max_size=20), ENTRIES, st.binary(max_size=20))
def test_a_record_is_decoded_where_it_starts(before: bytes, entry: Entry, after: bytes) -> None:
    """Neither what is in front of it nor what is behind it matters."""
    record = encode(entry)
    assert decode(before + record + after, len(before)) == (entry, len(before) + len(record))


@given(ENTRIES, st.data())
def test_a_record_that_is_cut_off_is_damaged(entry: Entry, data: st.DataObject) -> None:
    """However much of it is there."""
    record = encode(entry)
    length = data.draw(st.integers(0, len(record) - 1))
    with pytest.raises(Damaged):
        decode(record[:length])


@given(ENTRIES, st.data())
def test_a_record_with_a_flipped_bit_is_damaged(entry: Entry, data: st.DataObject) -> None:
    """Wherever the bit is: in the header, the checksum or the data."""
    record = encode(entry)
    bit = data.draw(st.integers(0, 8 * len(record) - 1))
    flipped = (int.from_bytes(record, "little") ^ 1 << bit).to_bytes(len(record), "little")
    with pytest.raises(Damaged):
        decode(flipped + bytes(200))


def test_every_flipped_bit_of_one_record_is_found() -> None:
    """All of them, without exception; a damaged length that leads on into other records too."""
    record = encode(SAMPLE)
    for bit in range(8 * len(record)):
        flipped = (int.from_bytes(record, "little") ^ 1 << bit).to_bytes(len(record), "little")
        with pytest.raises(Damaged):
            decode(flipped + record * 3000)


@given(st.lists(ENTRIES, min_size=1, max_size=6), st.data())
def test_nothing_behind_damage_is_decoded(entries: list[Entry], data: st.DataObject) -> None:
    """What is in front of the damaged record is taken, and only that."""
    bad = data.draw(st.integers(0, len(entries) - 1))
    records = [bytearray(encode(entry)) for entry in entries]
    records[bad][data.draw(st.integers(0, len(records[bad]) - 1))] ^= data.draw(st.integers(1, 255))
    taken = []
    with pytest.raises(Damaged):
        for entry in decode_all(b"".join(records)):
            taken.append(entry)
    assert taken == entries[:bad]


@pytest.mark.parametrize("version", [0, log.VERSION + 1, 255])
def test_another_version_is_refused_by_name(version: int) -> None:
    """Although its checksum is right."""
    record = encode(SAMPLE)
    other = sealed(bytes([version]) + record[1:4], record[8:])
    with pytest.raises(Damaged, match=f"of version {version}, expected {log.VERSION}"):
        decode(other)


@pytest.mark.parametrize("kind", [0, max(log.KINDS) + 1, 255])
def test_a_kind_that_does_not_exist_is_refused(kind: int) -> None:
    """A kind is never guessed."""
    record = encode(SAMPLE)
    other = sealed(record[:1] + bytes([kind]) + record[2:4], record[8:])
    with pytest.raises(Damaged, match=f"unknown kind {kind}"):
        decode(other)


def test_the_longest_data_fits() -> None:
    """The length field's limit is the limit, not one less."""
    entry = SAMPLE._replace(data=bytes(log.DATA_BYTES_MAX))
    assert decode(encode(entry))[0] == entry


def test_the_bytes_are_what_they_were() -> None:
    """Replicas of two releases may meet: a change of the format must change VERSION."""
    assert encode(SAMPLE).hex() == (
        "01010900" "70b32ab2" "0700000000000000" "d204000000000000" "0161207061636b6574")


def test_what_the_guest_does_reaches_one_instruction_further() -> None:
    """An output lets its own instruction be executed; an input is applied before the next."""
    for kind, reach in ((log.RESULT, 6), (log.OUTPUT, 6), (log.INPUT, 5), (log.INTERRUPT, 5),
                        (log.CONTROL, 5), (log.DIGEST, 5)):
        assert Entry(1, kind, 5, b"").reach == reach
