// SPDX-License-Identifier: MIT
// tests/reduction/module_functions.hpp — the body of the linked library and of the plugin.
#pragma once

#include "reduction/modules.hpp"

#include <multiprocessing/pickle.hpp>
#include <multiprocessing/reduction.hpp>

namespace {

namespace mp = multiprocessing;

int twice(int x) { return 2 * x; }
int also_twice(int x) { return 2 * x; }

test::ModuleFunctions const functions{
    &twice,
    &also_twice,
    [](mp::Writer& out) {
        mp::reduction::dump_task(out, [](int a, int b) { return a * b; }, 7, 6);
    },
    [](mp::Writer& out) { out.write(mp::partial(twice, 4)); },
    [](mp::Writer& out) { out.write(&twice); },
    [](mp::Writer& out) {
        mp::reduction::dump_task(out, []() -> int { throw mp::ValueError("from afar"); });
    },
    [](mp::Reader& in, int x) { return in.read<int (*)(int)>()(x); },
};

}  // namespace
