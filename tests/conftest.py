"""What tests of every kind share. The broker and the engine start when the first test asks for them."""

pytest_plugins = [
    "tests.support.secrecy",
    "tests.support.prometheus",
    "tests.support.emulator",
    "tests.support.engine",
    "tests.support.broker",
]
