// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/variant.hpp — one of several types.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/traits.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

namespace multiprocessing {

template <class... T>
struct pickle<std::variant<T...>> {
    using Variant = std::variant<T...>;
    using parts = detail::Types<T...>;
    static constexpr std::uint64_t kind = detail::fnv1a("variant");
    static constexpr std::size_t min_size = 1;

    static void dump(Writer& writer, Variant const& variant) {
        if (variant.valueless_by_exception()) {
            throw PicklingError("a std::variant that holds no value cannot be pickled");
        }
        writer.write_size(variant.index());
        std::visit([&](auto const& value) { detail::put(writer, value); }, variant);
    }

    static Variant load(Reader& reader) {
        std::uint64_t const index = reader.read_size();
        if (index >= sizeof...(T)) {
            reader.fail("a variant has no alternative of that number");
        }
        return load_at(reader, static_cast<std::size_t>(index), std::index_sequence_for<T...>{});
    }

private:
    template <std::size_t I>
    static Variant load_as(Reader& reader) {
        using Alternative = std::variant_alternative_t<I, Variant>;
        return Variant(std::in_place_index<I>, detail::get<std::remove_cv_t<Alternative>>(reader));
    }

    template <std::size_t... I>
    static Variant load_at(Reader& reader, std::size_t index, std::index_sequence<I...>) {
        using Load = Variant (*)(Reader&);
        constexpr Load loads[] = {&load_as<I>...};
        return loads[index](reader);
    }
};

template <>
struct pickle<std::monostate> {
    using parts = detail::Types<>;
    static constexpr std::uint64_t kind = detail::fnv1a("monostate");
    static constexpr std::size_t min_size = 0;
    static void dump(Writer&, std::monostate const&) {}
    static std::monostate load(Reader&) { return {}; }
};

}  // namespace multiprocessing
