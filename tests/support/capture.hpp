// SPDX-License-Identifier: MIT
// tests/support/capture.hpp — what is written to stderr meanwhile, by this process and its children.
#pragma once

#include <multiprocessing/forkserver.hpp>

#include <cstdio>
#include <string>

#include <unistd.h>

namespace test {

class CaptureStderr {
public:
    CaptureStderr() : file_(std::tmpfile()), saved_(::dup(STDERR_FILENO)) {
        multiprocessing::forkserver::stop_server();  // its children write where it does
        std::fflush(stderr);
        ::dup2(::fileno(file_), STDERR_FILENO);
    }
    CaptureStderr(CaptureStderr const&) = delete;
    CaptureStderr& operator=(CaptureStderr const&) = delete;
    ~CaptureStderr() {
        restore();
        std::fclose(file_);
    }

    /// All that was written, once; afterwards stderr is the old one.
    std::string text() {
        restore();
        std::string result;
        std::rewind(file_);
        for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_))
            if (c != '\r') result += static_cast<char>(c);  // text has some on Windows
        return result;
    }

private:
    void restore() {
        if (saved_ < 0) return;
        multiprocessing::forkserver::stop_server();
        std::fflush(stderr);
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
        saved_ = -1;
    }

    std::FILE* file_;
    int saved_;
};

}  // namespace test
