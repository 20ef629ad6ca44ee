// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/anchor.hpp — a named private mapping.
// Layer 1 (platform). Implements platform/anchor.hpp.
#pragma once

#include <multiprocessing/config.hpp>
#include <multiprocessing/errors.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/parking.hpp>
#include <multiprocessing/version.hpp>

#include <atomic>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The leak sanitizer's, where the program is built with it; it does not look into mappings by
// itself.
extern "C" [[gnu::weak]] void __lsan_register_root_region(void const* begin, std::size_t bytes);

namespace multiprocessing::platform::inline posix {

namespace detail {

// The front of the block. Other versions of the library read it too: it does not change.
struct AnchorHead {
    std::uint64_t magic;
    std::uint64_t layout_hash;
    std::uint64_t bytes;
    char version[32];
    // 0 fresh, 1 ready, else the number of the process that constructs it, times 4.
    std::atomic<std::uint32_t> phase;
};

static_assert(sizeof(AnchorHead) == 64 && offsetof(AnchorHead, phase) == 56);

inline constexpr std::uint64_t anchor_magic = 0x726f68636e612d6d;  // "m-anchor"
inline constexpr std::uint32_t anchor_fresh = 0;
inline constexpr std::uint32_t anchor_ready = 1;

// The start of the mapping that a line of /proc/self/maps tells of, if it is the anchor `name`.
inline AnchorHead* anchor_in_line(std::string_view line, std::string_view name) noexcept {
    constexpr std::string_view mark = " /memfd:";
    std::size_t const file = line.find(mark);
    std::size_t const blank = line.find(' ');
    if (file == line.npos || line.substr(blank, 6) != " rw-p ") {
        return nullptr;
    }
    std::string_view const found = line.substr(file + mark.size());
    if (!found.starts_with(name) || !(found.size() == name.size() || found[name.size()] == ' ')) {
        return nullptr;
    }
    std::uintptr_t start = 0;
    std::from_chars(line.data(), line.data() + blank, start, 16);
    auto* const head = reinterpret_cast<AnchorHead*>(start);
    // Acquire: pairs with the release in make_anchor.
    bool const made = std::atomic_ref(head->magic).load(std::memory_order_acquire) == anchor_magic;
    return made ? head : nullptr;
}

inline AnchorHead* find_anchor(native_handle maps, std::string_view name) noexcept {
    AnchorHead* found = nullptr;
    char buffer[8192];
    std::size_t kept = 0;  // the front of a line whose rest is still to come
    while (found == nullptr) {
        ssize_t const got = ::read(maps, buffer + kept, sizeof buffer - kept);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        std::string_view text(buffer, kept + static_cast<std::size_t>(got));
        for (std::size_t end = 0; found == nullptr && (end = text.find('\n')) != text.npos;) {
            found = anchor_in_line(text.substr(0, end), name);
            text.remove_prefix(end + 1);
        }
        kept = text.size() < sizeof buffer ? text.size() : 0;
        std::memmove(buffer, text.data(), kept);
    }
    return found;
}

// Returns null with errno set if the system refuses.
inline AnchorHead* make_anchor(char const* name, std::size_t bytes,
                               std::uint64_t layout_hash) noexcept {
    std::size_t const whole = sizeof(AnchorHead) + bytes;
    constexpr unsigned close_on_exec = 1;
    Handle const file =
        own_descriptor(static_cast<int>(::syscall(SYS_memfd_create, name, close_on_exec)));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(whole)) != 0) {
        return nullptr;
    }
    // Private: written pages belong to this process, and a fork copies them.
    void* const address =
        ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) {
        return nullptr;
    }
    if (&::__lsan_register_root_region != nullptr) {
        ::__lsan_register_root_region(address, whole);
    }
    auto* const head = ::new (address) AnchorHead{};
    head->layout_hash = layout_hash;
    head->bytes = bytes;
    std::memcpy(head->version, MULTIPROCESSING_VERSION_STRING,
                sizeof MULTIPROCESSING_VERSION_STRING);
    // Release: a fork from another thread must not copy the mark before what it stands for.
    std::atomic_ref(head->magic).store(anchor_magic, std::memory_order_release);
    return head;
}

