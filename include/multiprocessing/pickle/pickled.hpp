// SPDX-License-Identifier: MIT
// multiprocessing/pickle/pickled.hpp — the bytes of one pickled value.
// Layer 3 (pickling). Mirrors the bytes object that `pickle.dumps` returns.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

namespace multiprocessing {

/// The bytes of one pickled value; converts to `std::span<std::byte const>`. Move-only: copying a
/// large one is never an accident. The memory is as `std::malloc` aligns it, so that blocks of
/// numbers inside can be read in place.
/// Python: the `bytes` that `pickle.dumps` returns.
class Pickled {
public:
    Pickled() = default;

    [[nodiscard]] std::byte const* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::byte const* begin() const noexcept { return data(); }
    [[nodiscard]] std::byte const* end() const noexcept { return data() + size_; }

    friend bool operator==(Pickled const& a, Pickled const& b) noexcept {
        return a.size() == b.size() &&
               (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
    }

private:
    friend class Writer;

    struct Free {
        void operator()(std::byte* bytes) const noexcept { std::free(bytes); }
    };

    Pickled(std::byte* bytes, std::size_t size) noexcept : bytes_(bytes), size_(size) {}

    std::unique_ptr<std::byte, Free> bytes_;
    std::size_t size_ = 0;
};

}  // namespace multiprocessing
