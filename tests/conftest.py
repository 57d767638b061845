"""What holds for all tests: no property has a deadline, since nothing here depends on a clock.

On CI the examples are the same in every run, so that a change is judged by what it changed; a
developer's runs draw new ones each time.
"""

import os

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "untimed")
