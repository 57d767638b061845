"""The logging channel's messages: lost, repeated, overtaken, damaged, crowded out; and counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vmft import entry as log
from vmft.channel import Receiver
from vmft.messages import Ack, Heartbeat, Log, Message
from vmft.network import QUEUE_NS_MAX, SECOND_NS, Arrival, Network, Ratio, size_of
from vmft.prng import Rng
from vmft.settings import DEFAULT

LINK = ("n1", "n2")
ALWAYS = Ratio(1, 1)
SEEDS = st.integers(0, (1 << 64) - 1)


def message(first: int, count: int = 1) -> Log:
    """A log message with some entries."""
    records = b"".join(log.encode(log.Entry(seq, log.INTERRUPT, seq, b"12345"))
                       for seq in range(first, first + count))
    return Log(1, first, first + count - 1, 0, records)


def sent(network: Network, *messages: Message, gap_ns: int = 0) -> list[Arrival]:
    """What arrives of messages sent one after the other, in order of time."""
    arrivals = []
    for place, each in enumerate(messages):
        routed = network.route(place * gap_ns, *LINK, each)
        arrivals += routed if isinstance(routed, list) else []
    return sorted(arrivals, key=lambda arrival: arrival.time_ns)


@given(SEEDS)
def test_a_wrong_bit_is_always_found(seed: int) -> None:
    """Whichever it is, the receiver takes nothing from there on."""
    network = Network(Rng(seed))
    network.disturbance(LINK).corrupt = ALWAYS
    [arrival] = sent(network, message(1, 5))
    assert isinstance(arrival.message, Log) and arrival.message != message(1, 5)
    received = Receiver(DEFAULT).take(arrival.message, 0)
    assert received.trouble is not None and len(received.entries) < 5
    assert [each.seq for each in received.entries] == list(range(1, len(received.entries) + 1))
    assert network.calm(LINK) == {"damaged": 1}


@given(SEEDS)
def test_an_acknowledgement_with_a_wrong_bit_is_none(seed: int) -> None:
    """It has no records; its frame's checksum shows it."""
    network = Network(Rng(seed))
    network.disturbance(LINK).corrupt = ALWAYS
    assert network.route(0, *LINK, Ack(1, 5, 3)) == "damaged"


@given(SEEDS)
def test_a_repeated_message_comes_twice(seed: int) -> None:
    """The second time later; and the receiver takes it once."""
    network, receiver = Network(Rng(seed)), Receiver(DEFAULT)
    network.disturbance(LINK).duplicate = ALWAYS
    arrivals = sent(network, message(1), message(2), gap_ns=SECOND_NS)
    assert len(arrivals) == 4
    taken = [entry.seq for each in arrivals if isinstance(each.message, Log)
             for entry in receiver.take(each.message, 0).entries]
    assert taken == [1, 2]


def test_messages_overtake_each_other() -> None:
    """In some seeds, when they are close; without a disturbance in none."""
    orders = set()
    for seed in range(50):
        network = Network(Rng(seed))
        network.disturbance(LINK).reorder = Ratio(1, 2)
        network.disturbance(LINK).late_ns = 1_000_000
        orders.add(tuple(each.message.first for each in sent(network, message(1), message(2))
                         if isinstance(each.message, Log)))
    assert orders == {(1, 2), (2, 1)}


@given(SEEDS, st.integers(1, 1_000_000))
def test_a_throttled_link_passes_no_more_than_it_may(seed: int, bytes_per_s: int) -> None:
    """In order; what would wait too long is crowded out."""
    network = Network(Rng(seed))
    network.disturbance(LINK).bytes_per_s = bytes_per_s
    messages = [message(seq) for seq in range(1, 200)]
    arrivals = sent(network, *messages)
    passed = [each.message.first for each in arrivals if isinstance(each.message, Log)]
    assert passed == list(range(1, len(passed) + 1)) and passed
    assert arrivals[-1].time_ns >= len(passed) * (size_of(messages[0]) * SECOND_NS // bytes_per_s)
    crowded_out = network.calm(LINK).get("crowded out", 0)
    assert crowded_out == len(messages) - len(passed)
    assert not crowded_out or arrivals[-1].time_ns > QUEUE_NS_MAX


def test_only_the_channel_is_disturbed() -> None:
    """Heartbeats and everything else pass; and after calming, all does."""
    network = Network(Rng(1))
    network.disturbance(LINK).lose = ALWAYS
    assert network.route(0, *LINK, message(1)) == network.route(0, *LINK, Ack(1, 1, 1)) == "lost"
    assert len(sent(network, Heartbeat(1))) == 1
    assert network.calm(LINK) == {"lost": 2} and network.calm(LINK) == {}
    assert len(sent(network, message(1), Ack(1, 1, 1))) == 2
