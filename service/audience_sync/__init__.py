"""audience-sync keeps user attributes and tags in Tencent Cloud Chat in step with the domain events in Kafka.

Read it in the order of an event:

    events/consumer      records come in, positions go back
    events/formats       bytes become an event
    core/rules           an event becomes changes
    core/debouncer       changes wait, folded per user
    core/batches         ready users become requests
    delivery/loop        requests go out, answers come back
    chat_api/client      the wire
    core/ledger          what is settled may be committed

`core` decides and does no input or output; `assembly` builds everything and connects it.
"""

__version__ = "0.1.0"
