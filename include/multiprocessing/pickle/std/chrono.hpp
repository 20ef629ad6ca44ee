// SPDX-License-Identifier: MIT
// multiprocessing/pickle/std/chrono.hpp — durations and points in time.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/detail/hash.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/std/arithmetic.hpp>
#include <multiprocessing/pickle/types.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace multiprocessing {
namespace detail {

// Known by their shape: <chrono> is among the most expensive headers to compile.
template <class T>
concept DurationLike = StdType<T> && requires(T const& value) {
    typename T::rep;
    T::period::num;
    value.count();
};

/// Steady clocks differ between machines, not between processes of one.
template <class T>
concept TimePointLike = StdType<T> && requires(T const& value) {
    typename T::clock;
    typename T::duration;
    value.time_since_epoch();
};

/// Whether an object that holds just one such number may be copied as it is.
template <class T, class Number>
inline constexpr bool is_wrapped_number =
    std::is_trivially_copyable_v<T>&& std::is_arithmetic_v<Number> &&
    !std::is_same_v<Number, bool> && value_bytes<Number>() == sizeof(Number);

}  // namespace detail

template <class T>
    requires detail::DurationLike<T>
struct pickle<T> {
    using Count = typename T::rep;
    using parts = detail::Types<Count>;
    static constexpr std::uint64_t kind =
        detail::fnv1a(T::period::den, detail::fnv1a(T::period::num, detail::fnv1a("duration")));
    static constexpr std::size_t min_size = detail::min_size<Count>;
    static constexpr bool bytewise = detail::is_wrapped_number<T, Count>;
    static void dump(Writer& writer, T const& value) { detail::put(writer, value.count()); }
    static T load(Reader& reader) { return T(detail::get<Count>(reader)); }
};

template <class T>
    requires detail::TimePointLike<T>
struct pickle<T> {
    using Duration = typename T::duration;
    using parts = detail::Types<Duration>;
    static constexpr std::uint64_t kind =
        detail::fnv1a(detail::type_name<typename T::clock>(), detail::fnv1a("time_point"));
    static constexpr std::size_t min_size = detail::min_size<Duration>;
    static constexpr bool bytewise = detail::is_wrapped_number<T, typename T::rep>;
    static void dump(Writer& writer, T const& value) {
        detail::put(writer, value.time_since_epoch());
    }
    static T load(Reader& reader) { return T(detail::get<Duration>(reader)); }
};

}  // namespace multiprocessing
