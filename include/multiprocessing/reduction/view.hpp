// SPDX-License-Identifier: MIT
// multiprocessing/reduction/view.hpp — the elements of a received message, where they lie.
// Layer 3 (pickling). Mirrors no Python file; near to a memoryview of what recv_bytes returns.
#pragma once

#include <multiprocessing/heap/shared.hpp>
#include <multiprocessing/object/bytes.hpp>
#include <multiprocessing/pickle.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace multiprocessing {

namespace detail {

/// What may be read in place: a run of elements that are written as the bytes they are. `bound`: no
/// message of it is longer; `read`: where its elements lie in one.
template <class T>
struct InPlace {
    static constexpr bool value = false;
};

template <class T, class A>
    requires(is_bytewise<T> && std::is_trivially_copyable_v<T> && !has_bools<T> &&
             alignof(T) <= 16 && !std::is_same_v<T, bool>)
struct InPlace<std::vector<T, A>> {
    static constexpr bool value = true;
    using Element = T;
    static std::size_t bound(std::vector<T, A> const& v) { return v.size() * sizeof(T) + 32; }
    static std::span<std::byte const> read(Reader& reader) {
        std::size_t const count = reader.read_count(sizeof(T));
        if (is_aligned_block<T>(count))
            static_cast<void>(reader.raw(static_cast<std::size_t>(reader.raw(1)[0])));
        if (count > reader.remaining() / sizeof(T))
            reader.fail("a block is longer than what remains");
        return reader.raw(count * sizeof(T));
    }
};

template <class T, class E>
struct InPlaceText {
    static constexpr bool value = true;
    using Element = E;
    static std::size_t bound(T const& text) { return text.size() + 16; }
    static std::span<std::byte const> read(Reader& reader) {
        return reader.raw(reader.read_count(1));
    }
};
template <>
struct InPlace<Bytes> : InPlaceText<Bytes, std::uint8_t> {};
template <>
struct InPlace<std::string> : InPlaceText<std::string, char> {};

}  // namespace detail

/// Elements that were received and lie where the sender wrote them; small ones lie here. A
/// contiguous range, so that a std::span can be made of it. They do not change, and
/// their memory is the queue's or pipe's again when this is destroyed.
///
/// Sharing: a value that can be moved, not copied; any thread may read and destroy it. A killed
///     process's views are freed by the others. A forked child may read it while the parent has it.
/// Python: none.
template <class T>
class View {
public:
    using value_type = T;

    View(View&& other) noexcept
        : copy_(std::move(other.copy_)),
          loan_(std::move(other.loan_)),
          elements_(std::exchange(other.elements_, {})) {}
    View& operator=(View&& other) noexcept {
        copy_ = std::move(other.copy_);
        loan_ = std::move(other.loan_);
        elements_ = std::exchange(other.elements_, {});
        return *this;
    }

    [[nodiscard]] T const* data() const noexcept { return elements_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return elements_.size(); }
    [[nodiscard]] bool empty() const noexcept { return elements_.empty(); }
    T const& operator[](std::size_t index) const noexcept { return elements_[index]; }
    auto begin() const noexcept { return elements_.begin(); }
    auto end() const noexcept { return elements_.end(); }

    /// For who receives: of a message, which is kept if its elements are read there, or of bytes.
    View(heap::Hand&& message, std::span<std::byte const> elements) {
        if (reinterpret_cast<std::uintptr_t>(elements.data()) % alignof(T) != 0) {
            copy(elements);
            return;
        }
        elements_ = {reinterpret_cast<T const*>(elements.data()), elements.size() / sizeof(T)};
        loan_ = heap::Loan(std::move(message));
    }
    explicit View(std::span<std::byte const> elements) { copy(elements); }

private:
    void copy(std::span<std::byte const> elements) {
        copy_.resize(elements.size() / sizeof(T));
        if (!elements.empty()) std::memcpy(copy_.data(), elements.data(), elements.size());
        elements_ = copy_;
    }

    std::vector<T> copy_;
    heap::Loan loan_;
    std::span<T const> elements_;
};

}  // namespace multiprocessing
