"""Who is told of what happens: webhooks and mail. docs/notices.md describes both.

Service functions write an event (outbox.py), in their own transaction. A sender (sending.py) makes a delivery of it for
each webhook and each person, and sends these, until each has arrived or is given up.
"""
