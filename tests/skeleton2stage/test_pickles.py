"""Pickles are read without trust: what is plain comes through, whatever else is refused in a sentence."""

import pickle
import pickletools
import struct
import tracemalloc

import numpy as np
import pytest

from skeleton2stage import pickles, read_boundary

ARRAYS = [
    np.arange(12.0).reshape(3, 4), np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)), np.zeros((0, 3)),
    np.array(3.5), np.array([True, False]), np.array(["ab", "c"]), np.array([b"x", b"yz"]), np.array([1 + 2j]),
    np.array([{"a": 1}, None, [2]], dtype=object), np.arange(10)[::2],
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{list(array.shape)}")
def test_arrays_come_through(array, protocol):
    back = pickles.loads(pickle.dumps({"x": array, "again": array}, protocol=protocol))
    native = array.dtype.newbyteorder("=")  # as numpy's own reader turns them
    assert type(back["x"]) is np.ndarray and back["x"].dtype.newbyteorder("=") == native
    assert back["x"].shape == array.shape
    assert back["x"].tolist() == array.tolist() and back["again"] is back["x"]


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_through(protocol):
    value = {
        "n": [1, -2.5, True, None, 10**30], "t": ("a", b"b", "é"), "s": {1, 2}, "f": frozenset([3]),
        "x": np.float32(1.5), "i": np.int64(-7), "c": 1 + 2j, "b": bytearray(b"ab"),
    }
    assert pickles.loads(pickle.dumps(value, protocol=protocol)) == value


def test_python_2s_arrays_come_through():
    content = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n"
        b"(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'" + b"\\x00" * 6 + b"\\xf0?" + b"\\x00" * 7 + b"@"
        b"'\ntb."
    )
    assert pickles.loads(content).tolist() == [1.0, 2.0]


class Kept:
    """Stands in for a class of a file."""


def test_an_admitted_class_is_made_without_being_run():
    class Loud:
        def __init__(self):
            raise AssertionError("run")

    content = pickle.dumps(Kept.__new__(Kept), protocol=2).replace(b"test_pickles", b"test_pickles")
    made = pickles.loads(content, {(Kept.__module__, "Kept"): Loud})
    assert isinstance(made, Loud)


def array_pickle(state):
    """Return a pickle of an array with a state of one's own."""
    class Forged:
        def __reduce__(self):
            return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), state

    return pickle.dumps(Forged(), protocol=2)


class Dtype:
    """A type with a state of one's own."""

    def __init__(self, code, state):
        self.code, self.state = code, state

    def __reduce__(self):
        return (np.dtype, (self.code, False, True), self.state)


FORGED = {
    "an array of type 'V8'": array_pickle((1, (1,), Dtype("V8", None), False, b"\x41" * 8)),
    "structured array": array_pickle(
        (1, (1,), Dtype("f8", (3, "<", None, ("a",), {"a": (np.dtype("f8"), 0)}, 8, 1, 0)), False, b"\x41" * 8)
    ),
    "shape and content differ": array_pickle((1, (10**9,), np.dtype("f8"), False, b"\x00" * 8)),
    "objects whose shape and content differ": array_pickle((1, (3,), np.dtype("O"), False, b"\x41" * 24)),
    "without a proper state": array_pickle((1, (1,), "f8", False, b"\x00" * 8)),
    "array of shape": array_pickle((1, (-1,), np.dtype("f8"), False, b"")),
    "encodes by 'zip'": b"c_codecs\nencode\n(Va\nVzip\ntR.",
    "names os.system": b"cos\nsystem\n(S'true'\ntR.",
    "names builtins.eval": b"cbuiltins\neval\n(S'1'\ntR.",
    "names numpy.load": b"cnumpy\nload\n(S'x'\ntR.",
    "makes a builtins.bytearray": b"cbuiltins\nbytearray\n(I1000000000000\ntR.",
    "a class in place of a value": b"(cnumpy\nndarray\nl.",
    "operation that no such file needs": b"\x80\x02(cbuiltins\ndict\no.",
    "deep in each other": b"]" * 200 + b"a" * 199 + b".",
    "holds itself": pickle.dumps((lambda a: a.append(a) or a)([])),
}


@pytest.mark.parametrize("reason", FORGED)
def test_what_no_file_needs_is_refused(reason):
    with pytest.raises(pickle.UnpicklingError, match=reason):
        pickles.loads(FORGED[reason])


