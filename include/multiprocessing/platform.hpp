// SPDX-License-Identifier: MIT
// multiprocessing/platform.hpp — all of the seam between the library and the operating system.
// Layer 1 (platform). Mirrors what CPython takes from `os`, `time` and Modules/_multiprocessing.
#pragma once

#include <multiprocessing/platform/anchor.hpp>
#include <multiprocessing/platform/background.hpp>
#include <multiprocessing/platform/clock.hpp>
#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/error.hpp>
#include <multiprocessing/platform/exit.hpp>
#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/image.hpp>
#include <multiprocessing/platform/lifeline.hpp>
#include <multiprocessing/platform/liveness.hpp>
#include <multiprocessing/platform/memory.hpp>
#include <multiprocessing/platform/module.hpp>
#include <multiprocessing/platform/park_any.hpp>
#include <multiprocessing/platform/parking.hpp>
#include <multiprocessing/platform/poll.hpp>
#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/serving.hpp>
#include <multiprocessing/platform/stream.hpp>
#include <multiprocessing/platform/system.hpp>
#include <multiprocessing/platform/thread.hpp>
#include <multiprocessing/platform/types.hpp>
