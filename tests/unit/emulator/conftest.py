from tests.support.emulator import chat_api as chat_api
