// SPDX-License-Identifier: MIT
// multiprocessing/pickle/writer.hpp — where values are written: a growing buffer of bytes.
// Layer 3 (pickling). Mirrors pickle.Pickler.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/pickle/concepts.hpp>
#include <multiprocessing/pickle/diagnose.hpp>
#include <multiprocessing/pickle/fwd.hpp>
#include <multiprocessing/pickle/handles.hpp>
#include <multiprocessing/pickle/identity.hpp>
#include <multiprocessing/pickle/pickled.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace multiprocessing {

/// Values may lie so deep inside each other; Python's recursion limit is the same.
inline constexpr std::uint32_t pickle_depth_limit = 1000;

/// Writes values one after the other; `pickle<T>::dump` gets one.
///
/// Shape: native byte order, no padding between values, sizes as 1 to 10 bytes.
/// Sharing: one thread at a time.
/// Python: `pickle.Pickler`.
class Writer {
public:
    /// With a sink the message stays in the process tree and may carry handles of shared objects.
    explicit Writer(HandleSink* sink = nullptr) noexcept : sink_(sink) {}

    /// Writes into `room`, which outlives the Writer, and into memory of its own if that is too
    /// small.
    explicit Writer(std::span<std::byte> room, HandleSink* sink = nullptr) noexcept
        : begin_(room.data()), at_(begin_), end_(begin_ + room.size()), sink_(sink) {}

    Writer(Writer const&) = delete;
    Writer& operator=(Writer const&) = delete;
    ~Writer() {
        if (owned_) {
            std::free(begin_);
        }
    }

    /// Writes any picklable value.
    template <class T>
    void write(T const& value);

    /// Writes bytes as they are.
    void raw(void const* data, std::size_t bytes) {
        if (bytes != 0) {
            std::memcpy(claim(bytes), data, bytes);
        }
    }
    void raw(std::span<std::byte const> bytes) { raw(bytes.data(), bytes.size()); }

    /// Writes a number in as few bytes as it needs: 7 bits in each, lowest first.
    void write_size(std::uint64_t number) {
        if (number < 0x80) {
            *claim(1) = static_cast<std::byte>(number);
            return;
        }
        write_long_size(number);
    }

    /// Room for so many bytes at the end, which the caller fills.
    [[nodiscard]] std::byte* claim(std::size_t bytes) {
        if (static_cast<std::size_t>(end_ - at_) < bytes) [[unlikely]] {
            grow(bytes);
        }
        return std::exchange(at_, at_ + bytes);
    }

    /// Writes a reference to an object of the shared heap; the message keeps the object alive.
    /// Errors: `PicklingError` where the bytes may leave the process tree.
    void handle(heap::Shared const& object) {
        if (sink_ == nullptr) {
            throw PicklingError("a shared object (queue, lock, value ...) can only be sent to "
                                "processes of the same tree, not pickled to plain bytes");
        }
        write_size(sink_->add(object));
    }

    /// Whether the bytes stay in this process tree.
    [[nodiscard]] bool in_tree() const noexcept { return sink_ != nullptr; }

    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(at_ - begin_);
    }
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return {begin_, size()}; }

    /// Whether the room that the constructor got is still all that is used.
    [[nodiscard]] bool fits_room() const noexcept { return !owned_; }

    /// Forgets what was written and keeps the memory.
    void clear() noexcept {
        at_ = begin_;
        shared_.reset();
    }

    /// Gives the bytes away; the Writer is empty afterwards.
    [[nodiscard]] Pickled take() {
        if (!owned_) {
            grow(0);
        }
        Pickled result(begin_, size());
        begin_ = at_ = end_ = nullptr;
        owned_ = false;
        shared_.reset();
        return result;
    }

    /// Counts one level of nesting for as long as the result lives.
    /// Errors: `PicklingError` beyond `pickle_depth_limit` levels.
    [[nodiscard]] auto nested() {
        struct Level {
            Writer& writer;
            explicit Level(Writer& w) : writer(w) {}
            Level(Level const&) = delete;
            Level& operator=(Level const&) = delete;
            ~Level() { --writer.depth_; }
        };
        if (depth_ >= pickle_depth_limit) {
            throw PicklingError("the value is nested too deeply to be pickled (1000 levels)");
        }
        ++depth_;
        return Level(*this);
    }

    /// The objects written by shared_ptr so far.
    [[nodiscard]] detail::SharedWritten& shared_written() {
        if (!shared_) {
            shared_ = std::make_unique<detail::SharedWritten>();
        }
        return *shared_;
    }

private:
    void grow(std::size_t bytes);
    void write_long_size(std::uint64_t number);

    std::byte* begin_ = nullptr;
    std::byte* at_ = nullptr;
    std::byte* end_ = nullptr;
    HandleSink* sink_ = nullptr;
    std::unique_ptr<detail::SharedWritten> shared_;
    std::uint32_t depth_ = 0;
    bool owned_ = false;
};

namespace detail {

template <class T>
void put_bytes(Writer& writer, T const* first, std::size_t count);

/// Writes a value without asking again whether it can be written.
template <class T>
inline void put(Writer& writer, T const& value) {
    if constexpr (std::is_array_v<T>) {
        if constexpr (is_bytewise<T>) {
            put_bytes(writer, std::addressof(value), 1);
        } else {
            for (auto const& element : value) {
                put(writer, element);
            }
        }
    } else if constexpr (nests<T>) {
        auto const level = writer.nested();
        pickle<T>::dump(writer, value);
    } else {
        pickle<T>::dump(writer, value);
    }
}

}  // namespace detail

template <class T>
void Writer::write(T const& value) {
    if constexpr (Picklable<T>) {
        detail::put(*this, value);
    } else {
        detail::diagnose<T>();
    }
}

// Doubling by realloc: nothing is set to zero, and large blocks are moved by page tables.
[[gnu::noinline]] inline void Writer::grow(std::size_t bytes) {
    std::size_t const used = size();
    std::size_t const had = static_cast<std::size_t>(end_ - begin_);
    std::size_t const least = had < 128 ? 256 : had * 2;
    std::size_t const capacity = used + bytes < least ? least : used + bytes;
    auto* const memory =
        bytes > PTRDIFF_MAX
            ? nullptr
            : static_cast<std::byte*>(std::realloc(owned_ ? begin_ : nullptr, capacity));
    if (memory == nullptr) {
        throw MemoryError("no memory left for " + std::to_string(bytes) +
                          " more bytes of a pickle");
    }
    if (!owned_ && used != 0) {
        std::memcpy(memory, begin_, used);
    }
    begin_ = memory;
    at_ = memory + used;
    end_ = memory + capacity;
    owned_ = true;
}

[[gnu::noinline]] inline void Writer::write_long_size(std::uint64_t number) {
    while (number >= 0x80) {
        *claim(1) = static_cast<std::byte>((number & 0x7f) | 0x80);
        number >>= 7;
    }
    *claim(1) = static_cast<std::byte>(number);
}

}  // namespace multiprocessing
