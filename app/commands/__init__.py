"""The subcommands of `yoked`, one file a group; `app.cli` loads them by name."""
