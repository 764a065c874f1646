"""Notifications: what people are told of, each as they chose, in the app or by mail.

Whatever wants to tell somebody declares a kind (the hook ``trellis_notifications``) and calls
:func:`trellis.notifications.notify.notify`. Nobody is told of a record that they may not see.
"""
