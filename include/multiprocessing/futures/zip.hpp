// SPDX-License-Identifier: MIT
// multiprocessing/futures/zip.hpp — several ranges as one of tuples, as long as the shortest.
// Layer 6 (pool). Mirrors zip() in Executor.map of Lib/concurrent/futures/_base.py.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <tuple>
#include <utility>

namespace multiprocessing::futures::detail {

/// To be read once. Elements are copied.
template <std::ranges::view... Views>
class Zip : public std::ranges::view_interface<Zip<Views...>> {
public:
    explicit Zip(Views... views) : views_(std::move(views)...) {}

    class Iterator {
    public:
        using value_type = std::tuple<std::ranges::range_value_t<Views>...>;
        using difference_type = std::ptrdiff_t;

        explicit Iterator(Zip& zip) : zip_(&zip) {}
        value_type operator*() const {
            return std::apply([](auto const&... at) { return value_type(*at...); }, *zip_->at_);
        }
        Iterator& operator++() {
            std::apply([](auto&... at) { (++at, ...); }, *zip_->at_);
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return zip_->at_end(); }

    private:
        Zip* zip_;
    };

    Iterator begin() {
        std::apply([this](auto&... view) { at_.emplace(std::ranges::begin(view)...); }, views_);
        return Iterator(*this);
    }
    std::default_sentinel_t end() { return {}; }

private:
    bool at_end() {
        return [this]<std::size_t... I>(std::index_sequence<I...>) {
            return ((std::get<I>(*at_) == std::ranges::end(std::get<I>(views_))) || ...);
        }(std::index_sequence_for<Views...>());
    }

    std::tuple<Views...> views_;
    std::optional<std::tuple<std::ranges::iterator_t<Views>...>> at_;
};

}  // namespace multiprocessing::futures::detail
