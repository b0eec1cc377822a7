r"""Response boxes on a serial port: one byte, or one line, for each press.

Most boxes can be set to one of two ways of speaking, and a box map says what a press
means:

    kind   on the wire              map             response
    byte   0x01, 0x02               0x01=0,0x02=1   first and second of the task's keys
    byte   "a", "b"                 a=0,b=1         the same
    line   "left\n", "right\r\n"    left=0,right=1  the same

Whatever is not in the map (a box that also tells of releases, a byte of start-up) is
counted and otherwise ignored. A box that acts as a USB keyboard needs none of this:
set it to send the protocol's keys.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

KINDS = ("byte", "line")
_WAKE_S = 0.05  # how long closing may wait for the thread that listens


@dataclass(frozen=True)
class BoxMap:
    """What a press of each button sends, and which response that is.

    Attributes
    ----------
    kind
        'byte' or 'line'.
    responses
        From what is sent (a line without its end) to a response, from 0.

    Raises
    ------
    ValueError
        If there is no button, a byte map has more than a byte, or a response is
        negative.
    """

    kind: str = "byte"
    responses: Mapping[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            known = ", ".join(KINDS)
            raise ValueError(f"kind of a box must be one of {known}, got {self.kind!r}")
        if not self.responses:
            raise ValueError("a box map must name one button or more, got none")
        for sent, response in self.responses.items():
            if response < 0:
                raise ValueError(f"response must be 0 or more, got {response}")
            fits = len(sent) == 1 if self.kind == "byte" else b"\n" not in sent
            if not (sent and fits):
                rule = f"one {self.kind}"
                raise ValueError(f"a button must send {rule}, got {sent!r}")


def parse_map(text: str, n_responses: int, kind: str | None = None) -> BoxMap:
    r"""Read a box map such as "a=0,b=1" or "0x01=0,0x02=1".

    Parameters
    ----------
    text
        What is sent, an equals sign and the response, with commas between.
    n_responses
        How many responses the task has; each needs a button.
    kind
        'byte' or 'line'; by default lines if a button sends more than a byte.

    Raises
    ------
    ValueError
        If the text is not such a list, or a response has no button.

    Examples
    --------
    >>> parse_map("0x01=0,b=1", n_responses=2).responses
    {b'\x01': 0, b'b': 1}
    """
    responses = dict(_button(part, n_responses) for part in text.split(","))
    without = set(range(n_responses)) - set(responses.values())
    if without:
        rule = f"a button for each response from 0 to {n_responses - 1}"
        raise ValueError(f"a box map must have {rule}, got none for {min(without)}")
    longest = max(map(len, responses))
    return BoxMap(kind or ("line" if longest > 1 else "byte"), responses)


def _button(part: str, n_responses: int) -> tuple[bytes, int]:
    """Read one button of a box map."""
    sent, equals, response = part.strip().rpartition("=")
    known = response.isdecimal() and int(response) < n_responses
    if not (equals and sent and known):
        rule = f"SENT=RESPONSE with a response from 0 to {n_responses - 1}"
        raise ValueError(f"a button must be {rule}, got {part.strip()!r}")
    try:
        code = bytes([int(sent, 16)]) if sent.lower().startswith("0x") else None
    except ValueError as error:
        rule = "a byte from 0x00 to 0xff"
        raise ValueError(f"a button must send {rule}, got {sent!r}") from error
    return code or sent.encode(), int(response)


@dataclass(frozen=True)
class Press:
    """A button was pressed: which response that is, and when its byte arrived."""

    response: int
    time_ms: float


class SerialBox:
    """A response box on a serial port; a thread waits for bytes and stamps them.

    A press has the time at which its first byte came out of the port. What lies before
    that (the button's bounce, the line, and up to 16 ms in a USB adapter whose latency
    timer was never set) is not in it, and cannot be.

    Parameters
    ----------
    port
        Such as COM3, /dev/ttyUSB0 or /dev/cu.usbserial-1.
    box_map
        What a press means.
    clock
        Gives the time in ms: the screen's, so that times can be compared.
    baud
        Speed in bits per second; must be what the box is set to.

    Raises
    ------
    OSError
        If the port cannot be opened.
    ModuleNotFoundError
        If PySerial is missing, with what to install.

    Attributes
    ----------
    n_ignored
        Bytes or lines so far that were not in the map.
    """

    def __init__(
        self,
        port: str,
        box_map: BoxMap,
        clock: Callable[[], float],
        baud: int = 115_200,
    ) -> None:
        self.map = box_map
        self.n_ignored = 0
        self._clock = clock
        self._presses: SimpleQueue[Press] = SimpleQueue()
        self._failure: OSError | None = None
        self._line: tuple[float, bytes] = (0.0, b"")
        self._port = _open_port(port, baud)
        self._is_open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def presses(self) -> list[Press]:
        """Give the presses since the last call, in the order they came.

        Raises
        ------
        OSError
            If the box was unplugged.
        """
        found = []
        while True:
            try:
                found.append(self._presses.get_nowait())
            except Empty:
                break
        if self._failure is not None and not found:
            raise OSError(f"the response box is gone: {self._failure}")
        return found

    def clear(self) -> None:
        """Forget the presses so far."""
        self.presses()

    def close(self) -> None:
        """Close the port; a second time is a no-op."""
        self._is_open = False
        self._thread.join(timeout=10 * _WAKE_S)
        self._port.close()

    def __enter__(self) -> "SerialBox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        """Wait for bytes, one at a time, and stamp each as it comes."""
        while self._is_open:
            try:
                byte = self._port.read(1)
            except OSError as error:  # PySerial's own error is one
                self._failure = error
                return
            time_ms = self._clock()
            if byte and self.map.kind == "byte":
                self._take(byte, time_ms)
            elif byte:
                self._take_of_line(byte, time_ms)

    def _take_of_line(self, byte: bytes, time_ms: float) -> None:
        """Collect a line; its time is that of its first byte."""
        started, line = self._line
        if byte == b"\n":
            self._line = (0.0, b"")
            self._take(line.rstrip(b"\r"), started)
        else:
            self._line = (started if line else time_ms, line + byte)

    def _take(self, sent: bytes, time_ms: float) -> None:
        response = self.map.responses.get(sent)
        if response is None:
            self.n_ignored += 1
        else:
            self._presses.put(Press(response, time_ms))


def loopback_ms(
    port: str, clock: Callable[[], float], n: int = 20, baud: int = 115_200
) -> list[float]:
    """Measure how long a byte takes through a port whose ends are joined.

    Connect pin 2 with pin 3 (or use a box that repeats what it is sent), with nothing
    else on the port. This is the latency that a response box on the port adds.

    Parameters
    ----------
    port, baud
        As for `SerialBox`.
    clock
        Gives the time in ms.
    n
        How many bytes.

    Returns
    -------
    list
        The time of each there and back, in ms.

    Raises
    ------
    OSError
        If a byte does not come back: the ends are not joined.
    """
    link = _open_port(port, baud, timeout_s=1.0)
    try:
        times = []
        for number in range(n):
            sent, started = bytes([number % 256]), clock()
            link.write(sent)
            if link.read(1) != sent:
                raise OSError(f"port {port} must be looped back, got no byte back")
            times.append(clock() - started)
        return times
    finally:
        link.close()


def _open_port(port: str, baud: int, timeout_s: float = _WAKE_S) -> Any:
    try:
        from serial import Serial
    except ModuleNotFoundError as error:
        sentence = 'a response box needs PySerial: pip install "yoked[lab]"'
        raise ModuleNotFoundError(sentence, name="psychopy") from error
    link = Serial(port, baud, timeout=timeout_s)
    link.reset_input_buffer()  # presses from before do not count
    return link
