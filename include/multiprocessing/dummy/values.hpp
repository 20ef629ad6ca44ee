// SPDX-License-Identifier: MIT
// multiprocessing/dummy/values.hpp — values that threads share: plain objects.
// Layer 7 (context). Mirrors Value and Array of Lib/multiprocessing/dummy/__init__.py.
#pragma once

#include <cstddef>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

namespace multiprocessing::dummy {

/// One T. There is no lock.
/// Sharing: copies name the same value.
/// Python: `multiprocessing.dummy.Value(typecode, value, lock=True)`.
template <class T>
class Value {
public:
    explicit Value(T value = T()) : value_(std::make_shared<T>(std::move(value))) {}
    T& value() const { return *value_; }

private:
    std::shared_ptr<T> value_;
};

/// A number of T. There is no lock.
/// Sharing: copies name the same array.
/// Python: `multiprocessing.dummy.Array(typecode, sequence, lock=True)`.
template <class T>
class Array {
public:
    explicit Array(std::size_t size) : items_(std::make_shared<std::vector<T>>(size)) {}
    template <std::ranges::input_range R>
    explicit Array(R&& elements)
        : items_(std::make_shared<std::vector<T>>(std::ranges::begin(elements),
                                                  std::ranges::end(elements))) {}

    std::size_t size() const { return items_->size(); }
    T& operator[](std::size_t index) const { return items_->at(index); }
    auto begin() const { return items_->begin(); }
    auto end() const { return items_->end(); }

private:
    std::shared_ptr<std::vector<T>> items_;
};
template <std::ranges::input_range R>
Array(R&&) -> Array<std::ranges::range_value_t<R>>;

}  // namespace multiprocessing::dummy
