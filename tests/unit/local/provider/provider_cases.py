"""A case for each type that the provider knows: inputs as a program gives them, and a change to them."""

from provider_cases_running import RUNNING
from provider_cases_storage import STORAGE

CASES = [*STORAGE, *RUNNING]
