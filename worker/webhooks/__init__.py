"""Webhooks to other systems: `payload` says what is told, `posting` signs it and sends it.

Which moves and changes are told is in core/webhooks.py, when they are sent in
delivering/webhook_delivery.py.
"""
