// SPDX-License-Identifier: MIT
// multiprocessing/reduction/message.hpp — a pickled value as a message of the shared heap.
// Layer 3 (pickling). Mirrors the courier in Lib/multiprocessing/reduction.py.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/heap/hand.hpp>
#include <multiprocessing/heap/shared.hpp>
#include <multiprocessing/pickle/handles.hpp>
#include <multiprocessing/pickle/reader.hpp>
#include <multiprocessing/pickle/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace multiprocessing {

/// Collects the shared objects that a value names while it is pickled for the own process tree.
class HeapCourier final : public HandleSink {
public:
    std::uint32_t add(heap::Shared const& object) override {
        auto const found = std::find(handles_.begin(), handles_.end(), object);
        if (found == handles_.end()) {
            handles_.push_back(object);
            return static_cast<std::uint32_t>(handles_.size() - 1);
        }
        return static_cast<std::uint32_t>(found - handles_.begin());
    }
    std::span<heap::Shared const> handles() const noexcept { return handles_; }

private:
    std::vector<heap::Shared> handles_;
};

/// Bytes and handles as a message that keeps the handles' objects alive.
/// Errors: MemoryError.
inline heap::Hand to_message(std::span<std::byte const> bytes,
                             std::span<heap::Shared const> handles = {}) {
    auto message = heap::new_message(static_cast<std::uint32_t>(handles.size()), bytes.size());
    if (!bytes.empty()) std::memcpy(message.body(), bytes.data(), bytes.size());
    std::uint32_t at = 0;
    for (auto const& handle : handles) heap::link(message.header(), at++, handle);
    return message;
}

/// What a Writer wrote that has the courier for its sink.
inline heap::Hand to_message(Writer const& writer, HeapCourier const& courier) {
    return to_message(writer.bytes(), courier.handles());
}

/// Gives back the shared objects that a message carries. The caller holds the message.
class MessageHandles final : public HandleSource {
public:
    explicit MessageHandles(heap::Header& message) : message_(message) {}

    [[nodiscard]] std::uint32_t count() const override { return message_.links; }

    void get(std::uint32_t place, heap::Shared& object) override {
        try {
            object = heap::Shared::adopt(message_.link(place).load(std::memory_order_acquire));
        } catch (ValueError const& error) {
            throw UnpicklingError(error.what());
        }
    }

private:
    heap::Header& message_;
};

/// Reads a message of the own process tree in place. The caller holds the message meanwhile.
class MessageReader {
public:
    explicit MessageReader(heap::Header& message)
        : handles_(message),
          reader_({message.body(), static_cast<std::size_t>(message.size)}, Origin::tree,
                  &handles_) {}

    Reader& reader() noexcept { return reader_; }

private:
    MessageHandles handles_;
    Reader reader_;
};

}  // namespace multiprocessing
