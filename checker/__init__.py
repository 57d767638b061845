"""Judges of recorded histories and traces.

>>> from checker import linearizable, models
>>> from histories import History, Op
>>> ops = [Op(0, "invoke", "inc"), Op(0, "ok", "inc", 11)]
>>> linearizable(History(ops), models.counter).valid
False
"""

from checker import models
from checker.found import Budget
from checker.linearizability import linearizable
from checker.model import ANY_STATE, UNKNOWN, Inconsistent, Model, OneOf
from checker.online import Online
from checker.verdict import Verdict, merge_valid

__all__ = [
    "ANY_STATE", "UNKNOWN", "Budget", "Inconsistent", "Model", "OneOf", "Online", "Verdict",
    "linearizable", "merge_valid", "models",
]
