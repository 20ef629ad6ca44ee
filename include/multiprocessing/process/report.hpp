// SPDX-License-Identifier: MIT
// multiprocessing/process/report.hpp — what stderr gets when an exception ends a process.
// Layer 5 (process). Mirrors the last lines of BaseProcess._bootstrap of
// Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/process/table.hpp>
#include <multiprocessing/reduction/exception.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::process {

/// Writes a text as a whole, so that no other process's stands within it.
inline void print_error(std::string const& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

/// The type of an exception as the user knows it: not what std::throw_with_nested made of it.
inline std::string error_name(std::exception const& error) {
    auto name = reduction::detail::readable(typeid(error));
    for (std::string_view const nested : {"std::_Nested_exception<", "std::__1::__nested<"})
        if (name.starts_with(nested) && name.ends_with('>'))
            name = name.substr(nested.size(), name.size() - nested.size() - 1);
    constexpr std::string_view ours = "multiprocessing::";
    return name.starts_with(ours) ? name.substr(ours.size()) : name;
}

/// Only inside a handler: a line for the exception at hand, and one for each that it was nested
/// around.
inline std::string describe_current_exception() {
    std::string text;
    auto const add = [&text](std::string_view type, std::string_view what) {
        text += fmt::format("{}{}: {}\n", text.empty() ? "" : "  caused by ", type, what);
    };
    auto next = std::current_exception();
    for (int depth = 0; next && depth < 100; ++depth) {
        try {
            std::rethrow_exception(std::exchange(next, nullptr));
        } catch (std::exception const& error) {
            add(error_name(error), error.what());
            if (auto const* nested = dynamic_cast<std::nested_exception const*>(&error))
                next = nested->nested_ptr();
        } catch (std::nested_exception const& nested) {
            add(reduction::detail::current_exception_name(), "no std::exception");
            next = nested.nested_ptr();
        } catch (...) {
            add(reduction::detail::current_exception_name(), "no std::exception");
        }
    }
    return text;
}

/// Only inside a handler: tells on stderr which exception has ended the process.
/// Differs: no trace of the stack. When an exception is reported its stack is gone already, and no
/// compiler of today keeps it: `std::stacktrace` (C++23) knows only the place that asks, here.
inline void report_current_exception() {
    print_error(fmt::format("Process {}:\n{}", current_name(), describe_current_exception()));
}

}  // namespace multiprocessing::process
