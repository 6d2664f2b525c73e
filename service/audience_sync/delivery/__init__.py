"""The way through: ready users leave in requests, answers settle them."""
