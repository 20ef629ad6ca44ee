// SPDX-License-Identifier: MIT
// multiprocessing/object/integer.hpp — an integer of more than 64 bits: text, bytes and comparison.
// Layer 3 (object). Mirrors int of Python, without its arithmetic.
#pragma once

#include <multiprocessing/errors.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace multiprocessing::detail {

/// As many digits may an int have that is read from text or shown as text, since that takes time
/// with their square; Python's limit is the same.
inline constexpr std::size_t integer_digits_limit = 4300;

/// A sign and a magnitude; zero has neither sign nor limbs.
class BigInteger {
public:
    BigInteger() = default;
    explicit BigInteger(std::int64_t value) : BigInteger(magnitude_of(value), value < 0) {}
    explicit BigInteger(std::uint64_t magnitude, bool negative)
        : limbs_{static_cast<std::uint32_t>(magnitude),
                 static_cast<std::uint32_t>(magnitude >> 32)},
          negative_(negative) {
        trim();
    }

    /// Limbs of 32 bits, lowest first.
    BigInteger(std::vector<std::uint32_t> limbs, bool negative)
        : limbs_(std::move(limbs)), negative_(negative) {
        trim();
    }

    /// The whole part of a finite number.
    static BigInteger truncated(double value);

    /// Two's complement, lowest byte first, of any length.
    static BigInteger from_bytes(std::span<unsigned char const> bytes);

    /// Digits with an optional sign; none for anything else.
    static std::optional<BigInteger> from_text(std::string_view text);

    bool negative() const noexcept { return negative_; }
    std::span<std::uint32_t const> limbs() const noexcept { return limbs_; }

    /// The value, if it has at most 64 bits.
    std::optional<std::int64_t> as_int64() const noexcept;
    std::optional<std::uint64_t> as_uint64() const noexcept;

    /// The nearest double; infinite beyond the range.
    double to_double() const;

    /// Errors: ValueError beyond `integer_digits_limit` digits.
    std::string text() const;

    /// Two's complement, lowest byte first, as short as the sign allows; none for zero.
    std::vector<unsigned char> bytes() const;

    bool operator==(BigInteger const&) const = default;
    std::strong_ordering operator<=>(BigInteger const& other) const;

private:
    static std::uint64_t magnitude_of(std::int64_t value) {
        return value < 0 ? ~static_cast<std::uint64_t>(value) + 1
                         : static_cast<std::uint64_t>(value);
    }
    std::uint64_t low() const noexcept {
        return (limbs_.size() > 1 ? std::uint64_t{limbs_[1]} << 32 : 0) |
               (limbs_.empty() ? 0 : limbs_[0]);
    }
    void trim() {
        while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
        if (limbs_.empty()) negative_ = false;
    }

    std::vector<std::uint32_t> limbs_;
    bool negative_ = false;
};

inline BigInteger BigInteger::truncated(double value) {
    int exponent = 0;
    double const fraction = std::frexp(std::fabs(value), &exponent);  // in [0.5, 1)
    if (exponent <= 0) return {};
    auto const mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
    if (exponent <= 53) return BigInteger(mantissa >> (53 - exponent), value < 0);
    auto const shift = static_cast<unsigned>(exponent - 53);
    std::vector<std::uint32_t> limbs(shift / 32, 0);
    auto const bits = shift % 32;
    limbs.push_back(static_cast<std::uint32_t>(mantissa << bits));
    limbs.push_back(static_cast<std::uint32_t>(mantissa >> (32 - bits)));
    limbs.push_back(bits == 0 ? 0 : static_cast<std::uint32_t>(mantissa >> (64 - bits)));
    return {std::move(limbs), value < 0};
}

inline BigInteger BigInteger::from_bytes(std::span<unsigned char const> bytes) {
    bool const negative = !bytes.empty() && bytes.back() >= 0x80;
    std::vector<std::uint32_t> limbs((bytes.size() + 3) / 4, negative ? ~0u : 0u);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto const shift = static_cast<unsigned>(i % 4) * 8;
        limbs[i / 4] = (limbs[i / 4] & ~(0xffu << shift)) | (std::uint32_t{bytes[i]} << shift);
    }
    if (negative) {
        std::uint64_t carry = 1;
        for (auto& limb : limbs) {
            carry += static_cast<std::uint32_t>(~limb);
            limb = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        if (carry != 0) limbs.push_back(1);
    }
    return {std::move(limbs), negative};
}

