// SPDX-License-Identifier: MIT
// multiprocessing/object/python_pickle/memo.hpp — what a pickle has numbered, to be named again.
// Layer 3 (object). Mirrors Unpickler.memo of Lib/pickle.py.
#pragma once

#include <multiprocessing/object/object.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace multiprocessing::detail {

/// Numbers come in a row as a rule, but a pickle may use any.
class PickleMemo {
public:
    void put(std::uint64_t index, Object object) {
        if (index < row_.size()) {
            row_[static_cast<std::size_t>(index)] = std::move(object);
        } else if (index == row_.size()) {
            if (!others_.empty()) others_.erase(index);
            row_.push_back(std::move(object));
        } else {
            others_.insert_or_assign(index, std::move(object));
        }
    }

    /// As many as there are is the next number.
    void append(Object object) { put(row_.size() + others_.size(), std::move(object)); }

    /// Null if there is none.
    Object const* find(std::uint64_t index) const {
        if (index < row_.size()) return &row_[static_cast<std::size_t>(index)];
        auto const found = others_.find(index);
        return found == others_.end() ? nullptr : &found->second;
    }

private:
    std::vector<Object> row_;
    std::map<std::uint64_t, Object> others_;  // ordered: no hash that a peer could flood
};

}  // namespace multiprocessing::detail
