"""What holds for all tests: no property has a deadline, since nothing here depends on a clock."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
