// SPDX-License-Identifier: MIT
// tests/reduction/messages.hpp — sends values and calls through bytes, as if to another process.
#pragma once

#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace test {

namespace mp = multiprocessing;
namespace reduction = multiprocessing::reduction;

using Bytes = std::vector<std::byte>;

/// What `write(out)` writes.
template <class Write>
Bytes written(Write const& write) {
    mp::Writer out;
    write(out);
    return Bytes(out.bytes().begin(), out.bytes().end());
}

template <class T>
Bytes pickled(T const& value) {
    return written([&](mp::Writer& out) { out.write(value); });
}

template <class T>
T unpickled(std::span<std::byte const> bytes, mp::Origin origin = mp::Origin::tree) {
    mp::Reader in(bytes, origin);
    T value = in.read<T>();
    in.expect_end();
    return value;
}

template <class T>
T crossed(T const& value) {
    return unpickled<T>(pickled(value));
}

template <class... Call>
Bytes task(Call const&... call) {
    return written([&](mp::Writer& out) { reduction::dump_task(out, call...); });
}

/// Runs the bytes of a task and gives its result.
template <class R>
R run(std::span<std::byte const> bytes) {
    mp::Reader in(bytes, mp::Origin::tree);
    mp::Writer result;
    reduction::load_task(in).run(in, &result);
    mp::Reader back(result.bytes(), mp::Origin::tree);
    if constexpr (std::is_void_v<R>) {
        back.expect_end();
    } else {
        R value = reduction::load_result<R>(back);
        back.expect_end();
        return value;
    }
}

template <class F, class... A>
auto called(F const& function, A const&... arguments) {
    return run<reduction::task_result_t<F, A...>>(task(function, arguments...));
}

}  // namespace test