// Finds the anchor or makes it, while no other module of the process does.
inline AnchorHead& find_or_make_anchor(char const* name, std::size_t bytes,
                                       std::uint64_t layout_hash) {
    // What modules share without knowing each other is the process. A flock of one of its files in
    // /proc keeps other openers out, and nobody of another process. Explicitly unlocked, since a
    // child forked just now has the descriptor too; the child itself has another such file.
    Handle const maps = own_descriptor(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
    AnchorHead* head = nullptr;
    if (maps) {
        while (::flock(maps.get(), LOCK_EX) != 0 && errno == EINTR) {}
        head = find_anchor(maps.get(), name);
    }
    if (head == nullptr) {
        head = make_anchor(name, bytes, layout_hash);
    }
    int const error = errno;
    if (maps) {
        ::flock(maps.get(), LOCK_UN);
    }
    if (head == nullptr) {
        throw_system_error(error, "memfd_create", name);
    }
    return *head;
}

// Runs `construct`, or waits for the thread that does.
inline void construct_anchor(AnchorHead& head, void (*construct)(void*)) {
    std::uint32_t const mine = static_cast<std::uint32_t>(::getpid()) << 2;
    void* const body = &head + 1;
    for (;;) {
        // Acquire: who finds it ready sees all that `construct` wrote.
        std::uint32_t phase = head.phase.load(std::memory_order_acquire);
        if (phase == anchor_ready) {
            return;
        }
        if (phase == mine) {
            park(head.phase, phase, liveness_interval_ns);
            continue;
        }
        // Fresh, or copied by a fork in the middle of it from a thread that does not exist here.
        if (!head.phase.compare_exchange_strong(phase, mine, std::memory_order_acquire)) {
            continue;
        }
        std::memset(body, 0, head.bytes);
        try {
            construct(body);
        } catch (...) {
            head.phase.store(anchor_fresh, std::memory_order_release);
            unpark_all(head.phase);
            throw;
        }
        // Release: publishes the block.
        head.phase.store(anchor_ready, std::memory_order_release);
        unpark_all(head.phase);
        return;
    }
}

inline void* enter_anchor(AnchorHead& head, std::size_t bytes, std::uint64_t layout_hash,
                          void (*construct)(void*)) {
    if (head.layout_hash != layout_hash || head.bytes != bytes) {
        throw RuntimeError(fmt::format(
            "this process already uses multiprocessing {} with the layout {:x}, and cannot use {} "
            "with the layout {:x} beside it: build the program and its plugins alike",
            head.version, head.layout_hash, MULTIPROCESSING_VERSION_STRING, layout_hash));
    }
    construct_anchor(head, construct);
    return &head + 1;
}

}  // namespace detail

inline void* named_anchor(char const* name, std::size_t bytes, std::uint64_t layout_hash,
                          void (*construct)(void*)) {
    detail::AnchorHead& head = detail::find_or_make_anchor(name, bytes, layout_hash);
    return detail::enter_anchor(head, bytes, layout_hash, construct);
}

inline void* process_anchor(std::size_t bytes, std::uint64_t layout_hash,
                            void (*construct)(void*)) {
    // Per module. No local static with a guard: a fork could leave it locked in the child.
    static constinit std::atomic<detail::AnchorHead*> cache{nullptr};
    detail::AnchorHead* head = cache.load(std::memory_order_acquire);
    if (head == nullptr) {
        head = &detail::find_or_make_anchor("multiprocessing-anchor", bytes, layout_hash);
        cache.store(head, std::memory_order_release);
    }
    return detail::enter_anchor(*head, bytes, layout_hash, construct);
}

}  // namespace multiprocessing::platform::inline posix
