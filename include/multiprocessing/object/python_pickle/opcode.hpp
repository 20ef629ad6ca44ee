// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle/opcode.hpp — the instructions of CPython's pickles.
// Layer 3 (object). Mirrors the opcodes of Lib/pickle.py.
#pragma once

#include <cstdint>

namespace multiprocessing::detail {

/// Those that plain data needs; every other byte is refused, among them persistent ids, extension
/// codes, buffers out of band and the strings and classes of Python 2.
enum class Opcode : std::uint8_t {
    mark = '(',
    empty_tuple = ')',
    stop = '.',
    pop = '0',
    pop_mark = '1',
    dup = '2',
    binbytes = 'B',
    short_binbytes = 'C',
    float_text = 'F',
    binfloat = 'G',
    int_text = 'I',
    binint = 'J',
    binint1 = 'K',
    long_text = 'L',
    binint2 = 'M',
    none = 'N',
    reduce = 'R',
    unicode_text = 'V',
    binunicode = 'X',
    empty_list = ']',
    append = 'a',
    build = 'b',
    global = 'c',
    dict = 'd',
    appends = 'e',
    get_text = 'g',
    binget = 'h',
    long_binget = 'j',
    list = 'l',
    put_text = 'p',
    binput = 'q',
    long_binput = 'r',
    setitem = 's',
    tuple = 't',
    setitems = 'u',
    empty_dict = '}',
    proto = 0x80,
    newobj = 0x81,
    tuple1 = 0x85,
    tuple2 = 0x86,
    tuple3 = 0x87,
    newtrue = 0x88,
    newfalse = 0x89,
    long1 = 0x8a,
    long4 = 0x8b,
    short_binunicode = 0x8c,
    binunicode8 = 0x8d,
    binbytes8 = 0x8e,
    empty_set = 0x8f,
    additems = 0x90,
    frozenset = 0x91,
    stack_global = 0x93,
    memoize = 0x94,
    frame = 0x95,
    bytearray8 = 0x96,
};

inline constexpr std::uint8_t highest_pickle_protocol = 5;

}  // namespace multiprocessing::detail
