"""The names of the events in `states`, by number: for the drawing, the tests and whoever reads a log. Firmware leaves this file out."""

EVENTS = (
    "pending", "ready", "processing", "valid", "invalid", "ok", "again", "directory_fresh",
    "account_needed", "account_unneeded", "key_exists", "no_new_key", "key_pending", "account_known", "account_unknown", "no_account",
    "order_resumable", "replacement", "no_order", "replaces_refused", "order_gone", "already_answered",
    "another_authorization", "all_authorized", "not_ready", "another_chain", "window_unavailable",
    "refused", "limited", "remote_error", "local_error",
)  # fmt: skip
