"""Vectors of pixels as a type that kernels can hold, for loops the compiler leaves scalar or slow.

A vector has the width of the longest registers there are; the compiler splits it where a processor
has shorter ones, so results are the same everywhere. Every lane goes through the same operations,
each rounded by itself: it does not matter to a pixel in which lane it falls.
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


@intrinsic
def lanes(typingctx, array):
    """Return how many pixels of an array a vector holds."""
    count = _lanes(array.dtype)

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.intp, count)

    return types.intp(array), generate


@intrinsic(prefer_literal=True)
def load(typingctx, array, index, step, count):
    """Return `count` vectors of the pixels from index, index + step, … on; unchecked."""
    many = types.UniTuple(Vector(array.dtype), count.literal_value)

    def generate(context, builder, signature, arguments):
        array_type, (array, index, step, _) = signature.args[0], arguments
        pointer = _vector(array_type.dtype).as_pointer()
        loaded = []
        for _ in range(many.count):
            place = _place(context, builder, array_type, array, index)
            loaded.append(builder.load(builder.bitcast(place, pointer), align=4))
            index = builder.add(index, step)
        return context.make_tuple(builder, many, loaded)

    return many(array, types.intp, types.intp, count), generate


@intrinsic
def store_sums(typingctx, array, index, step, a, b):
    """Write the sums a + b to the pixels from index, index + step, … on; unchecked."""

    def generate(context, builder, signature, arguments):
        array, index, step = arguments[:3]
        pairs = zip(*(cgutils.unpack_tuple(builder, each) for each in arguments[3:]), strict=True)
        for one, other in pairs:
            place = _place(context, builder, signature.args[0], array, index)
            place = builder.bitcast(place, one.type.as_pointer())
            builder.store(builder.fadd(one, other), place, align=4)
            index = builder.add(index, step)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, a, b), generate


@intrinsic
def zeros(typingctx, vectors):
    """Return as many vectors of zeros."""
    vector = _vector(vectors.dtype.dtype)

    def generate(context, builder, signature, arguments):
        zero = ir.Constant(vector, [0.0] * vector.count)
        return context.make_tuple(builder, vectors, [zero] * vectors.count)

    return vectors(vectors), generate


@intrinsic
def doubled(typingctx, vectors):
    """Return v + v of every vector."""

    def generate(context, builder, signature, arguments):
        unpacked = cgutils.unpack_tuple(builder, arguments[0])
        return context.make_tuple(builder, vectors, [builder.fadd(v, v) for v in unpacked])

    return vectors(vectors), generate


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
def add_rows(typingctx, totals, twos, below, above, weights, index):
    """Return the totals of neighbouring rows with four taps added: weights[index …].

    Of row j and tap n the neighbours are above[j + n] and below[j − n + 3].
    """

    def generate(context, builder, signature, arguments):
        unpacked = [cgutils.unpack_tuple(builder, each) for each in arguments[:4]]
        (sums, doubles, low, high), array = unpacked, signature.args[4]
        for tap in range(4):
            w = _weight(context, builder, array, arguments[4], arguments[5], tap)
            for j, double in enumerate(doubles):
                sums[j] = _tap(builder, sums[j], w, low[j - tap + 3], high[j + tap], double)
        return context.make_tuple(builder, signature.return_type, sums)

    return totals(totals, twos, below, above, weights, types.intp), generate


@intrinsic(prefer_literal=True)
def add_shifted(typingctx, totals, twos, below, above, weights, index, first):
    """Return the totals with four taps added: weights[index …] at `first` + 1, + 2, … pixels.

    `totals` and `twos` are of neighbouring vectors; `above` begins with the vector at the distance
    0 from the first of them and `below` with the one before it. So the neighbours of all lanes are
    put together in registers, where a load would cross the lines of the cache.
    """
    begin, lanes = first.literal_value, _lanes(weights.dtype)

    def generate(context, builder, signature, arguments):
        unpacked = [cgutils.unpack_tuple(builder, each) for each in arguments[:4]]
        (sums, doubles, low, high), array = unpacked, signature.args[4]
        for n in range(begin + 1, begin + 5 if begin < lanes else 0):
            w = _weight(context, builder, array, arguments[4], arguments[5], n - begin - 1)
            for k, double in enumerate(doubles):
                a = _joined(builder, low[k], low[k + 1], lanes - n)
                b = _joined(builder, high[k], high[k + 1], n)
                sums[k] = _tap(builder, sums[k], w, a, b, double)
        return context.make_tuple(builder, signature.return_type, sums)

    return totals(totals, twos, below, above, weights, types.intp, first), generate


def _tap(builder, total, w, a, b, double):
    """Return total + w · ((a + b) − double), the product and the last sum rounded once."""
    name = f"llvm.fma.v{total.type.count}f{BYTES * 8 // total.type.count}"
    signature = ir.FunctionType(total.type, [total.type] * 3)
    fused = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(fused, (w, builder.fsub(builder.fadd(a, b), double), total))


def _weight(context, builder, array_type, array, index, offset):
    """Return a vector with one entry of an array in every lane."""
    at = builder.add(index, index.type(offset))
    one = builder.load(_place(context, builder, array_type, array, at))
    vector = _vector(array_type.dtype)
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, one, ir.IntType(32)(0))
    return builder.shuffle_vector(first, empty, _places([0] * vector.count))


def _joined(builder, a, b, skipped):
    """Return a vector of the lanes of a and b in a row, after those skipped."""
    return builder.shuffle_vector(a, b, _places(range(skipped, skipped + a.type.count)))


def _places(lanes):
    return ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
