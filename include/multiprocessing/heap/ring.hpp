// SPDX-License-Identifier: MIT
// multiprocessing/heap/ring.hpp — placeholder until the ring lands
#pragma once
#include <multiprocessing/heap/ledger.hpp>
namespace multiprocessing::heap {
inline bool empty_ring(Ledger&, Ref) { return false; }
inline void recover_ring(Ledger&) {}
}
