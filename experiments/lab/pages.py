"""What the participant reads between trials, as plain text."""

import textwrap

from ..protocols.answers import Confidence
from ..protocols.flicker import flicker_warning
from ..protocols.protocol import Protocol
from ..protocols.texts import in_language
from ..session.schedules import BlockInfo

WIDTH = 76
GO_ON = "Press the space bar to go on."
CLOSE = "Press the space bar to close."
AGREE = "Press the space bar to agree, or Escape to stop."
PAUSED_ON_PAGE = (
    "Paused.\n\nPress the space bar to continue, or Q to quit.\n"
    "What has been done so far is stored."
)
PAUSED = f"{PAUSED_ON_PAGE}\n\nThe trial that was interrupted does not count."
WELCOME_BACK = "Welcome back.\n\nThe session goes on where it ended.\n\n" + GO_ON
FINISHED = f"The session is over.\n\nThank you.\n\n{CLOSE}"
HOW_SURE = "How sure are you?"
FEEDBACK = {True: "correct", False: "wrong", None: "no response"}

# What the shipped protocols' consents say of a web page, and what it is here. Their
# own texts stay: sessions are pinned to them.
_HERE = (
    ("by closing the page", "by pressing Escape"),
    ("By pressing *I agree*", "By pressing the space bar"),
)


def consent_text(protocol: Protocol, language: str) -> str:
    """Give the consent as it is read in the lab; "" where a protocol has none.

    Keys are the lab's, and whoever may be harmed by flicker is warned.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> text = consent_text(load_protocol("bar-in-noise"), "en")
    >>> text[text.index("You may stop"):][:47]
    'You may stop at any time by pressing Escape, wi'
    """
    text = in_language(protocol.texts.consent, language)
    for online, here in _HERE:
        text = text.replace(online, here)
    warning = flicker_warning(protocol) if text else ""
    return f"{text.rstrip()}\n\n{warning}\n" if warning else text


def plain_text(markdown: str) -> str:
    r"""Give Markdown as wrapped lines without marks.

    Examples
    --------
    >>> print(plain_text("# What to do\n\nPress **F** if\nyou see it.\n\n- one\n- two"))
    WHAT TO DO
    <BLANKLINE>
    Press F if you see it.
    <BLANKLINE>
    • one
    • two
    """
    from markdown_it import MarkdownIt

    blocks: list[str] = []
    is_heading, in_list, is_item = False, False, False
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            in_list, is_item = True, False
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            in_list = False
        elif token.type in ("heading_open", "heading_close"):
            is_heading = token.type == "heading_open"
        elif token.type in ("inline", "fence", "code_block"):
            text = _of_inline(token)
            text = text.upper() if is_heading else text
            mark = "• " if in_list else ""
            block = textwrap.fill(
                f"{mark}{text}", WIDTH, subsequent_indent=" " * len(mark)
            )
            blocks.append(f"\n{block}" if in_list and is_item else f"\n\n{block}")
            is_item = in_list
    return "".join(blocks).strip()


def _of_inline(token: object) -> str:
    """Give the words of an inline token; a line end in the source is a space."""
    children = getattr(token, "children", None)
    if children is None:
        return str(getattr(token, "content", "")).strip()
    breaks = ("softbreak", "hardbreak")
    parts = (" " if child.type in breaks else child.content for child in children)
    return "".join(parts)


def pages(text: str, last: str = GO_ON) -> list[str]:
    r"""Give a text of a protocol as pages, cut where it has a line of dashes.

    Parameters
    ----------
    text
        Markdown; empty gives no page.
    last
        What stands below the last page; below the others, how to go on.

    Examples
    --------
    >>> pages("One.\n\n---\n\nTwo.", last="Press the space bar to close.")
    ['One.\n\nPress the space bar to go on.', 'Two.\n\nPress the space bar to close.']
    """
    parts = [plain_text(part) for part in text.split("\n---\n") if part.strip()]
    ends = [GO_ON] * (len(parts) - 1) + [last]
    return [f"{part}\n\n{end}" for part, end in zip(parts, ends, strict=False)]


def confidence_page(asked: Confidence, language: str) -> str:
    """Ask how sure a response was.

    Examples
    --------
    >>> print(confidence_page(Confidence(keys=("1", "2", "3")), "en"))
    How sure are you?
    <BLANKLINE>
    1   2   3
    <BLANKLINE>
    a guess   ...   quite sure
    """
    prompt = in_language(asked.prompt, language) or HOW_SURE
    keys = "   ".join(key.upper() for key in asked.keys)
    ends = "" if asked.prompt else "\n\na guess   ...   quite sure"
    return f"{plain_text(prompt)}\n\n{keys}{ends}"


def block_page(block: BlockInfo, n_blocks: int, share_done: float) -> str:
    """Announce a block, with the progress so far.

    Parameters
    ----------
    block
        The block to come.
    n_blocks
        Of the session.
    share_done
        From 0 to 1.

    Examples
    --------
    >>> print(block_page(BlockInfo(2, "main", False, 100), 8, 0.25))
    Block 3 of 8
    <BLANKLINE>
    [#####...............] 25 % done
    <BLANKLINE>
    100 trials. Take a break if you like.
    <BLANKLINE>
    Press the space bar to go on.
    """
    what = f"{block.n_trials} trials. Take a break if you like."
    if block.kind == "practice":
        what = f"Practice: {block.n_trials} trials, which do not count."
    if block.feedback:
        what += "\nYou are told whether you were right."
    bar = "#" * round(20 * share_done)
    done = f"[{bar:.<20}] {100 * share_done:.0f} % done"
    return f"Block {block.number + 1} of {n_blocks}\n\n{done}\n\n{what}\n\n{GO_ON}"
