"""The subcommands of `yoked`, one file per group; `app.cli` loads them by name."""
