// SPDX-License-Identifier: MIT
// multiprocessing/reduction/exception.hpp — how an exception reaches another process.
// Layer 3 (pickling). Mirrors ExceptionWithTraceback of Lib/multiprocessing/pool.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/std/arithmetic.hpp>
#include <multiprocessing/pickle/std/optional.hpp>
#include <multiprocessing/pickle/std/string.hpp>
#include <multiprocessing/pickle/writer.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/reduction/descriptor.hpp>
#include <multiprocessing/reduction/detail/exception_types.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>

namespace multiprocessing::reduction {

namespace detail {

struct ExceptionEntries {
    std::exception_ptr (*load)(Reader& in);
};

template <class E>
struct ExceptionOf {
    static std::exception_ptr load(Reader& in) { return std::make_exception_ptr(in.read<E>()); }
    static constexpr Role role = Role::exception;
    static constexpr ExceptionEntries entries{&load};
};

/// A type that the user has registered. Nodes live as long as the program.
struct RegisteredException {
    std::type_info const& type;
    void (*dump)(Writer& out, std::exception const& error);
    RegisteredException const* next = nullptr;
};

inline std::atomic<RegisteredException const*>& registered_exceptions() {
    static constinit std::atomic<RegisteredException const*> first{nullptr};
    return first;
}

inline RegisteredException const* find_registered(std::type_info const& type) {
    auto const* node = registered_exceptions().load(std::memory_order_acquire);
    while (node != nullptr && node->type != type) node = node->next;
    return node;
}

inline void dump_remote(Writer& out, std::string_view type_name, std::string_view text,
                        std::int64_t pid) {
    out.write(std::string("RemoteError"));
    out.write(std::string(type_name));
    out.write(std::string(text));
    out.write(pid);
}

/// The types that carry more than a text.
inline bool dump_special(Writer& out, std::exception const& error) {
    if (auto const* remote = exactly<RemoteError>(error)) {
        dump_remote(out, remote->type_name(), remote->text(), remote->pid());
    } else if (auto const* lost = exactly<WorkerLostError>(error)) {
        out.write(std::string("WorkerLostError"));
        out.write(lost->pid());
        out.write(lost->signal() ? std::optional(-*lost->signal()) : lost->exit_code());
        out.write(lost->task());
        out.write(lost->note());
    } else if (auto const* os = exactly<OSError>(error); os && is_known(os->code().category())) {
        out.write(std::string("OSError"));
        dump_error_code(out, os->code());
        out.write(std::string(os->what()));
    } else if (auto const* system = exactly<std::system_error>(error);
               system && is_known(system->code().category())) {
        out.write(std::string("std::system_error"));
        dump_error_code(out, system->code());
        out.write(own_text(*system));
    } else if (auto const* node = find_registered(typeid(error))) {
        out.write(std::string("registered"));
        node->dump(out, error);
    } else {
        return false;
    }
    return true;
}

inline std::exception_ptr load_special(Reader& in, std::string_view name) {
    if (name == "RemoteError") {
        auto type_name = in.read<std::string>();
        auto const text = in.read<std::string>();
        return std::make_exception_ptr(
            RemoteError(std::move(type_name), text, in.read<std::int64_t>()));
    }
    if (name == "WorkerLostError") {
        auto const pid = in.read<std::int64_t>();
        auto const status = in.read<std::optional<int>>();
        auto task = in.read<std::string>();
        return std::make_exception_ptr(
            WorkerLostError(pid, status, std::move(task), in.read<std::string>()));
    }
    if (name == "OSError" || name == "std::system_error") {
        auto const code = load_error_code(in);
        auto const text = in.read<std::string>();
        if (name == "OSError") return std::make_exception_ptr(OSError(code, text));
        return std::make_exception_ptr(text.empty() ? std::system_error(code)
                                                    : std::system_error(code, text));
    }
    if (name == "registered") {
        Descriptor const& descriptor = load_descriptor(in, Role::exception);
        return static_cast<ExceptionEntries const*>(descriptor.entries)->load(in);
    }
    in.fail("not an exception");
}

}  // namespace detail

/// Lets exceptions whose type is exactly E cross as what they are. Needs `pickle<E>`. Call it in
/// the process that throws, best by the initialisation of a global, which runs in every process.
template <class E>
    requires std::is_base_of_v<std::exception, E> && Picklable<E>
bool register_exception() {
    static detail::RegisteredException node{
        typeid(E), [](Writer& out, std::exception const& error) {
            dump_descriptor(out, Described<detail::ExceptionOf<E>>::descriptor);
            out.write(static_cast<E const&>(error));
        }};
    static bool const once = [] {
        auto& first = detail::registered_exceptions();
        node.next = first.load(std::memory_order_relaxed);
        while (!first.compare_exchange_weak(node.next, &node, std::memory_order_release,
                                            std::memory_order_relaxed)) {}
        return true;
    }();
    return once;
}

/// Writes an exception: the standard ones and our own with their types, every other one as the
/// RemoteError that its receiver will get.
inline void dump_exception(Writer& out, std::exception_ptr const& error) {
    try {
        std::rethrow_exception(error);
    } catch (std::exception const& e) {
        if (detail::dump_special(out, e)) return;
        auto const name = detail::plain_name(e);
        if (name.empty())
            return detail::dump_remote(out, detail::readable(typeid(e)), e.what(),
                                       platform::process_id());
        out.write(std::string(name));
        out.write(std::string(e.what()));
    } catch (...) {
        detail::dump_remote(out, detail::current_exception_name(),
                            "an exception that is no std::exception", platform::process_id());
    }
}

/// Reads what dump_exception wrote.
/// Errors: throws UnpicklingError if it is no such thing.
inline std::exception_ptr load_exception(Reader& in) {
    auto const name = in.read<std::string>();
    if (auto const make = detail::find_plain(name)) return make(in.read<std::string>());
    return detail::load_special(in, name);
}

/// Reads what dump_exception wrote and throws it.
[[noreturn]] inline void throw_exception(Reader& in) {
    std::rethrow_exception(load_exception(in));
}

}  // namespace multiprocessing::reduction
