// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle/operands.hpp — numbers and text as pickles have them.
// Layer 3 (object). Mirrors the read_ and decode_ functions of Lib/pickletools.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/object/integer.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/printable.hpp>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace multiprocessing::detail {

/// The bytes of a pickle, one operand after the other.
/// Errors: UnpicklingError from every function when there are not enough, or they are wrong.
class PickleBytes {
public:
    explicit PickleBytes(std::string_view bytes) noexcept : rest_(bytes) {}

    std::size_t remaining() const noexcept { return rest_.size(); }

    std::string_view take(std::uint64_t size) {
        if (size > rest_.size()) throw UnpicklingError("pickle data was truncated");
        auto const taken = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(taken.size());
        return taken;
    }

    /// Lowest byte first.
    template <class T>
    T number() {
        T value = 0;
        int shift = 0;
        for (char const byte : take(sizeof(T))) {
            value = static_cast<T>(value | T{static_cast<unsigned char>(byte)} << shift);
            shift += 8;
        }
        return value;
    }

    /// A length of type T, and so many bytes.
    template <class T>
    std::string_view counted() {
        return take(number<T>());
    }

    /// All up to a newline, which is taken too.
    std::string_view line() {
        auto const end = rest_.find('\n');
        if (end == std::string_view::npos) throw UnpicklingError("pickle data was truncated");
        auto const text = take(end);
        take(1);
        return text;
    }

private:
    std::string_view rest_;
};

inline std::string_view checked_utf8(std::string_view text) {
    if (!is_utf8(text)) throw UnpicklingError("a str is no UTF-8");
    return text;
}

/// Digits with an optional sign, and blanks around them.
inline Object read_decimal(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\v\f";
    auto const first = text.find_first_not_of(blanks);
    if (first != std::string_view::npos)
        text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
    if (text.size() > integer_digits_limit + 1)
        throw UnpicklingError("an int of more than 4300 digits");
    auto value = BigInteger::from_text(text);
    if (!value) throw UnpicklingError("an int is no decimal number");
    return ObjectAccess::integer(*std::move(value));
}

/// The operand of INT: 00 and 01 are bools.
inline Object read_int_line(std::string_view text) {
    if (text == "00") return false;
    if (text == "01") return true;
    return read_decimal(text);
}

inline Object read_long_line(std::string_view text) {
    if (text.ends_with('L')) text.remove_suffix(1);
    return read_decimal(text);
}

/// Two's complement, lowest byte first.
inline Object read_long_bytes(std::string_view bytes) {
    return ObjectAccess::integer(BigInteger::from_bytes(
        {reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()}));
}

/// As Python writes a float: digits, inf, -inf or nan.
inline Object read_float_line(std::string_view text) {
    double value = 0;
    auto const* const end = text.data() + text.size();
    auto const [at, error] = std::from_chars(text.data(), end, value);
    if (at != end || error != std::errc())
        throw UnpicklingError("a float is no number of Python's");
    return value;
}

/// Highest byte first.
inline double read_float_bytes(std::string_view bytes) {
    std::uint64_t bits = 0;
    for (char const byte : bytes) bits = (bits << 8) | static_cast<unsigned char>(byte);
    return std::bit_cast<double>(bits);
}

/// The operand of UNICODE: Latin-1, with \uXXXX and \UXXXXXXXX.
inline std::string read_escaped(std::string_view line) {
    std::string text;
    while (!line.empty()) {
        auto const first = static_cast<unsigned char>(line[0]);
        auto const next = line.size() > 1 ? line[1] : '\0';
        if (first != '\\' || (next != 'u' && next != 'U')) {
            append_utf8(text, first);
            line.remove_prefix(1);
            if (first != '\\' || next != '\\') continue;
            text += '\\';  // two are two, and the second escapes nothing
            line.remove_prefix(1);
            continue;
        }
        auto const digits = line.substr(2, next == 'u' ? 4 : 8);
        std::uint32_t value = 0;
        auto const* const end = digits.data() + digits.size();
        auto const parsed = std::from_chars(digits.data(), end, value, 16);
        if (digits.size() != (next == 'u' ? 4u : 8u) || parsed.ec != std::errc() ||
            parsed.ptr != end || value > 0x10ffff)
            throw UnpicklingError("a str has an escape that is no character");
        append_utf8(text, value);
        line.remove_prefix(2 + digits.size());
    }
    return text;
}

}  // namespace multiprocessing::detail
