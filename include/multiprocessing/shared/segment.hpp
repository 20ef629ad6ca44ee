// SPDX-License-Identifier: MIT
// multiprocessing/shared/segment.hpp — a named segment of containers that no kill can tear.
// Layer 4 (shared state). Mirrors no Python file.
//
// The memory holds a header and two images, each a whole heap of containers whose pointers are
// offsets. Under the lock, a change
//   1. copies the current image over the other one,
//   2. changes the other one,
//   3. makes it the current one, by one word.
// Killed before 3: the next one finds the image as it was before. After 3: as it was meant to be.
// An exception in 2 is a change that never was. Readers see an image only under the lock.
#pragma once

#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/named_mutex.hpp>
#include <multiprocessing/shared/root.hpp>
#include <multiprocessing/shared_memory/shared_memory.hpp>
#include <multiprocessing/timeout.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace multiprocessing::shared {

/// A segment of memory under a name, with containers in it that all programs see that open it.
///
///     shared::Segment segment({.name = "words", .create = true, .size = 1 << 20});
///     segment.update([](shared::Root& root) {
///         ++root.make<shared::map<shared::string, int>>("count")["apple"];
///     });
///     int n = segment.read([](shared::Root const& root) { ... return ...; });
///
/// A change is a transaction: whoever is killed in the middle of update(), and whatever throws out
/// of it, leaves the segment as it was before. A change costs a copy of the segment, so make few
/// and large ones, and the segment no larger than it need be.
/// Sharing: a handle; copies name the same mapping, any thread may use them. One caller at a time,
///     of all threads and programs, is inside update() or read().
/// Lifetime: as that of a SharedMemory; the name lives until unlink().
/// Python: none.
class Segment {
public:
    /// `size`: for the containers, in bytes; the segment takes twice that.
    /// Errors: as SharedMemory; ValueError for a size below 4096; RuntimeError when it is none, or
    /// not ready (its maker is at it, or was killed then: unlink the name).
    explicit Segment(shared_memory::SharedMemoryOptions options)
        : memory_(options.create ? make(std::move(options))
                                 : shared_memory::SharedMemory(std::move(options))),
          mutex_(std::make_shared<platform::NamedMutex>(header().mutex, memory_.name())) {
        if (memory_.size() < sizeof(Header) || header().magic.load() != Header::ready ||
            memory_.size() < memory_bytes(header().image_bytes))
            throw RuntimeError(fmt::format(
                "shared memory '{}' holds no segment of this library, or one not ready yet",
                memory_.name()));
    }

    /// Calls the function with the segment's Root, to change it; returns what the function returns,
    /// which must not point into the segment.
    /// Blocks: while another one is in update() or read(); a dead one is noticed at once.
    /// Errors: TimeoutError; MemoryError when the segment is full; RuntimeError within another call
    /// of the same thread; what the function throws. Nothing has changed then.
    template <class F>
    auto update(F&& function, Timeout timeout = {}) const {
        Locked const locked(*this, timeout);
        auto const current = header().current.load(std::memory_order_relaxed);
        std::memcpy(image(1 - current), image(current), header().image_bytes);
        auto const commit = [&] {
            header().current.store(1 - current, std::memory_order_release);
        };
        detail::Image changed = open(1 - current);
        Root root(changed);
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<F, Root&>>) {
                std::invoke(std::forward<F>(function), root);
                commit();
            } else {
                auto result = std::invoke(std::forward<F>(function), root);
                commit();
                return result;
            }
        } catch (boost::interprocess::bad_alloc const&) {
            throw MemoryError(fmt::format("segment '{}' is full: {} of {} bytes are free",
                                          memory_.name(), open(current).get_free_memory(),
                                          header().image_bytes));
        }
    }

    /// As update(), but only to read: cheap, and nothing is copied.
    template <class F>
    auto read(F&& function, Timeout timeout = {}) const {
        Locked const locked(*this, timeout);
        detail::Image current = open(header().current.load(std::memory_order_relaxed));
        Root const root(current);
        return std::invoke(std::forward<F>(function), root);
    }

    /// How often it was taken over from one that ended inside update() or read().
    [[nodiscard]] std::uint64_t abandoned() const { return header().abandoned.load(); }

    [[nodiscard]] std::string const& name() const noexcept { return memory_.name(); }
    /// For the containers, in bytes.
    [[nodiscard]] std::size_t size() const { return header().image_bytes; }

    /// Takes the name away, once for all programs. Errors: FileNotFoundError.
    void unlink() const { memory_.unlink(); }

    [[nodiscard]] std::string repr() const {
        return fmt::format("Segment('{}', size={})", name(), size());
    }

private:
    friend struct multiprocessing::pickle<Segment>;

    struct alignas(4096) Header {
        static constexpr std::uint64_t ready = 0x6d70'7365'676d'6e31;
        std::atomic<std::uint64_t> magic;  // written last
        std::uint64_t image_bytes;
        std::atomic<std::uint64_t> current;  // 0 or 1
        std::atomic<std::uint64_t> abandoned;
        alignas(64) std::byte mutex[64];
    };
    static_assert(platform::NamedMutex::mutex_bytes <= sizeof(Header::mutex));

    class Locked {
    public:
        Locked(Segment const& segment, Timeout timeout) : mutex_(*segment.mutex_) {
            auto const taken = mutex_.lock(timeout.ns());
            if (taken == platform::MutexTaken::no)
                throw TimeoutError("segment '" + segment.name() + "' is in use");
            if (taken == platform::MutexTaken::from_dead) segment.header().abandoned.fetch_add(1);
        }
        Locked(Locked const&) = delete;
        Locked& operator=(Locked const&) = delete;
        ~Locked() { mutex_.unlock(); }

    private:
        platform::NamedMutex& mutex_;
    };

    static constexpr std::size_t memory_bytes(std::size_t image_bytes) {
        return sizeof(Header) + 2 * image_bytes;
    }

    static shared_memory::SharedMemory make(shared_memory::SharedMemoryOptions options) {
        if (options.size < 4096) throw ValueError("a segment has at least 4096 bytes");
        auto const bytes = (static_cast<std::size_t>(options.size) + 4095) / 4096 * 4096;
        options.size = static_cast<std::int64_t>(memory_bytes(bytes));
        shared_memory::SharedMemory memory(std::move(options));
        auto& header = *reinterpret_cast<Header*>(memory.buf().data());
        header.image_bytes = bytes;
        platform::NamedMutex::prepare(header.mutex);
        detail::Image const empty(boost::interprocess::create_only,
                                  memory.buf().data() + sizeof(Header), bytes);
        header.magic.store(Header::ready, std::memory_order_release);
        return memory;
    }

    Header& header() const { return *reinterpret_cast<Header*>(memory_.buf().data()); }
    std::byte* image(std::uint64_t which) const {
        return memory_.buf().data() + sizeof(Header) + which * header().image_bytes;
    }
    detail::Image open(std::uint64_t which) const {
        return {boost::interprocess::open_only, image(which), header().image_bytes};
    }

    shared_memory::SharedMemory memory_;
    std::shared_ptr<platform::NamedMutex> mutex_;
};

}  // namespace multiprocessing::shared

/// By its name.
template <>
struct multiprocessing::pickle<multiprocessing::shared::Segment> {
    using Segment = shared::Segment;
    static void dump(Writer& writer, Segment const& segment) { writer.write(segment.name()); }
    static Segment load(Reader& reader) {
        return Segment({.name = reader.read<std::string>()});
    }
};

template <>
struct fmt::formatter<multiprocessing::shared::Segment> : multiprocessing::detail::ReprFormatter {};
