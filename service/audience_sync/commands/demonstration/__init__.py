"""The parts of `audience-sync demo`, which puts them together.

product     made-up product services: their events, and the truth these add up to
timetable   when how many of them are sent
broker      the embedded Kafka broker
stopping    waiting that a signal may end
programs    the emulator and the service as processes of their own
reading     what both tell of themselves, asked over HTTP
view        what is seen while it runs
findings    what came of it, compared user by user
summary     the findings as a page of text
"""
