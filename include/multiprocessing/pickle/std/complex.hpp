// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/complex.hpp — complex numbers.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/std/chrono.hpp>
#include <multiprocessing/pickle/types.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>

namespace multiprocessing {
namespace detail {

// Known by its shape: <complex> brings the streams with it.
template <class T>
concept ComplexLike = StdType<T> && requires(T const& value) {
    typename T::value_type;
    value.real();
    value.imag();
};

}  // namespace detail

template <class T>
    requires detail::ComplexLike<T>
struct pickle<T> {
    using Number = typename T::value_type;
    using parts = detail::Types<Number>;
    static constexpr std::uint64_t kind = detail::fnv1a("complex");
    static constexpr std::size_t min_size = 2 * detail::min_size<Number>;
    static constexpr bool bytewise = detail::is_wrapped_number<T, Number>;

    static void dump(Writer& writer, T const& value) {
        detail::put(writer, value.real());
        detail::put(writer, value.imag());
    }

    static T load(Reader& reader) {
        Number const real = detail::get<Number>(reader);
        return T(real, detail::get<Number>(reader));
    }
};

}  // namespace multiprocessing
