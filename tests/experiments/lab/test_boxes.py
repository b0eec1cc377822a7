"""Response boxes: bytes and lines through a real pseudo-terminal."""

import os
import time
from importlib.util import find_spec

import pytest

from yoked.experiments.lab.boxes import BoxMap, Press, SerialBox, loopback_ms, parse_map

needs_serial = pytest.mark.skipif(
    not find_spec("serial"),
    reason='PySerial is not installed: pip install "yoked[lab]"',
)


def now_ms() -> float:
    """Return the time on the clock that the box uses."""
    return 1000 * time.perf_counter()


@pytest.fixture
def line():
    """Return the box's end of a serial line, and the port's name."""
    box_end, port_end = os.openpty()
    yield box_end, os.ttyname(port_end)
    for end in (box_end, port_end):
        os.close(end)


def wait_for(box, n, seconds=5.0):
    """Return the first n presses, as soon as they are there."""
    found, deadline = [], time.perf_counter() + seconds
    while len(found) < n and time.perf_counter() < deadline:
        found += box.presses()
        time.sleep(0.001)
    return found


@needs_serial
def test_bytes_become_responses_in_order(line):
    box_end, port = line
    with SerialBox(port, parse_map("0x01=0,b=1", 2), now_ms) as box:
        os.write(box_end, b"\x01b\x01")
        assert [press.response for press in wait_for(box, 3)] == [0, 1, 0]


@needs_serial
def test_a_press_is_stamped_when_it_arrives_not_when_it_is_asked_for(line):
    box_end, port = line
    with SerialBox(port, parse_map("a=0,b=1", 2), now_ms) as box:
        before = now_ms()
        os.write(box_end, b"a")
        while box._presses.empty() and now_ms() < before + 5000:
            time.sleep(0.001)
        arrived = now_ms()
        while now_ms() < arrived + 100:  # asked for late, as during a long frame
            time.sleep(0.01)
        (press,) = box.presses()
        assert before <= press.time_ms <= arrived


@needs_serial
def test_the_order_and_spacing_of_presses_are_kept(line):
    box_end, port = line
    with SerialBox(port, parse_map("a=0,b=1", 2), now_ms) as box:
        sent = []
        for byte in (b"a", b"b", b"a", b"b"):
            sent.append(now_ms())
            os.write(box_end, byte)
            while now_ms() < sent[-1] + 20:
                time.sleep(0.001)
        presses = wait_for(box, 4)
        times = [press.time_ms for press in presses]
        assert [press.response for press in presses] == [0, 1, 0, 1]
        assert times == sorted(times)
        assert all(s <= t for s, t in zip(sent, times, strict=True))


@needs_serial
def test_lines_are_stamped_at_their_first_byte(line):
    box_end, port = line
    box_map = parse_map("left=0,right=1", 2, kind="line")
    with SerialBox(port, box_map, now_ms) as box:
        os.write(box_end, b"ri")
        deadline = now_ms() + 5000
        while len(box._line[1]) < 2 and now_ms() < deadline:
            time.sleep(0.001)
        half = now_ms()
        os.write(box_end, b"ght\r\nleft\n")
        first, second = wait_for(box, 2)
        assert (first.response, second.response) == (1, 0)
        assert first.time_ms <= half <= second.time_ms


@needs_serial
def test_what_is_not_in_the_map_is_counted_and_ignored(line):
    box_end, port = line
    with SerialBox(port, parse_map("a=0,b=1", 2), now_ms) as box:
        os.write(box_end, b"Axxa")
        assert [press.response for press in wait_for(box, 1)] == [0]
        assert box.n_ignored == 3


@needs_serial
def test_presses_from_before_do_not_count(line):
    box_end, port = line
    os.write(box_end, b"aaaa")
    with SerialBox(port, parse_map("a=0,b=1", 2), now_ms) as box:
        os.write(box_end, b"b")
        assert [press.response for press in wait_for(box, 1)] == [1]
        os.write(box_end, b"a")
        assert len(wait_for(box, 1)) == 1
        box.clear()
        assert box.presses() == []


@needs_serial
def test_an_unplugged_box_is_an_error_not_silence():
    box_end, port_end = os.openpty()
    box = SerialBox(os.ttyname(port_end), parse_map("a=0,b=1", 2), now_ms)
    os.write(box_end, b"a")
    assert len(wait_for(box, 1)) == 1
    os.close(port_end)
    os.close(box_end)
    box._thread.join(timeout=5)
    with pytest.raises(OSError, match="the response box is gone"):
        box.presses()
    box.close()
    box.close()


@needs_serial
def test_a_port_that_is_not_there_is_an_error():
    with pytest.raises(OSError, match="/dev/no-such-port"):
        SerialBox("/dev/no-such-port", parse_map("a=0,b=1", 2), now_ms)


@needs_serial
def test_a_loop_back_is_timed(line):
    box_end, port = line
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # the plug that joins the two ends, until it is told to go
        os.close(write)
        for _ in range(20):
            os.write(box_end, os.read(box_end, 1))
        os._exit(0)
    os.close(read)
    times = loopback_ms(port, now_ms, n=20)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    assert len(times) == 20
    assert all(0 < t < 1000 for t in times)


@needs_serial
def test_a_line_without_a_plug_is_not_a_loop_back(line):
    with pytest.raises(OSError, match="must be looped back, got no byte back"):
        loopback_ms(line[1], now_ms, n=1)


def test_a_map_is_read_from_text():
    assert parse_map("0x01=0, 0xff=1", 2).responses == {b"\x01": 0, b"\xff": 1}
    assert parse_map("==0,b=1", 2).responses == {b"=": 0, b"b": 1}
    assert parse_map("a=0,b=0,c=1", 2).responses == {b"a": 0, b"b": 0, b"c": 1}


def test_buttons_that_send_more_than_a_byte_make_lines():
    assert parse_map("a=0,b=1", 2).kind == "byte"
    assert parse_map("left=0,right=1", 2).kind == "line"


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("", "byte", "a button must be SENT=RESPONSE with a response from 0 to 1"),
        ("a", "byte", "a button must be SENT=RESPONSE"),
        ("a=2,b=1", "byte", "a response from 0 to 1, got 'a=2'"),
        ("a=0", "byte", "a button for each response from 0 to 1, got none for 1"),
        ("0x100=0,b=1", "byte", "a byte from 0x00 to 0xff, got '0x100'"),
        ("left=0,right=1", "byte", "a button must send one byte, got b'left'"),
        ("a=0,b=1", "word", "kind of a box must be one of byte, line, got 'word'"),
    ],
)
def test_a_map_that_is_none_is_refused(text, kind, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_map(text, 2, kind)


def test_a_map_without_buttons_is_refused():
    with pytest.raises(ValueError, match="a box map must name one button or more"):
        BoxMap("byte", {})
    with pytest.raises(ValueError, match="response must be 0 or more, got -1"):
        BoxMap("byte", {b"a": -1})


def test_a_press_says_what_and_when():
    assert Press(1, 12.5) == Press(response=1, time_ms=12.5)
