// SPDX-License-Identifier: MIT
// multiprocessing/object.hpp — a value of any of Python's built-in types.
// Layer 3 (object). Mirrors Python's built-in types.
#pragma once

#include <multiprocessing/object/byte_array.hpp>
#include <multiprocessing/object/bytes.hpp>
#include <multiprocessing/object/compare.hpp>
#include <multiprocessing/object/convert.hpp>
#include <multiprocessing/object/convertible.hpp>
#include <multiprocessing/object/dict.hpp>
#include <multiprocessing/object/global.hpp>
#include <multiprocessing/object/globals.hpp>
#include <multiprocessing/object/handle.hpp>
#include <multiprocessing/object/hash.hpp>
#include <multiprocessing/object/integer.hpp>
#include <multiprocessing/object/item.hpp>
#include <multiprocessing/object/joined.hpp>
#include <multiprocessing/object/kind.hpp>
#include <multiprocessing/object/list.hpp>
#include <multiprocessing/object/node.hpp>
#include <multiprocessing/object/nodes.hpp>
#include <multiprocessing/object/object.hpp>
#include <multiprocessing/object/pickle.hpp>
#include <multiprocessing/object/printable.hpp>
#include <multiprocessing/object/real_text.hpp>
#include <multiprocessing/object/rings.hpp>
#include <multiprocessing/object/set.hpp>
#include <multiprocessing/object/table.hpp>
#include <multiprocessing/object/text.hpp>
#include <multiprocessing/object/tuple.hpp>
