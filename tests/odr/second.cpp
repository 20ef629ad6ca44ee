// SPDX-License-Identifier: MIT
// tests/odr/second.cpp — the other half of first.cpp.
#include "all_headers.hpp"

int second();

int second() { return 0; }
