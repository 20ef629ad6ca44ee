// SPDX-License-Identifier: MIT
// multiprocessing/reduction.hpp — functions, calls and exceptions for other processes.
// Layer 3 (pickling). Mirrors Lib/multiprocessing/reduction.py.
#pragma once

#include <multiprocessing/reduction/callable.hpp>
#include <multiprocessing/reduction/descriptor.hpp>
#include <multiprocessing/reduction/exception.hpp>
#include <multiprocessing/reduction/map.hpp>
#include <multiprocessing/reduction/member_pointer.hpp>
#include <multiprocessing/reduction/partial.hpp>
#include <multiprocessing/reduction/place.hpp>
#include <multiprocessing/reduction/task.hpp>
