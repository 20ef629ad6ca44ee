// SPDX-License-Identifier: MIT
// multiprocessing/process/authkey.hpp — the secret by which the processes of a tree know each other.
// Layer 5 (process). Mirrors AuthenticationString of Lib/multiprocessing/process.py.
#pragma once

#include <multiprocessing/platform/system.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace multiprocessing {

/// Bytes that are shown to nobody: they can be neither printed nor pickled. A child gets those of
/// the process that has made it, in memory that only the tree has.
///
/// Sharing: a value.
/// Python: `multiprocessing.process.AuthenticationString`.
class AuthenticationString {
public:
    AuthenticationString() = default;
    AuthenticationString(std::string_view text)
        : AuthenticationString(std::as_bytes(std::span(text))) {}
    AuthenticationString(std::string const& text) : AuthenticationString(std::string_view(text)) {}
    AuthenticationString(char const* text) : AuthenticationString(std::string_view(text)) {}
    explicit AuthenticationString(std::span<std::byte const> bytes)
        : bytes_(bytes.begin(), bytes.end()) {}

    /// Ours: a new one that nobody can guess, of 32 bytes.
    static AuthenticationString random() {
        AuthenticationString key;
        key.bytes_.resize(32);
        platform::random_bytes(key.bytes_);
        return key;
    }

    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

    bool operator==(AuthenticationString const&) const = default;

private:
    std::vector<std::byte> bytes_;
};

}  // namespace multiprocessing
