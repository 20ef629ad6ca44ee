// SPDX-License-Identifier: MIT
// multiprocessing/reduction/item.hpp — a value as an item of a ring, and back.
// Layer 3 (pickling). Mirrors ForkingPickler.dumps and loads of Lib/multiprocessing/reduction.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/ring.hpp>
#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction/message.hpp>
#include <multiprocessing/reduction/view.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

namespace multiprocessing::detail {

/// Copied as it is, into the ring's slot and out of it.
template <class T>
inline constexpr bool lies_inline =
    is_bytewise<T>&& std::is_trivially_copyable_v<T> && sizeof(T) <= heap::inline_bytes;

/// Copies such an item. False when it is of another size.
template <class T>
bool copy_inline(heap::RingItem const& item, std::byte* to) {
    auto const bytes = item.bytes();
    if (bytes.size() != sizeof(T)) return false;
    std::memcpy(to, bytes.data(), sizeof(T));
    return true;
}

/// Calls `put` with what heap::Ring::put takes for a value: (size, write), the bytes, or a Hand
/// with a message; returns what it returns.
/// Errors: what pickling throws, before `put` is called; MemoryError.
template <class T, class Put>
bool put_item(T const& value, Put put) {
    if constexpr (lies_inline<T>) {
        return put(sizeof(T), [&](std::byte* to) {
            std::memcpy(to, std::addressof(value), sizeof(T));
        });
    } else {
        HeapCourier courier;
        if constexpr (InPlace<T>::value) {
            // Written where it is read, without a copy between.
            if (auto const bound = InPlace<T>::bound(value); bound > 1024) {
                auto message = heap::new_message(0, bound);
                Writer writer(std::span(message.body(), bound), &courier);
                writer.write(value);
                message.header().size = writer.size();
                return put(message);
            }
        }
        std::array<std::byte, 1024> room;  // written before it is read
        Writer writer(room, &courier);
        writer.write(value);
        if (writer.size() <= heap::inline_bytes && courier.handles().empty())
            return put(writer.bytes());
        auto message = to_message(writer, courier);
        return put(message);
    }
}

/// Takes an item out of a ring, to be looked at after the slot is free: unpickling runs the user's
/// code. The visit of Ring::get; for one item.
class TakenItem {
public:
    TakenItem() = default;
    TakenItem(TakenItem const&) = delete;
    TakenItem& operator=(TakenItem const&) = delete;

    void operator()(heap::RingItem& item) {
        if (item.is_message()) {
            message_ = item.take();
        } else {
            size_ = item.bytes().size();
            std::copy(item.bytes().begin(), item.bytes().end(), room_.begin());
        }
    }

    /// What was put as bytes, or what a value was pickled to.
    std::span<std::byte const> bytes() const {
        if (message_) return {message_.body(), static_cast<std::size_t>(message_.header().size)};
        return {room_.data(), size_};
    }

    /// Errors: UnpicklingError; MemoryError. The item is taken then, too.
    template <class T>
    View<typename InPlace<T>::Element> view() {
        if (message_) {
            MessageReader reader(message_.header());
            auto const elements = InPlace<T>::read(reader.reader());
            return {std::move(message_), elements};
        }
        Reader reader(bytes(), Origin::tree);
        return View<typename InPlace<T>::Element>(InPlace<T>::read(reader));
    }
    /// What was put as bytes.
    View<std::byte> bytes_view() {
        if (message_) return {std::move(message_), bytes()};
        return View<std::byte>(bytes());
    }

    /// Errors: UnpicklingError.
    template <class T>
    T value() {
        if (message_) {
            MessageReader reader(message_.header());
            return reader.reader().template read<T>();
        }
        Reader reader(bytes(), Origin::tree);
        return reader.read<T>();
    }

private:
    std::array<std::byte, heap::inline_bytes> room_;  // written before it is read
    std::size_t size_ = 0;
    heap::Hand message_;
};

/// Gets a value with `get(visit)`, which tells whether there was an item; calls `none`, which
/// throws, if there was none.
/// Errors: UnpicklingError, and then the item is gone.
template <class T, class Get, class None>
T get_item(Get get, None none) {
    if constexpr (lies_inline<T>) {
        std::array<std::byte, sizeof(T)> bytes;
        bool fits = false;
        if (!get([&](heap::RingItem& item) { fits = copy_inline<T>(item, bytes.data()); })) none();
        if (!fits) [[unlikely]]
            throw UnpicklingError("the message is not of the size of the type it is read as");
        return std::bit_cast<T>(bytes);
    } else {
        TakenItem item;
        if (!get(item)) none();
        return item.template value<T>();
    }
}

}  // namespace multiprocessing::detail
