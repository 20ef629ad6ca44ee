// SPDX-License-Identifier: MIT
// tests/pickle/samples.hpp — values of every kind of type that can be pickled.
#pragma once

#include <multiprocessing/pickle.hpp>

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace samples {

enum class Colour : std::uint8_t { red, green = 7, blue };
enum class Flag : bool { off, on };

struct Empty {
    bool operator==(Empty const&) const = default;
};

struct Point {
    int x = 0;
    double y = 0;
    bool operator==(Point const&) const = default;
};

struct Record {
    int number = 0;
    double ratio = 0;
    std::string name;
    bool operator==(Record const&) const = default;
};

struct Packet {
    char tag[5] = {};
    bool valid = false;
    std::array<std::int16_t, 3> values{};
    Flag flag = Flag::off;
    std::int64_t matrix[2][2] = {};
    bool operator==(Packet const&) const = default;
};

struct Names {
    std::string pair[2];
    std::vector<Point> points;
    Empty nothing;
    bool operator==(Names const&) const = default;
};

struct Tree {
    int value = 0;
    std::vector<Tree> children;
    bool operator==(Tree const&) const = default;
};

struct Chain {
    int value = 0;
    std::unique_ptr<Chain> next;
    friend bool operator==(Chain const& a, Chain const& b) {
        return a.value == b.value && (a.next == nullptr) == (b.next == nullptr) &&
               (a.next == nullptr || *a.next == *b.next);
    }
};

struct Shares {
    std::shared_ptr<std::string> a;
    std::shared_ptr<std::string const> b;
    friend bool operator==(Shares const& x, Shares const& y) {
        return (x.a == nullptr) == (y.a == nullptr) && (x.b == nullptr) == (y.b == nullptr) &&
               (x.a == nullptr || *x.a == *y.a) && (x.b == nullptr || *x.b == *y.b) &&
               (x.a == x.b) == (y.a == y.b);
    }
};

/// Has a pickle of its own.
class Account {
public:
    Account(std::string owner, int balance) : owner_(std::move(owner)), balance_(balance) {}
    std::string const& owner() const { return owner_; }
    int balance() const { return balance_; }
    bool operator==(Account const&) const = default;

private:
    std::string owner_;
    int balance_;
};

/// Lists its members.
class Clock {
public:
    Clock() = default;
    explicit Clock(int hour, std::string zone) : hour_(hour), zone_(std::move(zone)) {}
    static auto pickle_members(auto& self) { return std::tie(self.hour_, self.zone_); }
    bool operator==(Clock const&) const = default;

private:
    int hour_ = 0;
    std::string zone_;
};

/// Trivially copyable, and closed.
class Degrees {
public:
    Degrees() = default;
    explicit Degrees(float value) : value_(value) {}
    bool operator==(Degrees const&) const = default;

private:
    float value_ = 0;
};

}  // namespace samples

template <>
struct multiprocessing::pickle<samples::Account> {
    static void dump(Writer& writer, samples::Account const& account) {
        writer.write(account.owner());
        writer.write(account.balance());
    }
    static samples::Account load(Reader& reader) {
        auto owner = reader.read<std::string>();
        return {std::move(owner), reader.read<int>()};
    }
};

template <>
struct multiprocessing::pickle<samples::Degrees>
    : multiprocessing::pickle_bytewise<samples::Degrees> {};

