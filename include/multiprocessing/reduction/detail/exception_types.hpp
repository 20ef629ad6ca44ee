// SPDX-License-Identifier: MIT
// multiprocessing/reduction/detail/exception_types.hpp — the exceptions that keep their types.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/std/arithmetic.hpp>
#include <multiprocessing/pickle/std/string.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <variant>

#include <cxxabi.h>

namespace multiprocessing::reduction::detail {

/// A type of exception that is made from its text, or, as std::bad_alloc, always has the same.
struct PlainException {
    std::string_view name;
    std::type_info const& type;
    std::exception_ptr (*make)(std::string const& text);
};

template <class E>
PlainException plain(std::string_view name) {
    return {name, typeid(E), [](std::string const& text) {
                if constexpr (std::is_constructible_v<E, std::string const&>)
                    return std::make_exception_ptr(E(text));
                else return static_cast<void>(text), std::make_exception_ptr(E());
            }};
}

inline auto const& plain_exceptions() {
    static std::array const all{
        plain<std::runtime_error>("std::runtime_error"),
        plain<std::logic_error>("std::logic_error"),
        plain<std::invalid_argument>("std::invalid_argument"),
        plain<std::out_of_range>("std::out_of_range"),
        plain<std::length_error>("std::length_error"),
        plain<std::domain_error>("std::domain_error"),
        plain<std::range_error>("std::range_error"),
        plain<std::overflow_error>("std::overflow_error"),
        plain<std::underflow_error>("std::underflow_error"),
        plain<std::bad_alloc>("std::bad_alloc"),
        plain<std::bad_array_new_length>("std::bad_array_new_length"),
        plain<std::bad_cast>("std::bad_cast"),
        plain<std::bad_typeid>("std::bad_typeid"),
        plain<std::bad_exception>("std::bad_exception"),
        plain<std::bad_function_call>("std::bad_function_call"),
        plain<std::bad_optional_access>("std::bad_optional_access"),
        plain<std::bad_variant_access>("std::bad_variant_access"),
        plain<std::bad_weak_ptr>("std::bad_weak_ptr"),
        plain<Error>("Error"),
        plain<ProcessError>("ProcessError"),
        plain<BufferTooShort>("BufferTooShort"),
        plain<TimeoutError>("TimeoutError"),
        plain<AuthenticationError>("AuthenticationError"),
        plain<CancelledError>("CancelledError"),
        plain<StopIteration>("StopIteration"),
        plain<Empty>("Empty"),
        plain<Full>("Full"),
        plain<ShutDown>("ShutDown"),
        plain<BrokenBarrierError>("BrokenBarrierError"),
        plain<EOFError>("EOFError"),
        plain<ValueError>("ValueError"),
        plain<TypeError>("TypeError"),
        plain<KeyError>("KeyError"),
        plain<IndexError>("IndexError"),
        plain<AttributeError>("AttributeError"),
        plain<PicklingError>("PicklingError"),
        plain<UnpicklingError>("UnpicklingError"),
        plain<MemoryError>("MemoryError"),
        plain<OverflowError>("OverflowError"),
        plain<AssertionError>("AssertionError"),
        plain<RuntimeError>("RuntimeError"),
        plain<NotImplementedError>("NotImplementedError"),
        plain<FileExistsError>("FileExistsError"),
        plain<FileNotFoundError>("FileNotFoundError"),
    };
    return all;
}

/// The name of an exception that has exactly one of these types, else nothing.
inline std::string_view plain_name(std::exception const& error) {
    for (PlainException const& known : plain_exceptions())
        if (known.type == typeid(error)) return known.name;
    return {};
}

inline auto find_plain(std::string_view name) -> std::exception_ptr (*)(std::string const&) {
    for (PlainException const& known : plain_exceptions())
        if (known.name == name) return known.make;
    return nullptr;
}

template <class E>
E const* exactly(std::exception const& error) {
    return typeid(error) == typeid(E) ? static_cast<E const*>(&error) : nullptr;
}

/// Categories of other kinds are objects of their makers and cannot be found by name.
inline bool is_known(std::error_category const& category) {
    return category == std::generic_category() || category == std::system_category();
}

inline void dump_error_code(Writer& out, std::error_code code) {
    out.write(code.category() == std::system_category());
    out.write(std::int32_t{code.value()});
}

inline std::error_code load_error_code(Reader& in) {
    bool const is_system = in.read<bool>();
    return {in.read<std::int32_t>(), is_system ? std::system_category() : std::generic_category()};
}

/// The text that a system_error was made with; `what()` has the text of its code behind it.
inline std::string own_text(std::system_error const& error) {
    std::string text = error.what();
    std::string const suffix = error.code().message();
    if (text.ends_with(suffix)) text.resize(text.size() - suffix.size());
    if (text.ends_with(": ")) text.resize(text.size() - 2);
    return text;
}

inline std::string readable(std::type_info const& type) {
    std::unique_ptr<char, void (*)(void*)> const name(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr), std::free);
    return name != nullptr ? name.get() : type.name();
}

/// Only inside a handler: the type of what is being handled.
inline std::string current_exception_name() {
    auto const* const type = abi::__cxa_current_exception_type();
    return type != nullptr ? readable(*type) : "unknown";
}

}  // namespace multiprocessing::reduction::detail
