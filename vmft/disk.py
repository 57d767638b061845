"""The shared disk node: the pair's storage, and its arbiter.

The test-and-set is atomic because one node decides it, and idempotent because the winner of each
generation is kept by name: whoever asks again after a lost reply gets the same answer.
"""

from __future__ import annotations

from vmft.messages import Effect, Message, Note, Send, TestAndSet, TestAndSetReply

SERVICE_NS = 200_000        # from a request's arrival to its answer


class DiskNode:
    """Sans-IO, like the replicas: messages in, effects out."""

    def __init__(self) -> None:
        self.winners: dict[int, str] = {}

    def handle(self, now_ns: int, source: str, message: Message) -> list[Effect]:
        """Serve one request."""
        if not isinstance(message, TestAndSet):
            return []
        done_ns = now_ns + SERVICE_NS
        winner = self.winners.setdefault(message.generation, source)
        return [
            Note(done_ns, "test-and-set", {"generation": message.generation, "asked": source,
                                           "winner": winner}),
            Send(done_ns, source, TestAndSetReply(message.generation, winner)),
        ]
