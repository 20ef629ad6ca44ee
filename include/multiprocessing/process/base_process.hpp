// SPDX-License-Identifier: MIT
// multiprocessing/process/base_process.hpp — what a class derives from that is a process itself.
// Layer 5 (process). Mirrors what deriving from Process is in Python.
#pragma once

#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/process/process.hpp>
#include <multiprocessing/process/table.hpp>
#include <multiprocessing/reduction/task.hpp>

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing {

namespace process {

/// "Upper" of "app::Upper<int>".
inline std::string class_name(std::string_view type) {
    type = type.substr(0, type.find('<'));
    auto const colon = type.rfind(':');
    return std::string(colon == type.npos ? type : type.substr(colon + 1));
}

/// In a child that was not forked: the object that has crossed is the current process.
template <class Derived>
void run_object(Derived object) {
    auto& table = Table::instance();
    {
        std::lock_guard guard(table.mutex);
        Access::child(object) = table.current;
        table.made = 0;  // it was made here once more
    }
    object.run();
}

}  // namespace process

/// A process that brings its own run(), and whatever members that needs:
///
///     struct Upper : mp::BaseProcess<Upper> {
///         Upper(mp::Queue<std::string> in, mp::Queue<std::string> out);
///         void run() override;
///     };
///
/// Shape: a forked child has the object as it is. Any other reads it by `mp::pickle<Upper>`, which
/// need not care for the name and whatever else this base knows. It is named Upper-1, Upper-2 ...
/// Errors: start() throws PicklingError where the object must be pickled and has no pickle<Upper>.
/// Python: `class Upper(multiprocessing.Process)`.
template <class Derived>
class BaseProcess : public Process {
public:
    explicit BaseProcess(ProcessOptions options = {})
        : Process(make(process::class_name(detail::type_name<Derived>()), std::move(options))) {}

    void run() override {}

private:
    void dump(Writer& out) const override {
        if constexpr (Picklable<Derived>)
            reduction::dump_target(out, &process::run_object<Derived>,
                                   static_cast<Derived const&>(*this));
        else
            throw PicklingError(
                fmt::format("cannot pickle a process of type '{0}': specialise "
                            "multiprocessing::pickle<{0}>, or start it by fork",
                            detail::type_name<Derived>()));
    }
};

}  // namespace multiprocessing
