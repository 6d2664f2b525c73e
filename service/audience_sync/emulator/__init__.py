"""A second reading of the API's documentation, for tests and demos.

It shares nothing with the client, on purpose: were they shared, a mistake would be on both sides and no test
would see it.

    server      runs one, inside a test or alone
    application HTTP in and out
    api         one request from its arrival to its answer, without sockets or clocks
    signature   is the caller who it says it is
    reading     JSON into a request, or the code that refuses it
    store       users, attributes, tags
    faults      what goes wrong on command
    overlaps    users who were in two requests at the same time
    counters    what was called, refused, and sent backwards
    journal     what was applied, in a file
    control     the emulator's own address, for tests
"""
