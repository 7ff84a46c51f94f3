"""Vectors of samples as a type that kernels can hold, for loops the compiler leaves scalar or slow.

A vector has the width of the longest registers there are; the compiler splits it where a processor
has shorter ones, so results are the same everywhere. Every lane goes through the same operations,
each rounded by itself: it does not matter to a sample in which lane it falls.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import PrimitiveModel
from numba.extending import intrinsic, register_model

BYTES = 64


class Vector(types.Type):
    """As many float32 or float64 as have 64 bytes."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


@register_model(Vector)
class _Model(PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _vector(fe_type.dtype))


def _lanes(dtype):
    return BYTES * 8 // dtype.bitwidth


def _vector(dtype):
    one = ir.FloatType() if dtype == types.float32 else ir.DoubleType()
    return ir.VectorType(one, _lanes(dtype))


def _place(context, builder, array_type, array, index):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _spread(builder, one, vector):
    """Return a vector with a number in every lane."""
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, one, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, empty, zeros)


def _fused(builder, a, b, c):
    """Return a·b + c, rounded once."""
    name = f"llvm.fma.v{a.type.count}f{BYTES * 8 // a.type.count}"
    signature = ir.FunctionType(a.type, [a.type] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), (a, b, c))


@intrinsic
def lanes(typingctx, array):
    """Return how many samples of an array a vector holds."""
    count = _lanes(array.dtype)

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.intp, count)

    return types.intp(array), generate


@intrinsic
def zero(typingctx, array):
    """Return a vector of zeros."""
    vector = _vector(array.dtype)

    def generate(context, builder, signature, arguments):
        return ir.Constant(vector, [0.0] * vector.count)

    return Vector(array.dtype)(array), generate


@intrinsic
def load(typingctx, array, index):
    """Return the samples from `index` on; no bounds are checked."""

    def generate(context, builder, signature, arguments):
        place = _place(context, builder, signature.args[0], *arguments)
        vector = _vector(signature.args[0].dtype)
        return builder.load(builder.bitcast(place, vector.as_pointer()), align=4)

    return Vector(array.dtype)(array, types.intp), generate


@intrinsic
def store(typingctx, array, index, value):
    """Write a vector to the samples from `index` on; no bounds are checked."""

    def generate(context, builder, signature, arguments):
        place = _place(context, builder, signature.args[0], *arguments[:2])
        value = arguments[2]
        builder.store(value, builder.bitcast(place, value.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for the memory around `index`, which need not be inside the array."""

    def generate(context, builder, signature, arguments):
        place = _place(context, builder, signature.args[0], *arguments)
        place = builder.bitcast(place, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def spread(typingctx, array, index):
    """Return a vector with array[index] in every lane."""

    def generate(context, builder, signature, arguments):
        one = builder.load(_place(context, builder, signature.args[0], *arguments))
        return _spread(builder, one, _vector(signature.args[0].dtype))

    return Vector(array.dtype)(array, types.intp), generate


@intrinsic
def plus(typingctx, a, b):
    """Return a + b."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(*arguments)

    return a(a, b), generate


@intrinsic
def add_taps(typingctx, total, w, a, b, two):
    """Return total + w · ((a + b) − two)."""

    def generate(context, builder, signature, arguments):
        total, w, a, b, two = arguments
        return _fused(builder, w, builder.fsub(builder.fadd(a, b), two), total)

    return total(total, w, a, b, two), generate


@intrinsic(prefer_literal=True)
def add_shifted(typingctx, totals, twos, below, above, weights, index, first):
    """Return the totals with four taps added: weights[index …] at `first` + 1, + 2, … samples.

    `totals` and `twos` are of neighbouring vectors; `above` begins with the vector at the distance
    0 from the first of them and `below` with the one before it. So the neighbours of all lanes are
    put together in registers, where a load would cross the lines of the cache.
    """
    begin, vector = first.literal_value, _vector(weights.dtype)

    def generate(context, builder, signature, arguments):
        unpacked = [cgutils.unpack_tuple(builder, each) for each in arguments[:4]]
        (sums, doubles, low, high), index = unpacked, arguments[5]
        for tap in range(4 if begin < vector.count else 0):
            at = builder.add(index, index.type(tap))
            one = builder.load(_place(context, builder, signature.args[4], arguments[4], at))
            w = _spread(builder, one, vector)
            for k, double in enumerate(doubles):
                a = _joined(builder, low[k], low[k + 1], vector.count - begin - tap - 1)
                b = _joined(builder, high[k], high[k + 1], begin + tap + 1)
                s = builder.fsub(builder.fadd(a, b), double)
                sums[k] = _fused(builder, w, s, sums[k])
        return context.make_tuple(builder, signature.return_type, sums)

    return totals(totals, twos, below, above, weights, index, first), generate


def _joined(builder, a, b, skipped):
    """Return a vector of the lanes of a and b in a row, after those skipped."""
    count = a.type.count
    places = ir.Constant(
        ir.VectorType(ir.IntType(32), count), list(range(skipped, skipped + count))
    )
    return builder.shuffle_vector(a, b, places)
