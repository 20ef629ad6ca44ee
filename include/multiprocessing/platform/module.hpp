// SPDX-License-Identifier: MIT
// multiprocessing/platform/module.hpp — what is known of one loaded executable or library.
// Layer 1 (platform). Mirrors nothing in Python.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace multiprocessing::platform {

/// Says that two modules, in two processes, are the same build. Never zero.
enum class Fingerprint : std::uint64_t {};

/// Addresses [begin, end).
struct AddressRange {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;

    bool contains(std::uintptr_t address, std::size_t bytes = 1) const noexcept {
        return address >= begin && address < end && bytes <= end - address;
    }
};

/// One loaded executable or library. A record is never changed or freed, so that a pointer to it
/// may be kept; what it describes may have been unloaded in the meantime.
struct Module {
    std::uintptr_t base = 0;  // load address minus link-time address
    std::string path;         // where another process finds it; absolute where the system tells
    bool is_main = false;
    std::vector<AddressRange> code;  // may be executed
    std::vector<AddressRange> data;  // may be written
    AddressRange sealed;             // inside data, but read-only after relocation
    void const* headers = nullptr;   // of the system's format; identifies the record
    mutable std::atomic<Fingerprint> fingerprint{};  // zero until asked for; see fingerprint_of

    bool in_code(std::uintptr_t address) const noexcept { return any(code, address, 1); }
    bool in_data(std::uintptr_t address, std::size_t bytes) const noexcept {
        return any(data, address, bytes) &&
               (address >= sealed.end || address + bytes <= sealed.begin);
    }
    bool contains(std::uintptr_t address) const noexcept {
        return in_code(address) || any(data, address, 1);
    }

private:
    static bool any(std::vector<AddressRange> const& ranges, std::uintptr_t address,
                    std::size_t bytes) noexcept {
        for (AddressRange const& range : ranges)
            if (range.contains(address, bytes)) return true;
        return false;
    }
};

}  // namespace multiprocessing::platform
