// SPDX-License-Identifier: MIT
// tests/fuzz/pickle_fuzz.hpp — one input of the fuzzer, also run over the kept seeds by a test.
#pragma once

#include "pickle/samples.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <type_traits>
#include <vector>

namespace fuzz {

using Kinds = multiprocessing::detail::Types<
    bool, long double, std::string, std::u16string, std::vector<double>, std::vector<bool>,
    std::vector<std::string>, std::vector<samples::Empty>, std::array<samples::Account, 2>,
    std::deque<std::list<int>>, std::map<std::string, std::map<int, std::vector<bool>>>,
    std::unordered_map<std::string, int>, std::multiset<std::string>,
    std::tuple<int, std::string, std::tuple<double, bool>>, std::optional<std::optional<int>>,
    std::variant<std::monostate, std::vector<int>, int, std::string>, std::chrono::duration<double>,
    std::filesystem::path, std::complex<double>, std::bitset<70>, samples::Packet,
    std::vector<samples::Packet>, samples::Names, samples::Tree, samples::Chain,
    std::vector<samples::Shares>, std::vector<samples::Account>, samples::Clock,
    std::vector<samples::Record>, std::vector<samples::Colour>>;

/// Reads the bytes as a T. Where that succeeds, writing and reading again must give the same bytes.
template <class T>
void read_as(std::span<std::byte const> body, bool with_schema) {
    namespace mp = multiprocessing;
    std::vector<std::byte> bytes;
    if (with_schema) {
        mp::Writer schema;
        schema.write(mp::schema_hash<T>);
        bytes.assign(schema.bytes().begin(), schema.bytes().end());
    }
    bytes.insert(bytes.end(), body.begin(), body.end());
    auto const exact = samples::exact_copy(bytes);
    try {
        T const value = mp::loads<T>({exact.get(), bytes.size()});
        auto const again = mp::dumps(value);
        if constexpr (!requires { typename T::hasher; }) {  // those promise no order
            if (mp::dumps(mp::loads<T>(again)) != again) std::abort();
        }
    } catch (mp::UnpicklingError const&) {
        // Everything else that is thrown is a finding.
    }
}

template <class... T>
void read_kind(std::span<std::byte const> body, std::size_t kind, bool with_schema,
               multiprocessing::detail::Types<T...>) {
    std::size_t at = 0;
    static_cast<void>(((at++ == kind && (read_as<T>(body, with_schema), true)) || ...));
}

inline void read_any(std::span<std::byte const> input) {
    if (input.empty()) return;
    auto const first = std::to_integer<std::size_t>(input[0]);
    read_kind(input.subspan(1), (first & 0x7f) % Kinds::count, (first & 0x80) != 0, Kinds{});
}

}  // namespace fuzz
