"""Run the command line: ``python -m yoked``."""


def main() -> None:
    """Start the `yoked` command."""
    from yoked.app.cli import cli

    cli()


if __name__ == "__main__":
    main()
