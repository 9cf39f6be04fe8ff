"""Pickles are read without trust: what is plain comes through, whatever else is refused in a sentence."""

import pickle
import pickletools
import struct

import numpy as np
import pytest

from skeleton2stage import pickles

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