namespace samples {

template <class T>
constexpr T lowest = std::numeric_limits<T>::lowest();
template <class T>
constexpr T highest = std::numeric_limits<T>::max();

template <class F, class... T>
void each_extreme(F&& f, multiprocessing::detail::Types<T...>) {
    ((f(lowest<T>), f(highest<T>), f(T{}), f(static_cast<T>(1))), ...);
}

inline Tree deep_tree(int depth) {
    Tree tree;
    for (int i = 0; i < depth; ++i) {
        Tree outer{i, {}};
        outer.children.push_back(std::move(tree));
        tree = std::move(outer);
    }
    return tree;
}

/// Calls f with each of many values.
template <class F>
void for_each(F&& f) {
    using namespace std::chrono_literals;
    each_extreme(f,
                 multiprocessing::detail::Types<bool, char, signed char, unsigned char, char8_t,
                                                char16_t, char32_t, wchar_t, short, unsigned short,
                                                int, unsigned, long, unsigned long, long long,
                                                unsigned long long, float, double, long double>{});
    f(std::numeric_limits<double>::infinity());
    f(std::numeric_limits<double>::denorm_min());
    f(Colour::green);
    f(static_cast<Colour>(200));
    f(Flag::on);
    f(std::byte{0xa5});

    f(std::string());
    f(std::string("hello"));
    f(std::string("with\0zero and \xff\xfe", 16));
    f(std::string(300, 'x'));
    f(std::u8string(u8"gr\u00fc\u00df"));
    f(std::u16string(400, u'\u20ac'));
    f(std::u32string(U"\U0001f600"));
    f(std::wstring(L"wide"));

    f(std::vector<int>{});
    f(std::vector<int>{1, -2, 3});
    f(std::vector<int>(1000, 42));
    f(std::vector<double>(70, 0.5));
    f(std::vector<std::byte>(17, std::byte{3}));
    f(std::vector<bool>{});
    f(std::vector<bool>{true, false, true, true, false, false, false, true, true});
    f(std::vector<bool>(64, true));
    f(std::vector<std::string>{"a", "", std::string(200, 'b')});
    f(std::vector<std::vector<std::vector<int>>>{{{1}, {}}, {}, {{2, 3}}});
    f(std::vector<Empty>(5));
    f(std::vector<std::monostate>(3));
    f(std::array<int, 3>{1, 2, 3});
    f(std::array<std::string, 2>{"x", "yy"});
    f(std::array<int, 0>{});
    f(std::array<Account, 2>{Account("a", 1), Account("b", 2)});
    f(std::deque<int>{1, 2, 3});
    f(std::list<std::string>{"one", "two"});
    f(std::forward_list<int>{3, 2, 1});
    f(std::list<Empty>(4));

    f(std::map<int, std::string>{{1, "one"}, {2, "two"}});
    f(std::multimap<int, int>{{1, 1}, {1, 2}, {0, 3}});
    f(std::unordered_map<std::string, int>{{"a", 1}, {"b", 2}});
    f(std::unordered_multimap<int, int>{{1, 1}, {1, 1}});
    f(std::map<std::string, std::map<int, std::vector<bool>>>{{"k", {{1, {true}}}}, {"l", {}}});
    f(std::set<int>{3, 1, 2});
    f(std::multiset<std::string>{"a", "a"});
    f(std::unordered_set<std::string>{"x", "y"});
    f(std::unordered_multiset<int>{1, 1, 2});

    f(std::pair<int, std::string>{1, "p"});
    f(std::tuple<>{});
    f(std::tuple<int>{7});
    f(std::tuple<int, std::string, std::tuple<double, bool>>{1, "t", {0.5, true}});
    f(std::optional<int>{});
    f(std::optional<std::string>{"here"});
    f(std::optional<std::optional<int>>{std::optional<int>{}});
    f(std::variant<int, std::string>{"v"});
    f(std::variant<std::monostate, std::vector<int>, int, int>{std::in_place_index<3>, 9});
    f(std::monostate{});

    f(std::chrono::nanoseconds{-5});
    f(std::chrono::duration<double>{0.25});
    f(std::chrono::hours{3});
    f(std::chrono::system_clock::time_point{12345s});
    f(std::chrono::steady_clock::time_point{77ns});
    f(std::filesystem::path("/tmp/a file.txt"));
    f(std::complex<double>{1, -2});
    f(std::complex<long double>{3, 4});
    f(std::bitset<1>{1});
    f(std::bitset<70>{0x123456789abcdefull});
    f(std::bitset<0>{});

    f(Empty{});
    f(Point{1, 2.5});
    f(std::vector<Point>(40, Point{1, 2.5}));
    f(Record{1, 0.5, "record"});
    f(std::vector<Record>(3, Record{1, 0.5, "a longer name than fits in place"}));
    f(Packet{{'a', 'b'}, true, {1, -1, 2}, Flag::on, {{1, 2}, {3, 4}}});
    f(std::vector<Packet>(20, Packet{{'a'}, true, {1, -1, 2}, Flag::on, {{1, 2}, {3, 4}}}));
    f(Names{{"a", "b"}, {{1, 2}}, {}});
    f(Tree{1, {{2, {}}, {3, {{4, {}}}}}});
    f(deep_tree(200));
    f(Chain{1, std::make_unique<Chain>(Chain{2, nullptr})});
    auto const shared = std::make_shared<std::string>("shared");
    f(Shares{shared, nullptr});
    f(Shares{shared, shared});
    f(Shares{shared, std::make_shared<std::string>("shared")});
    f(Account("owner", -1));
    f(std::vector<Account>(4, Account("owner", 3)));
    f(Clock(12, "UTC"));
    f(Degrees(90));
    f(std::vector<Degrees>(3, Degrees(1)));
}

/// Bytes in memory of exactly their length, so that a sanitizer sees each read beyond.
inline std::unique_ptr<std::byte[]> exact_copy(std::span<std::byte const> bytes) {
    auto copy = std::make_unique<std::byte[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    return copy;
}

}  // namespace samples
