// tour — counts the words of all files below a folder with a pool of processes; checks, times.
//   tour [folder] [--start-method fork|spawn|all]
// Python: get_context(method).Pool(n), apply_async for each chunk of files, get.
#include <multiprocessing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mp = multiprocessing;
namespace fs = std::filesystem;

using Files = std::vector<std::string>;
using Counts = std::unordered_map<std::string, std::uint64_t>;
using Clock = std::chrono::steady_clock;

std::string contents_of(std::string const& path) {
    std::string text;
    if (std::FILE* file = std::fopen(path.c_str(), "rb")) {
        std::error_code unknown;
        auto const size = fs::file_size(path, unknown);
        if (!unknown) text.resize(size);
        text.resize(std::fread(text.data(), 1, text.size(), file));
        std::fclose(file);
    }
    return text;
}

bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool goes_on(char c) { return starts_word(c) || (c >= '0' && c <= '9'); }

/// The task of the workers: argument and result cross the border between processes by themselves.
Counts count_words(Files const& files) {
    Counts counts;
    for (auto const& path : files) {
        std::string const text = contents_of(path);
        std::unordered_map<std::string_view, std::uint64_t> words;
        for (auto at = text.begin(); at != text.end();) {
            auto const begin = std::find_if(at, text.end(), starts_word);
            at = std::find_if_not(begin, text.end(), goes_on);
            if (begin != at) ++words[std::string_view(begin, at)];
        }
        for (auto const& [word, count] : words) counts[std::string(word)] += count;
    }
    return counts;
}

struct Work {
    std::vector<Files> chunks;
    std::size_t files = 0;
    std::uintmax_t bytes = 0;
};

/// Chunks of files of about the same size together: enough of them that no worker waits at the end.
Work find_work(fs::path const& folder, int workers) {
    std::vector<std::pair<std::string, std::uintmax_t>> found;
    Work work;
    auto const options = fs::directory_options::skip_permission_denied;
    for (auto const& entry : fs::recursive_directory_iterator(folder, options)) {
        std::error_code unreadable;
        if (!entry.is_regular_file(unreadable) || unreadable) continue;
        auto const size = entry.file_size(unreadable);
        if (unreadable) continue;
        found.emplace_back(entry.path().string(), size);
        work.bytes += size;
    }
    work.files = found.size();
    std::ranges::sort(found);

    auto const chunk_bytes = work.bytes / static_cast<std::uintmax_t>(workers * 8) + 1;
    std::uintmax_t filled = chunk_bytes;
    for (auto& [path, size] : found) {
        if (filled >= chunk_bytes) {
            work.chunks.emplace_back();
            filled = 0;
        }
        work.chunks.back().push_back(std::move(path));
        filled += size;
    }
    return work;
}

void merge(Counts& into, Counts const& from) {
    for (auto const& [word, count] : from) into[word] += count;
}

Counts count_alone(Work const& work) {
    Counts total;
    for (auto const& chunk : work.chunks) merge(total, count_words(chunk));
    return total;
}

Counts count_with_pool(Work const& work, std::string const& method, int workers) {
    auto context = mp::get_context(method);
    auto pool = context.Pool(workers);
    std::vector<mp::AsyncResult<Counts>> results;
    for (auto const& chunk : work.chunks) results.push_back(pool.apply_async(count_words, chunk));
    Counts total;
    for (auto& result : results) merge(total, result.get());
    return total;
}

void print_most_frequent(Counts const& counts, std::size_t rows) {
    std::vector<std::pair<std::string, std::uint64_t>> words(counts.begin(), counts.end());
    rows = std::min(rows, words.size());
    auto const order = [](auto const& a, auto const& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    };
    std::ranges::partial_sort(words, words.begin() + static_cast<std::ptrdiff_t>(rows), order);
    words.resize(rows);
    for (std::size_t i = 0; i < rows; ++i)
        fmt::print("{:>4}  {:<24} {:>12}\n", i + 1, words[i].first, words[i].second);
}

template <class F>
auto timed(F const& f) {
    auto const start = Clock::now();
    auto result = f();
    std::chrono::duration<double> const seconds = Clock::now() - start;
    return std::pair(std::move(result), seconds.count());
}

int tour(fs::path const& folder, std::vector<std::string> const& methods) {
    int const workers = mp::process_cpu_count();
    Work const work = find_work(folder, workers);
    fmt::print("{}: {} files, {:.1f} MB, in {} chunks for {} workers\n\n", folder.string(),
               work.files, static_cast<double>(work.bytes) / 1e6, work.chunks.size(), workers);

    for (auto const& chunk : work.chunks)  // once, untimed, so that no run pays for the disk
        for (auto const& path : chunk) contents_of(path);

    auto const [expected, alone] = timed([&] { return count_alone(work); });
    print_most_frequent(expected, 20);
    fmt::print("\n{:<12} {:>8.2f} s\n", "one process", alone);

    bool same = true;
    for (auto const& method : methods) {
        auto const [counts, seconds] =
            timed([&] { return count_with_pool(work, method, workers); });
        bool const equal = counts == expected;
        same = same && equal;
        fmt::print("{:<12} {:>8.2f} s   {:.2f} times as fast, {}\n", method, seconds,
                   alone / seconds, equal ? "the same result" : "ANOTHER RESULT");
    }
    return same ? 0 : 1;
}

int main(int argc, char* argv[]) {
    mp::freeze_support();  // first line of main: this program can be its own child
    std::string folder = "/usr/include";
    std::string method = "all";
    for (int i = 1; i < argc; ++i) {
        std::string_view const argument = argv[i];
        if (argument == "--start-method" && i + 1 < argc)
            method = argv[++i];
        else if (argument.starts_with("-")) {
            fmt::print(stderr, "usage: tour [folder] [--start-method fork|spawn|all]\n");
            return 2;
        } else
            folder = argument;
    }
    std::vector<std::string> methods{method};
    if (method == "all") {
        methods.clear();
        for (auto const& name : mp::get_all_start_methods()) methods.emplace_back(name);
    }
    return tour(folder, methods);
}
