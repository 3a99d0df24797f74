"""A stand-in for the carrier, for the demo and the tests: Vonage's Messages API as the product sees it.

It answers the unmodified SDK over TLS, keeps state (lines, opted-out numbers, what was sent), calls back with
signed webhooks, misbehaves on request, and lets a person play the customer on the pages at ``/sandbox/``.

Start it with ``python -m sandbox``. There is no authentication on its pages and its control API, and it holds
the secrets it signs with: it is a tool for one machine and listens on 127.0.0.1 only. It imports nothing from
Django or from the product's apps. Numbers are digits without plus everywhere, as on the carrier's wire.
"""
