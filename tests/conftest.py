"""What tests of every kind share. The broker and the engine start when the first test asks for them."""

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady",
    deadline=None,  # nothing is measured by a timed test
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",  # a change is judged by the same examples as the one before
)
settings.load_profile("steady")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in a shell's background; programs inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = [
    "tests.support.secrecy",
    "tests.support.prometheus",
    "tests.support.emulator",
    "tests.support.engine",
    "tests.support.helm",
    "tests.support.kubernetes_api",
    "tests.support.releases",
    "tests.support.broker",
    "tests.support.apicurio",
    "tests.support.connect",
    "tests.support.postgres",
]
