// SPDX-License-Identifier: MIT
// multiprocessing/object/bytes.hpp — a sequence of bytes that is not text.
// Layer 3 (object). Mirrors Python's bytes.
#pragma once

#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/synchronize/repr_formatter.hpp>

#include <fmt/format.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace multiprocessing {

/// Bytes by value; the bytes of a text are the text's own encoding.
/// Sharing: a value.
/// Python: `bytes`.
class Bytes {
public:
    using value_type = std::uint8_t;

    Bytes() = default;
    explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    explicit Bytes(char const* text) : bytes_(text) {}
    explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
    explicit Bytes(std::span<std::byte const> bytes)
        : bytes_(reinterpret_cast<char const*>(bytes.data()), bytes.size()) {}
    Bytes(std::initializer_list<std::uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}

    std::size_t size() const noexcept { return bytes_.size(); }
    bool empty() const noexcept { return bytes_.empty(); }
    std::uint8_t const* data() const noexcept {
        return reinterpret_cast<std::uint8_t const*>(bytes_.data());
    }
    std::uint8_t const* begin() const noexcept { return data(); }
    std::uint8_t const* end() const noexcept { return data() + size(); }
    std::uint8_t operator[](std::size_t index) const { return data()[index]; }

    /// The bytes as characters, whatever they mean.
    std::string_view view() const noexcept { return bytes_; }

    auto operator<=>(Bytes const&) const = default;

    /// As Python's `repr`: b'a\x00b'.
    std::string repr() const {
        bool const quoted = bytes_.find('\'') != bytes_.npos && bytes_.find('"') == bytes_.npos;
        char const quote = quoted ? '"' : '\'';
        std::string text = {'b', quote};
        for (auto const byte : *this) {
            if (byte == quote || byte == '\\') text += {'\\', static_cast<char>(byte)};
            else if (byte == '\t') text += "\\t";
            else if (byte == '\n') text += "\\n";
            else if (byte == '\r') text += "\\r";
            else if (byte < 0x20 || byte >= 0x7f) {
                text += "\\x";
                detail::append_hex(text, byte, 2);
            }
            else text += static_cast<char>(byte);
        }
        return text += quote;
    }

private:
    std::string bytes_;
};

template <>
struct pickle<Bytes> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a("bytes");
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, Bytes const& bytes) {
        writer.write_size(bytes.size());
        writer.raw(bytes.data(), bytes.size());
    }
    static Bytes load(Reader& reader) { return Bytes(reader.raw(reader.read_count(1))); }
};

}  // namespace multiprocessing

template <>
struct fmt::formatter<multiprocessing::Bytes> : multiprocessing::detail::ReprFormatter {};
