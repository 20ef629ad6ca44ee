// SPDX-License-Identifier: MIT
// multiprocessing/connection/pipe.hpp — makes both ends of a pipe.
// Layer 4 (channels). Mirrors Pipe of Lib/multiprocessing/connection.py.
#pragma once

#include <multiprocessing/connection/connection.hpp>

#include <concepts>
#include <utility>

namespace multiprocessing {

/// A new pipe through which T travels: what one end sends, the other receives.
/// Errors: MemoryError.
/// Python: `multiprocessing.Pipe(duplex=True)`.
/// Differs: it holds a number of messages, not of bytes, before send() waits.
template <class T = Object>
std::pair<Connection<T>, Connection<T>> Pipe(PipeOptions options = {}) {
    auto [first, second] = detail::PipeEnd::make_pair(options.duplex, options.capacity,
                                                      Connection<T>::type_hash());
    return {Connection<T>(std::move(first)), Connection<T>(std::move(second))};
}
template <class T = Object>
std::pair<Connection<T>, Connection<T>> Pipe(std::same_as<bool> auto duplex) {
    return Pipe<T>(PipeOptions{.duplex = duplex});
}

}  // namespace multiprocessing