inline std::optional<BigInteger> BigInteger::from_text(std::string_view text) {
    bool const negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
    std::vector<std::uint32_t> limbs;
    while (!text.empty()) {
        auto const part = text.substr(0, std::min<std::size_t>(9, text.size()));
        text.remove_prefix(part.size());
        std::uint64_t carry = 0;
        std::uint64_t scale = 1;
        for (char const digit : part) {
            carry = carry * 10 + static_cast<unsigned char>(digit - '0');
            scale *= 10;
        }
        for (auto& limb : limbs) {
            carry += limb * scale;
            limb = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
    }
    return BigInteger(std::move(limbs), negative);
}

inline std::optional<std::int64_t> BigInteger::as_int64() const noexcept {
    constexpr std::uint64_t top = std::uint64_t{1} << 63;
    if (limbs_.size() > 2 || low() > top || (low() == top && !negative_)) return std::nullopt;
    return static_cast<std::int64_t>(negative_ ? ~low() + 1 : low());
}

inline std::optional<std::uint64_t> BigInteger::as_uint64() const noexcept {
    if (limbs_.size() > 2 || negative_) return std::nullopt;
    return low();
}

// Half to even: the top 64 bits and a sticky bit decide.
inline double BigInteger::to_double() const {
    if (limbs_.size() <= 2) {
        auto const value = static_cast<double>(low());
        return negative_ ? -value : value;
    }
    auto const width = static_cast<unsigned>(std::bit_width(limbs_.back()));
    auto const n = limbs_.size();
    std::uint64_t top = (std::uint64_t{limbs_[n - 1]} << 32) | limbs_[n - 2];
    std::uint64_t rest = limbs_[n - 3];
    unsigned const lift = 32 - width;  // so that the top bit is set
    bool sticky = static_cast<std::uint32_t>(rest << lift) != 0;
    top = lift == 0 ? top : (top << lift) | (rest >> (32 - lift));
    for (std::size_t i = 0; i + 3 < n && !sticky; ++i) sticky = limbs_[i] != 0;
    if (sticky) top |= 1;
    auto const exponent = static_cast<std::int64_t>(n - 2) * 32 - lift;
    auto const significand = static_cast<double>(top);
    double const value =
        exponent > 1100 ? HUGE_VAL : std::ldexp(significand, static_cast<int>(exponent));
    return negative_ ? -value : value;
}

inline std::string BigInteger::text() const {
    if (limbs_.empty()) return "0";
    constexpr std::size_t most_limbs = integer_digits_limit * 10 / 96 + 2;  // 9.6 digits each
    std::string text;
    auto rest = limbs_;
    while (!rest.empty() && limbs_.size() <= most_limbs) {
        std::uint64_t part = 0;
        for (std::size_t i = rest.size(); i-- > 0;) {
            part = (part << 32) | rest[i];
            rest[i] = static_cast<std::uint32_t>(part / 1'000'000'000);
            part %= 1'000'000'000;
        }
        while (!rest.empty() && rest.back() == 0) rest.pop_back();
        for (int digit = 0; digit < 9 && (part != 0 || !rest.empty()); ++digit) {
            text += static_cast<char>('0' + part % 10);
            part /= 10;
        }
    }
    if (text.empty() || text.size() > integer_digits_limit)
        throw ValueError("the int has more than 4300 digits, too many to be shown");
    if (negative_) text += '-';
    std::reverse(text.begin(), text.end());
    return text;
}

inline std::vector<unsigned char> BigInteger::bytes() const {
    std::vector<unsigned char> bytes;
    bytes.reserve(limbs_.size() * 4 + 1);
    std::uint64_t carry = 1;
    for (auto limb : limbs_) {
        if (negative_) {
            carry += static_cast<std::uint32_t>(~limb);
            limb = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        for (int shift = 0; shift < 32; shift += 8)
            bytes.push_back(static_cast<unsigned char>(limb >> shift));
    }
    if (limbs_.empty()) return bytes;
    unsigned char const sign = negative_ ? 0xff : 0;
    bytes.push_back(sign);
    while (bytes.size() > 1 && bytes.back() == sign && (bytes[bytes.size() - 2] ^ sign) < 0x80)
        bytes.pop_back();
    return bytes;
}

inline std::strong_ordering BigInteger::operator<=>(BigInteger const& other) const {
    if (negative_ != other.negative_) return other.negative_ <=> negative_;
    auto const& a = negative_ ? other.limbs_ : limbs_;
    auto const& b = negative_ ? limbs_ : other.limbs_;
    if (a.size() != b.size()) return a.size() <=> b.size();
    for (std::size_t i = a.size(); i-- > 0;)
        if (a[i] != b[i]) return a[i] <=> b[i];
    return std::strong_ordering::equal;
}

}  // namespace multiprocessing::detail
