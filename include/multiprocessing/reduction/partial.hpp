// SPDX-License-Identifier: MIT
// multiprocessing/reduction/partial.hpp — mp::partial: a function with its first arguments.
// Layer 3 (pickling). Mirrors functools.partial.
#pragma once

#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/reduction/callable.hpp>

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing {

/// A function with values bound to its first parameters; what is called next goes behind them.
/// Unlike a lambda that captures them, it can cross a process boundary if they can.
///
/// Sharing: a value; copies share nothing.
/// Python: `functools.partial`.
/// Differs: keyword arguments cannot be bound.
template <class F, class... Bound>
class Partial {
public:
    template <class G, class... A>
        requires std::is_constructible_v<F, G> &&
                 std::is_constructible_v<std::tuple<Bound...>, A...>
    explicit constexpr Partial(std::in_place_t, G&& function, A&&... bound)
        : function_(std::forward<G>(function)), bound_(std::forward<A>(bound)...) {}

    /// Calls the function with the bound values, then `more`.
    /// Python: `partial.__call__`.
    template <class... A>
        requires std::is_invocable_v<F&, Bound&..., A...>
    constexpr decltype(auto) operator()(A&&... more) & {
        return call(*this, std::forward<A>(more)...);
    }
    template <class... A>
        requires std::is_invocable_v<F const&, Bound const&..., A...>
    constexpr decltype(auto) operator()(A&&... more) const& {
        return call(*this, std::forward<A>(more)...);
    }
    template <class... A>
        requires std::is_invocable_v<F, Bound..., A...>
    constexpr decltype(auto) operator()(A&&... more) && {
        return call(std::move(*this), std::forward<A>(more)...);
    }
    template <class... A>
        requires std::is_invocable_v<F const, Bound const..., A...>
    constexpr decltype(auto) operator()(A&&... more) const&& {
        return call(std::move(*this), std::forward<A>(more)...);
    }

    /// Python: `partial.func`.
    [[nodiscard]] constexpr F const& func() const noexcept { return function_; }
    /// Python: `partial.args`.
    [[nodiscard]] constexpr std::tuple<Bound...> const& args() const noexcept { return bound_; }

private:
    template <class Self, class... A>
    static constexpr decltype(auto) call(Self&& self, A&&... more) {
        return std::apply(
            [&](auto&&... bound) -> decltype(auto) {
                return std::invoke(std::forward<Self>(self).function_,
                                   std::forward<decltype(bound)>(bound)...,
                                   std::forward<A>(more)...);
            },
            std::forward<Self>(self).bound_);
    }

    F function_;
    std::tuple<Bound...> bound_;
};

/// Binds values to the first parameters of a function, functor or pointer to a member.
///
/// Shape: function and values are kept by value, a string literal as a `std::string`.
/// Python: `functools.partial(func, *args)`.
template <class F, class... A>
[[nodiscard]] constexpr auto partial(F&& function, A&&... bound) {
    return Partial<reduction::stored_t<F>, reduction::stored_t<A>...>(
        std::in_place, std::forward<F>(function), std::forward<A>(bound)...);
}

template <class F, class... Bound>
struct pickle<Partial<F, Bound...>> {
    using parts = detail::Types<F, Bound...>;
    static constexpr std::uint64_t kind = detail::fnv1a("partial");

    static void dump(Writer& out, Partial<F, Bound...> const& value) {
        reduction::require_callable(value.func());
        out.write(value.func());
        std::apply([&](auto const&... bound) { (out.write(bound), ...); }, value.args());
    }
    static Partial<F, Bound...> load(Reader& in) {
        // Braces, because only they promise that the values are read in order.
        struct Parts {
            F function;
            std::tuple<Bound...> bound;
        };
        Parts parts{in.read<F>(), std::tuple<Bound...>{in.read<Bound>()...}};
        return std::apply(
            [&](auto&&... bound) {
                return Partial<F, Bound...>(std::in_place, std::move(parts.function),
                                            std::move(bound)...);
            },
            std::move(parts.bound));
    }
};

}  // namespace multiprocessing
