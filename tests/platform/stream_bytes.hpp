// SPDX-License-Identifier: MIT
// tests/platform/stream_bytes.hpp — what the tests of streams send.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/stream.hpp>

#include <cstddef>
#include <system_error>
#include <vector>

namespace test {

inline std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>(i * 7 % 251);
    }
    return bytes;
}

inline std::error_code code_of_write(multiprocessing::platform::native_handle stream) {
    try {
        multiprocessing::platform::write_all(stream, pattern(1));
    } catch (multiprocessing::OSError const& error) {
        return error.code();
    }
    return {};
}

}  // namespace test
