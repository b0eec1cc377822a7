"""Run the command line: ``python -m yoked``."""


def main() -> None:
    """Start the `yoked` command."""
    from yoked.app.cli import cli
    from yoked.app.streams import any_text_everywhere

    any_text_everywhere()
    cli()


if __name__ == "__main__":
    main()