def test_a_byte_order_is_all_that_a_types_state_says():
    """A type of floats with the flags of one of objects stays one of floats."""
    state = (3, ">", None, None, None, -1, -1, 0x3F)
    (value,) = pickles.loads(array_pickle((1, (1,), Dtype("f8", state), False, struct.pack(">d", 2.5))))
    assert value == 2.5


def test_the_same_thing_many_times_over_is_refused():
    value = ["x"]
    for _ in range(40):
        value = [value] * 2
    with pytest.raises(pickle.UnpicklingError, match="many times over"):
        pickles.loads(pickle.dumps(value))


def test_damage_never_ends_in_more_than_an_exception():
    """Every byte of a small file turned to something else, at three values each."""
    content = pickle.dumps({"poses": np.arange(6.0), "names": ["a", {"b": (1, 2)}]}, protocol=2)
    assert len(list(pickletools.genops(content))) > 20
    outcomes = set()
    for place in range(len(content)):
        for change in (1, 0x41, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= change
            try:
                pickles.loads(bytes(damaged))
                outcomes.add("read")
            except Exception as error:  # noqa: BLE001 - any, but none that ends the interpreter
                outcomes.add(type(error).__name__)
    assert {"read", "UnpicklingError"} <= outcomes


# Bombs: a few bytes of a file may call for the same array again and again.

STATE = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00X\x01\x00\x00\x00btR("
N_COPIES = 40


def bombs(n_bytes):
    """Return pickles of N_COPIES arrays and byte arrays, of which each takes the same bytes."""
    held = b"B" + struct.pack("<I", n_bytes) + bytes(n_bytes) + b"q\x02"
    shape = struct.pack("<BI", ord("J"), n_bytes)
    kind = b"\x80\x02cnumpy\ndtype\n(X\x02\x00\x00\x00u1tRq\x010"
    list_of = b"](" + held + b"0"
    return {
        "_frombuffer": kind + list_of + N_COPIES * (
            b"cnumpy.core.numeric\n_frombuffer\n(h\x02h\x01(" + shape + b"ttR") + b"e.",
        "state": kind + list_of + N_COPIES * (STATE + b"K\x01(" + shape + b"th\x01K\x00h\x02tb") + b"e.",
        "bytearray": kind + list_of + N_COPIES * b"cbuiltins\nbytearray\n(h\x02tR" + b"e.",
        "list": b"\x80\x02](](" + (n_bytes // 8) * b"N" + b"eq\x010" + N_COPIES * b"cbuiltins\nlist\n(h\x01tR" + b"e.",
    }


@pytest.mark.parametrize("kind", bombs(8))
def test_what_is_made_again_and_again_is_bounded_by_the_file(monkeypatch, kind):
    content = bombs(1 << 16)[kind]
    assert len(pickles.loads(content)) == N_COPIES
    monkeypatch.setattr(read_boundary, "LEAST_UNPACKED_BYTES", 1 << 16)
    monkeypatch.setattr(read_boundary, "MOST_EXPANDED", N_COPIES // 2)
    with pytest.raises(pickle.UnpicklingError, match="many times over"):
        pickles.loads(content)


# SMPL's files of protocol 0 are a few lines of hundreds of megabytes.


def test_lines_of_texts_are_read_as_pythons_own_reader_does():
    texts = [b"S'a\\x00\\xff\\n\\'b'\n", b'S"it\'s"\n', b"S''\n", b"Va\\u0000\xe9\\u20ac\\u005cu\n", b"V\n"]
    for text in texts:
        framed = b"\x80\x04\x95" + struct.pack("<Q", len(text) + 1) + text + b"."
        for content in (text + b".", framed):
            assert pickles.loads(content) == pickle.loads(content, encoding="latin1")


@pytest.mark.parametrize("content", [b"S'a", b"S'a\n.", b"Sa\n.", b"S\n.", b"S'\n.", b"Va", b"V\\u00", b"V\\u00\n."])
def test_lines_of_texts_that_are_cut_short_are_told(content):
    with pytest.raises((EOFError, UnicodeDecodeError, pickle.UnpicklingError)):
        pickles.loads(content)


def test_a_large_text_is_not_copied_on_its_way():
    """Seconds and gigabytes at SMPL's size: three times the text, where lines that are cut take five."""
    content = b"S'" + bytes(65 + index % 26 for index in range(1 << 20)) * 8 + b"'\n."
    tracemalloc.start()
    text = pickles.loads(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(text) == 8 << 20 and peak < 3.5 * len(content)
