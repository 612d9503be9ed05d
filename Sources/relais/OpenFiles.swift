// SPDX-License-Identifier: Apache-2.0
// How many files and connections this process may have open.

internal import Glibc

/// The process' limit of open files.
enum OpenFiles {
    /// Raises the limit as far as the system lets it.
    ///
    /// Only programs that wait by `select` need the low limit of 1024 that systems begin with.
    ///
    /// - Returns: how many may be open from now on.
    static func raise() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        // What a library keeps for each possible file must not fill the memory.
        limit.rlim_cur = min(limit.rlim_max, 1 << 20)
        let isRaised = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return isRaised ? Int(clamping: limit.rlim_cur) : 1024
    }
}
