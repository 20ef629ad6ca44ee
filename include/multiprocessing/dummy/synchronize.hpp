// SPDX-License-Identifier: MIT
// multiprocessing/dummy/synchronize.hpp — the primitives between threads: the same as between
// processes.
// Layer 5 (process). Mirrors the imports of Lib/multiprocessing/dummy/__init__.py.
#pragma once

#include <multiprocessing/synchronize.hpp>

namespace multiprocessing::dummy {

using multiprocessing::Barrier;
using multiprocessing::BoundedSemaphore;
using multiprocessing::Condition;
using multiprocessing::Event;
using multiprocessing::Lock;
using multiprocessing::RLock;
using multiprocessing::Semaphore;

}  // namespace multiprocessing::dummy
