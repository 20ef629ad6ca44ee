// SPDX-License-Identifier: MIT
// tests/odr/first.cpp — every header in two translation units: a missing inline fails to link.
#include "all_headers.hpp"

int second();

int main() { return second(); }
