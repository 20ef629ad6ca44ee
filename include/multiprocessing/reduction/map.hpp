// SPDX-License-Identifier: MIT
// multiprocessing/reduction/map.hpp — a function written once, for many elements in chunks.
// Layer 3 (pickling). Mirrors mapstar and starmapstar of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/schema.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/reduction/callable.hpp>
#include <multiprocessing/reduction/descriptor.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <ranges>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing::reduction {

/// How an element becomes arguments: `map` passes it, `starmap` unpacks a tuple.
enum class Spread : bool { no, yes };

/// What became of a chunk.
struct ChunkOutcome {
    std::uint64_t done = 0;    // so many elements have their results written
    std::exception_ptr error;  // what the element after them threw; its result may be half-written
};

namespace detail {

template <class F, class X, Spread spread>
struct SpreadCall {
    static constexpr bool possible = std::invocable<F&, X>;
    static decltype(auto) call(F& function, X&& element) {
        return std::invoke(function, std::forward<X>(element));
    }
};

template <class F, class X>
struct SpreadCall<F, X, Spread::yes> {
    template <class Function, class Tuple>
    static consteval bool applicable() {
        if constexpr (requires { std::tuple_size<std::remove_cvref_t<Tuple>>::value; })
            return []<std::size_t... I>(std::index_sequence<I...>) {
                return std::invocable<Function&, decltype(std::get<I>(std::declval<Tuple>()))...>;
            }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<Tuple>>>());
        else return false;
    }
    static constexpr bool possible = applicable<F, X>();
    static decltype(auto) call(F& function, X&& element) {
        return std::apply(function, std::forward<X>(element));
    }
};

// Nothing where no call is possible; diagnose_map says so in better words.
template <class Call, class F, class X>
auto result_of() {
    if constexpr (Call::possible)
        return task_result<decltype(Call::call(std::declval<F&>(), std::declval<X>()))>{};
    else return task_result<void>{};
}

struct MapEntries {
    void* (*load)(Reader& in);
    void (*destroy)(void* function) noexcept;
    ChunkOutcome (*run)(void* function, Reader& elements, Writer& results);
    std::string_view function;
};

/// F and X are stored types.
template <class F, class X, Spread spread>
struct MapOf {
    using Call = SpreadCall<F, X, spread>;
    using Result = decltype(result_of<Call, F, X>())::type;

    static void* load(Reader& in) {
        auto function =
            std::make_unique<F>(BareFunction<F>::load(in, Described<MapOf>::descriptor));
        in.expect_end();
        return function.release();
    }
    static void destroy(void* function) noexcept { delete static_cast<F*>(function); }

    static ChunkOutcome run(void* erased, Reader& elements, Writer& results) {
        F& function = *static_cast<F*>(erased);
        ChunkOutcome outcome;
        try {
            if constexpr (!std::is_void_v<Result>) put_word(results, schema_hash<Result>);
            for (auto count = elements.read_count(0); count > 0; --count, ++outcome.done) {
                if constexpr (std::is_void_v<Result>)
                    static_cast<void>(Call::call(function, elements.read<X>()));
                else results.write(Result(Call::call(function, elements.read<X>())));
            }
            elements.expect_end();
        } catch (...) { outcome.error = std::current_exception(); }
        return outcome;
    }

    static constexpr Role role = Role::map;
    static constexpr MapEntries entries{&load, &destroy, &run,
                                        multiprocessing::detail::type_name<F>()};
};

}  // namespace detail

/// Whether a stored F can be called with each X.
template <class F, class X, Spread spread = Spread::no>
concept InvocableMap = detail::SpreadCall<stored_t<F>, stored_t<X>, spread>::possible;

/// What each call gives back: `void`, or the value as it is stored.
template <class F, class X, Spread spread = Spread::no>
using map_result_t = typename detail::MapOf<stored_t<F>, stored_t<X>, spread>::Result;

/// Whether other processes can call F with elements X and send the results back.
template <class F, class X, Spread spread = Spread::no>
concept PortableMap = PortableCallable<stored_t<F>> && Picklable<stored_t<X>> &&
                      InvocableMap<F, X, spread> && PortableResult<map_result_t<F, X, spread>>;

/// Stops the compilation with the sentence that fits, if F and X are no PortableMap.
template <class F, class X, Spread spread = Spread::no>
consteval bool diagnose_map() {
    static_assert(diagnose_callable<stored_t<F>>() && diagnose_argument<stored_t<X>>());
    static_assert(InvocableMap<F, X, spread>,
                  "the function cannot be called with an element: map passes each as an rvalue, "
                  "starmap unpacks each as a tuple of arguments");
    return diagnose_result<map_result_t<F, X, spread>>();
}

/// Writes a function that will be called with elements of type X.
template <class X, Spread spread = Spread::no, class F>
void dump_map(Writer& out, F const& function) {
    if constexpr (!PortableMap<F const&, X, spread>)
        diagnose_map<F const&, X, spread>();
    else
        detail::dump_instance<detail::MapOf<stored_t<F const&>, stored_t<X>, spread>>(
            out, static_cast<stored_t<F const&> const&>(function));
}

/// Writes a chunk: `count` elements from `first`, as a `dump_map<X>` function will read them. Gives
/// the iterator behind them.
template <class X, std::input_iterator I>
I dump_elements(Writer& out, I first, std::uint64_t count) {
    out.write_size(count);
    for (; count > 0; --count, ++first) out.write(static_cast<stored_t<X> const&>(*first));
    return first;
}

/// Reads `count` results that a chunk wrote, and calls `take(result)` with each.
/// Errors: UnpicklingError if they are another type's.
template <class R, class Take>
    requires(!std::is_void_v<R>)
void load_results(Reader& in, std::uint64_t count, Take&& take) {
    if (detail::get_word(in) != schema_hash<R>) in.fail("results of another type");
    for (; count > 0; --count) take(in.read<R>());
}

/// A function that was read, for as many chunks as its owner wants.
class MapFunction {
public:
    /// Reads `count` elements, calls the function with each, writes the results one after the
    /// other; stops at the first exception. Discard `results` then.
    ChunkOutcome run(Reader& elements, Writer& results) {
        return entries_->run(function_.get(), elements, results);
    }

    /// The type of the function, for messages.
    [[nodiscard]] std::string_view function() const noexcept { return entries_->function; }

private:
    friend MapFunction load_map(Reader& in);
    MapFunction(detail::MapEntries const& entries, void* function)
        : entries_(&entries), function_(function, entries.destroy) {}

    detail::MapEntries const* entries_;
    std::unique_ptr<void, void (*)(void*) noexcept> function_;
};

/// Reads what dump_map wrote.
/// Errors: UnpicklingError for bytes that name no such function of this program.
inline MapFunction load_map(Reader& in) {
    Descriptor const& descriptor = load_descriptor(in, Role::map);
    auto const& entries = *static_cast<detail::MapEntries const*>(descriptor.entries);
    return MapFunction(entries, entries.load(in));
}

}  // namespace multiprocessing::reduction
