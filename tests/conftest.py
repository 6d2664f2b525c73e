"""What tests of every kind share: the broker and the engine, each started when the first test asks for it."""

pytest_plugins = ["tests.support.engine", "tests.support.broker"]
