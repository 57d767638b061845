"""What a model does not say of its operations, found out: which are reads, which are writes, and
which can happen in one state only.

The short cuts of the search, and the windows of `refute.py`, live on the kinds, needs and targets
of classes.  A model that has `step` alone promises none of them: each of its classes is an update
that may be legal anywhere.  Often they can be known all the same.  Take all states that have a
number, the initial one among them; ask the model for every class in every one of them, and in those
that this leads to, until it leads to no new one: then the states are *closed*.  Of closed states it
is known

* that a class is a read, where in each state it is illegal or leads back to that;
* that it is a write, where it is legal in each state, and leads to the same one from all;
* which state it needs, where it is legal in one state only;
* where it leads, where that is always the same state.

A search begins in the initial state or, in a window, in another one that has a number, and goes on
by classes of the problem: it stays within the closed states.  There, what was learned is what the
model would have promised, and each argument for a short cut or a window holds as it stands.  So it
does for a model that may do one of several things, since a state is then a set of states, numbered
like others (`problem.py`).

So that all this holds for prefixes and cores (`narrow.py`) as well, every class is asked about in
its loosened form too, the answer unknown.  Who adds classes as they come, as an online check does,
must not learn.  Classes of calls that failed are not asked about, since they never happen.

There may be no end of states, as of a queue, or too many, as of a register whose writes are
distinct.  Then nothing is learned, and the asking must have cost little: about as much as a search
that was in vain (`decide_and_learn`).  What was asked is remembered by the table, and some of it a
search would ask as well.  Nor is anything learned of a model that raises when it is asked what no
search would ask.
"""

from __future__ import annotations

from typing import Sequence

from checker.found import CHECK_EVERY_STEPS, Budget, Found
from checker.native import loosened
from checker.problem import ILLEGAL, READ, UNASKED, WRITE, Changed, Problem, Table
from checker.refute import decide
from histories.errors import UsageError

CALLS_PER_TRANSITION = 2    # asked for before a search begins,
STEPS_PER_TRANSITION = 4    # and while it goes on
TRANSITIONS_MAX = 64_000
ROUNDS_MAX = 20             # a state that takes so many calls may be huge


class _Learned(Exception):
    """Ends a search that should begin again."""


def decide_and_learn(problem: Problem, table: Table, budget: Budget) -> Found:
    """Search for an order of the calls; learn before, or, where that takes long, meanwhile.

    What was learned meanwhile is of use to a search that begins again.  Calls that never return and
    turn out to be reads are left out, as they would have been (`loosened` does it).
    """
    if not table.unclear:
        return decide(problem, table, budget)
    steps, due = 0, CHECK_EVERY_STEPS

    def expired() -> bool:
        nonlocal steps, due
        steps += CHECK_EVERY_STEPS
        if steps >= due:
            due *= 2
            if learn(problem, table, steps // STEPS_PER_TRANSITION):
                raise _Learned
        return budget.expired is not None and budget.expired()

    try:
        if not learn(problem, table, len(problem.classes) // CALLS_PER_TRANSITION):
            return decide(problem, table, budget._replace(expired=expired))
    except _Learned:
        pass
    return decide(loosened(problem, table, None, len(problem.events) - 1), table, budget)


def learn(problem: Problem, table: Table, transitions_max: int) -> bool:
    """Learn what can be known of the problem's classes, by so many transitions; was anything?

    UsageError: the model changes its states in place.
    """
    most = min(transitions_max, TRANSITIONS_MAX) if table.unclear else 0
    used = sorted(set(problem.classes)) if most else []
    if not 0 < len(used) * len(table.states) <= most:
        return False
    try:
        classes = sorted({*used, *map(table.loosened, used)})
        asked = [number for number in classes if table.targets[number] == UNASKED]
        closed = _close(table, asked, most)
    except Changed:
        raise
    except UsageError:
        closed = False
    for number in asked if closed else ():
        _note(table, number)
    table.unclear = closed is None
    return bool(closed)


def _close(table: Table, asked: Sequence[int], transitions_max: int) -> bool | None:
    """Ask about classes in all states, and in those that they lead to, until these are all.

    False: there is no end of them; None: that would take more transitions.
    """
    states, done = table.states, 0
    for _round in range(ROUNDS_MAX):
        known = len(states)
        if done == known:
            return True
        for state in range(done, known):
            if len(states) * len(asked) > transitions_max:
                return None
            for number in asked:
                table.transition(state, number)
        done = known
    return False


def _note(table: Table, number: int) -> None:
    """Note of a class what is so in all states."""
    after = [table.transition(state, number) for state in range(len(table.states))]
    legal = [state for state, found in enumerate(after) if found != ILLEGAL]
    targets = {after[state] for state in legal}
    if all(after[state] == state for state in legal):
        table.kinds[number] = READ
    elif len(legal) == len(after) and len(targets) == 1:
        table.kinds[number] = WRITE
    if len(legal) <= 1:
        table.needs[number] = legal[0] if legal else table.init
        table.targets[number] = after[table.needs[number]]
    elif len(targets) == 1:
        (table.targets[number],) = targets
