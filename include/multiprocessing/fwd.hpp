// SPDX-License-Identifier: MIT
// multiprocessing/fwd.hpp — the names of the public class templates, with their default arguments.
// Layer 0 (base). Mirrors no Python file.
#pragma once

namespace multiprocessing {

/// Python's "any object"; the default type of whatever travels. Defined in object.hpp.
class Object;

template <class T = Object>
class Queue;

template <class T = Object>
class JoinableQueue;

template <class T = Object>
class SimpleQueue;

template <class T = Object>
class Connection;

}  // namespace multiprocessing
