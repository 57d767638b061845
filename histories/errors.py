"""What a person did wrong, as one exception type.

Bad input ends in one clear line and exit code 254, never in a traceback.
"""

from __future__ import annotations


class UsageError(Exception):
    """Bad input: one line that says where (file, line or op), what was found and expected."""
