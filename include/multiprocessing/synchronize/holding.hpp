// SPDX-License-Identifier: MIT
// multiprocessing/synchronize/holding.hpp — what a process has, as a word that can be swept.
// Layer 2 (synchronization). Mirrors no Python file.
#pragma once

#include <multiprocessing/heap/slots.hpp>

#include <cstdint>

namespace multiprocessing::detail {

/// more:24 | the process's stamp:36 | what:4. What a count would only add up has a word each, which
/// says whose it is, so that anyone who finds the process dead may put it right by one
/// compare-and-swap. A dead process's stamp never comes back, so such a swap may come late.
class Holding {
public:
    constexpr explicit Holding(std::uint64_t bits) : bits_(bits) {}

    /// The calling process's.
    static Holding mine(std::uint64_t what, std::uint64_t more = 0) {
        return Holding{more << 40 | heap::my_stamp().bits() << 4 | what};
    }

    constexpr std::uint64_t bits() const { return bits_; }
    constexpr std::uint64_t what() const { return bits_ & 15; }
    constexpr std::uint64_t more() const { return bits_ >> 40; }
    constexpr Holding as(std::uint64_t what) const { return Holding{(bits_ & ~15ull) | what}; }
    constexpr heap::SlotStamp stamp() const {
        return heap::SlotStamp::from(bits_ >> 4 & 0xf'ffff'ffff);
    }

    bool is_mine() const { return stamp() == heap::my_stamp(); }

    /// Whether shared memory alone tells that the process is no more.
    bool known_to_have_ended() const { return !heap::is_current(stamp()); }
    /// Whether it is no more; asks the system.
    bool ended() const { return !is_mine() && heap::is_dead(stamp()); }

private:
    std::uint64_t bits_;
};

}  // namespace multiprocessing::detail
