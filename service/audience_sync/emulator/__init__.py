"""A second reading of the API's documentation, for tests and demos.

It shares nothing with the client, on purpose: were they shared, a mistake would be on both sides and no test
would see it.

    server      runs one, inside a test or alone; what a test sees of it is in harness
    application HTTP in and out: to the API, the control address, or the page; caller is the other end of a request
    apps, api   which app a request belongs to; a request from its arrival to its answer, without sockets or clocks
    signature   is the caller who it says it is
    switches    what the documentation leaves open, and how an app stands to it
    reading     JSON into a request, or the code that refuses it; so do account_reading and push_reading
    answering   a request into what it does and what comes back; judging says who cannot be served
    app         what one app knows: a directory of accounts, stores of attributes and tags, pushing and inboxes
    records     what was done to an app; journal keeps it in a file
    faults      what goes wrong on command, and its effects
    overlaps    users who were in two requests at the same time
    counters    what was called, refused, and sent backwards
    control     the emulator's own address, for tests; page shows the same to people, and view settles what is on it
"""
